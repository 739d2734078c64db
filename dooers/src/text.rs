//! Texts of users, measured and cut as their readers see them.

use regex::Regex;
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

/// Splits a text behind its first `clusters` grapheme clusters: the characters that readers see. A flag, a family emoji or
/// a letter with its accents is one cluster and is never cut in half.
pub(crate) fn split_at_cluster(text: &str, clusters: usize) -> (&str, &str) {
    let next = text.grapheme_indices(true).nth(clusters);
    text.split_at(next.map_or(text.len(), |(start, _)| start))
}

/// Reports if a text shows anything: a character that is neither white space, a control character nor invisible, as
/// U+200B is.
pub(crate) fn is_visible(text: &str) -> bool {
    static VISIBLE: LazyLock<Regex> = LazyLock::new(|| {
        // U+2800 is a symbol whose glyph is empty.
        Regex::new(r"[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\x{2800}]")
            .expect("the pattern is a constant that a test compiles")
    });
    VISIBLE.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_keeps_what_readers_see_as_one() {
        for (text, head, rest) in [
            ("🇩🇪🇫🇷🇮🇹", "🇩🇪🇫🇷", "🇮🇹"),
            ("👨‍👩‍👧‍👦👍🏽!", "👨‍👩‍👧‍👦👍🏽", "!"),
            ("1️⃣#️⃣*️⃣", "1️⃣#️⃣", "*️⃣"),
            ("e\u{301}e\u{301}\u{323}e", "e\u{301}e\u{301}\u{323}", "e"),
            ("नमस्ते", "नम", "स्ते"),
            ("각각각", "각각", "각"),
            ("a\r\nb", "a\r\n", "b"),
            ("🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴󠁧󠁢󠁳󠁣󠁴󠁿x", "🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴󠁧󠁢󠁳󠁣󠁴󠁿", "x"),
            ("ab", "ab", ""),
            ("", "", ""),
        ] {
            assert_eq!(split_at_cluster(text, 2), (head, rest), "{text}");
            assert_eq!(split_at_cluster(text, 0), ("", text));
            assert_eq!(split_at_cluster(text, usize::MAX), (text, ""));
        }
    }

    #[test]
    fn is_visible_needs_a_character_that_shows() {
        for blank in [
            "",
            " \n\t",
            "\u{a0}",
            "\u{200b}",
            "\u{feff}",
            "\u{2060}\u{ad}",
            "\u{3164}",
            "\u{2800}",
            "\u{202e}",
            "\u{fe0f}\u{200d}",
            "\u{2028}",
            "\u{7f}\u{1b}",
            "\u{e0020}",
        ] {
            assert!(!is_visible(blank), "{blank:?}");
        }
        for text in ["a", "\u{200b}.", "\u{301}", "👍", "李", "\u{fffd}"] {
            assert!(is_visible(text), "{text:?}");
        }
    }
}
