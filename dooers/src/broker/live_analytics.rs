//! Analytics events for the subscribers of other nodes.

use super::place::PlaceKey;
use crate::protocol::{AnalyticsEvent, json_bytes};
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum size of an event in bytes. Larger ones count as dropped.
const LARGEST_EVENT: usize = 4_000;

/// Maximum size of the events of one news in bytes.
const PART: usize = 5_000;

/// Maximum number of entries that wait for a place. Above this number, events count as dropped.
const MOST_ENTRIES: usize = 500;

/// Analytics events of one worker in one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnalyticsNews {
    #[serde(rename = "p")]
    pub(crate) place: PlaceKey,
    #[serde(rename = "l")]
    pub(crate) entries: Vec<AnalyticsEntry>,
}

/// An event, or the number of events that were dropped in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AnalyticsEntry {
    /// An event with its id, by which repeated messages are detected.
    #[serde(rename = "e")]
    Event(u64, Box<AnalyticsEvent>),
    #[serde(rename = "d")]
    Dropped(u64),
}

impl AnalyticsNews {
    pub(crate) fn new(place: PlaceKey, events: &[AnalyticsEvent]) -> Self {
        let mut news = Self {
            place,
            entries: Vec::new(),
        };
        for event in events {
            news.push(if json_bytes(event) > LARGEST_EVENT {
                AnalyticsEntry::Dropped(1)
            } else {
                AnalyticsEntry::Event(next_id(), Box::new(event.clone()))
            });
        }
        news
    }

    fn push(&mut self, entry: AnalyticsEntry) {
        let is_full = self.entries.len() >= MOST_ENTRIES;
        match (self.entries.last_mut(), entry) {
            (Some(AnalyticsEntry::Dropped(before)), AnalyticsEntry::Dropped(more)) => {
                *before = before.saturating_add(more);
            }
            (Some(AnalyticsEntry::Dropped(before)), AnalyticsEntry::Event(..)) if is_full => {
                *before = before.saturating_add(1);
            }
            (_, AnalyticsEntry::Event(..)) if is_full => {
                self.entries.push(AnalyticsEntry::Dropped(1));
            }
            (_, entry) => self.entries.push(entry),
        }
    }

    /// Adds later events of the same place.
    pub(super) fn merge(&mut self, later: Self) {
        for entry in later.entries {
            self.push(entry);
        }
    }

    /// Divides the events, so that each part fits into a message.
    pub(super) fn into_parts(self) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        let mut size = PART;
        for entry in self.entries {
            let bytes = json_bytes(&entry);
            match parts.last_mut() {
                Some(part) if size + bytes <= PART => {
                    size += bytes;
                    part.entries.push(entry);
                }
                _ => {
                    size = bytes;
                    parts.push(Self {
                        place: self.place,
                        entries: vec![entry],
                    });
                }
            }
        }
        parts
    }
}

/// The ids of a process begin at a random number, so that those of two processes differ.
fn next_id() -> u64 {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(())));
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::timestamp;
    use crate::store::Scope;
    use serde_json::json;

    fn event(name: &str, size: usize) -> AnalyticsEvent {
        let mut event = AnalyticsEvent::new(name, "w", timestamp::now());
        event.data = Some(json!("x".repeat(size)));
        event
    }

    fn news(events: &[AnalyticsEvent]) -> AnalyticsNews {
        AnalyticsNews::new(PlaceKey::of_analytics(&Scope::new("a", "w")), events)
    }

    #[test]
    fn large_events_count_as_dropped() {
        let (small, large) = (event("small", 3_000), event("large", LARGEST_EVENT));
        let events = [large.clone(), large.clone(), small.clone(), large, small];
        let all = news(&events);
        let [
            AnalyticsEntry::Dropped(2),
            AnalyticsEntry::Event(first, one),
            AnalyticsEntry::Dropped(1),
            AnalyticsEntry::Event(second, other),
        ] = &*all.entries
        else {
            panic!("{all:?}");
        };
        assert_eq!((&**one, &**other), (&events[2], &events[4]));
        assert_ne!(first, second);
        let parts = all.clone().into_parts();
        assert_eq!(parts.len(), 2);
        let again: Vec<_> = parts.into_iter().flat_map(|part| part.entries).collect();
        assert_eq!(again, all.entries);
        assert!(news(&[]).into_parts().is_empty());
    }

    #[test]
    fn events_above_the_limit_count_as_dropped() {
        let mut all = news(&[]);
        for _ in 0..MOST_ENTRIES + 7 {
            all.merge(news(&[event("e", 0)]));
        }
        assert_eq!(all.entries.len(), MOST_ENTRIES + 1);
        assert_eq!(all.entries.last(), Some(&AnalyticsEntry::Dropped(7)));
    }
}
