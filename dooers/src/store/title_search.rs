//! The search for threads by their titles.
//!
//! Databases fold letters in different ways, so titles are compared here, while a list of threads is scanned in its order.
//! A page scans a limited number of threads, because the list may be long and its matches few.

use super::page::ListPosition;
use super::{PageLimit, ThreadCursor, ThreadPage};
use crate::protocol::{MAX_TITLE_BYTES, Thread};

/// Maximum number of threads that a page of matches scans.
const SCANNED_THREADS: usize = 2_000;

/// Maximum number of titles that a statement reads.
const TITLES_AT_ONCE: usize = 500;

/// The part of a title that is searched, in characters. Only a title that an earlier version stored can be longer.
pub(crate) const SEARCHED_CHARS: usize = MAX_TITLE_BYTES;

/// A search for threads whose titles contain a text, in upper or lower case.
///
/// `ß` and `ẞ` equal `ss`, and `ς` equals `σ`. Accents count, and no character is a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleSearch {
    folded: String,
    scanned: usize,
}

impl TitleSearch {
    /// Creates a search for this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            folded: folded(text.chars()),
            scanned: SCANNED_THREADS,
        }
    }

    /// Sets the maximum number of threads that a page scans, at least 1. 2,000 by default.
    #[must_use]
    pub fn scanning(mut self, threads: usize) -> Self {
        self.scanned = threads.max(1);
        self
    }

    /// Returns `true` if the title contains the text.
    fn finds(&self, title: Option<&str>) -> bool {
        let searched = |title: &str| folded(title.chars().take(SEARCHED_CHARS));
        title.is_some_and(|title| searched(title).contains(&self.folded))
    }
}

/// Returns the text without the difference between upper and lower case.
fn folded(text: impl Iterator<Item = char>) -> String {
    // The upper case of `ß` is `SS`, but that of `ẞ` is `ẞ`, so the lower case comes first.
    text.flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// The scan of a list of threads for a page of matches.
#[derive(Debug)]
pub(crate) struct TitleScan<'a> {
    search: &'a TitleSearch,
    limit: PageLimit,
    /// `true` for the first page, which counts all matches that it scans.
    counts: bool,
    scanned: usize,
    /// The place up to which the list was scanned.
    after: Option<ThreadCursor>,
    /// The ids of the first matches, at most one more than the page may have.
    found: Vec<String>,
    matches: u64,
    /// `true` if the list continues behind the scanned threads.
    is_cut: bool,
}

impl<'a> TitleScan<'a> {
    /// Starts the scan behind a thread, or at the beginning of the list.
    pub(crate) fn new(
        search: &'a TitleSearch,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Self {
        Self {
            search,
            limit,
            counts: after.is_none(),
            scanned: 0,
            after: after.cloned(),
            found: Vec::new(),
            matches: 0,
            is_cut: false,
        }
    }

    /// Scans the next thread of the list. Threads after the end of the scan are ignored.
    pub(crate) fn scan(&mut self, place: ListPosition, title: Option<&str>) {
        if self.is_over() {
            return;
        }
        if self.scanned == self.search.scanned {
            self.is_cut = true;
            return;
        }
        self.scanned += 1;
        if self.search.finds(title) {
            self.matches += 1;
            if self.found.len() <= self.limit.items {
                self.found.push(place.id.clone());
            }
        }
        self.after = Some(ThreadCursor {
            last_event_at: place.time(),
            thread_id: place.id,
        });
    }

    /// Returns `true` if the page needs no further threads.
    pub(crate) fn is_over(&self) -> bool {
        self.is_cut || (!self.counts && self.found.len() > self.limit.items)
    }

    /// The place up to which the list was scanned.
    pub(crate) fn after(&self) -> Option<&ThreadCursor> {
        self.after.as_ref()
    }

    /// The number of threads to read next. One more than may be scanned shows if the list continues.
    pub(crate) fn wanted(&self) -> usize {
        (self.search.scanned - self.scanned + 1).min(TITLES_AT_ONCE)
    }

    /// The ids of the matches that the page may show, in the order of the list.
    pub(crate) fn found(&self) -> &[String] {
        &self.found[..self.found.len().min(self.limit.items)]
    }

    /// Creates the page from the first of the matches: as many as fit into it.
    pub(crate) fn page(self, threads: Vec<Thread>) -> ThreadPage {
        let next = if threads.len() < self.found.len() {
            threads.last().map(ThreadCursor::of)
        } else {
            self.after.filter(|_| self.is_cut)
        };
        ThreadPage {
            threads,
            next,
            total_count: if self.counts { self.matches } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_is_found_in_upper_or_lower_case() {
        for (text, title) in [
            ("order", "My ORDER 7"),
            ("ÄPFEL", "Zwei äpfel"),
            ("strasse", "Hauptstraße"),
            ("STRAẞE", "hauptstrasse"),
            ("οδος", "ΟΔΟΣ 5"),
            ("ПРИВЕТ", "привет, мир"),
            ("100%", "100% off"),
            ("a_b\\", "A_B\\c"),
            ("好", "你好"),
            ("k", "300 \u{212a}"),
        ] {
            assert!(TitleSearch::new(text).finds(Some(title)), "{text} {title}");
        }
        for (text, title) in [
            ("a%c", "abc"),
            ("a_c", "abc"),
            ("%", "abc"),
            ("_", "abc"),
            ("apfel", "Äpfel"),
            ("longer", "long"),
        ] {
            assert!(!TitleSearch::new(text).finds(Some(title)), "{text} {title}");
        }
        assert!(!TitleSearch::new("a").finds(None));
    }

    #[test]
    fn only_the_beginning_of_a_huge_title_is_searched() {
        let title = "é".repeat(SEARCHED_CHARS) + "x";
        assert!(TitleSearch::new("É").finds(Some(&title)));
        assert!(!TitleSearch::new("x").finds(Some(&title)));
    }
}
