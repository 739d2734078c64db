//! Cutting texts between the characters that readers see.

use unicode_segmentation::UnicodeSegmentation;

/// Splits a text after its first `clusters` grapheme clusters, the characters that readers see. A flag, a family emoji
/// or a letter with its accents is one cluster and is never cut.
pub(crate) fn split_at_cluster(text: &str, clusters: usize) -> (&str, &str) {
    let next = text.grapheme_indices(true).nth(clusters);
    text.split_at(next.map_or(text.len(), |(start, _)| start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_keeps_grapheme_clusters_whole() {
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
}
