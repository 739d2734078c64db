//! Messages that say nothing.

use super::ContentPart;
use regex::Regex;
use std::sync::LazyLock;

/// A character that is seen: neither white space, nor a control character, nor one that fonts leave out, such as
/// U+200B, U+2060 and U+FEFF. U+2800 is an empty pattern of Braille.
#[expect(clippy::expect_used, reason = "a unit test compiles it")]
static VISIBLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u{2800}]")
        .expect("the expression is valid")
});

/// Whether a content shows nothing: no text with a visible character, and no image, audio or document that can be
/// loaded.
pub(crate) fn is_blank(content: &[ContentPart]) -> bool {
    content.iter().all(|part| match part {
        ContentPart::Text { text } => !VISIBLE.is_match(text),
        ContentPart::Image { url, ref_id, .. }
        | ContentPart::Audio { url, ref_id, .. }
        | ContentPart::Document { url, ref_id, .. } => {
            let is_shown =
                |text: &Option<String>| text.as_deref().is_some_and(|text| VISIBLE.is_match(text));
            !is_shown(url) && !is_shown(ref_id)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_visible_character_is_blank() {
        for blank in [
            "", " \t\r\n", "\0", "\u{7f}", "\u{85}", "\u{a0}", "\u{200b}", "\u{200c}", "\u{200d}",
            "\u{2060}", "\u{feff}", "\u{ad}", "\u{3164}", "\u{2800}", "\u{202e}",
        ] {
            assert!(is_blank(&[ContentPart::text(blank)]), "{blank:?}");
        }
        for visible in ["a", ".", " \u{200b}x", "\u{301}", "👨\u{200d}👩", "\u{600}"] {
            assert!(!is_blank(&[ContentPart::text(visible)]), "{visible:?}");
        }
    }

    #[test]
    fn one_part_that_shows_something_is_enough() {
        assert!(is_blank(&[]));
        let (empty, image) = (ContentPart::text(""), ContentPart::image("u"));
        assert!(is_blank(&[empty.clone(), ContentPart::document(" ", "f")]));
        assert!(!is_blank(&[empty, image]));
    }
}
