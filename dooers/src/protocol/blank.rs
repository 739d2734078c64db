//! Blank texts and messages.

use super::ContentPart;
use regex::Regex;
use std::sync::LazyLock;

/// Returns true if a text contains a visible character. White space, control characters, and characters that fonts
/// leave out, such as U+200B, U+2060 and U+FEFF, are not visible.
pub(crate) fn is_visible(text: &str) -> bool {
    #[expect(clippy::expect_used, reason = "a unit test compiles it")]
    static VISIBLE: LazyLock<Regex> = LazyLock::new(|| {
        // The glyph of the symbol U+2800 is empty.
        Regex::new(r"[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u{2800}]")
            .expect("the expression is valid")
    });
    VISIBLE.is_match(text)
}

/// Returns true if a content is blank: no text has a visible character, and no image, audio or document has a URL or
/// upload.
pub(crate) fn is_blank(content: &[ContentPart]) -> bool {
    content.iter().all(|part| match part {
        ContentPart::Text { text } => !is_visible(text),
        ContentPart::Image { url, ref_id, .. }
        | ContentPart::Audio { url, ref_id, .. }
        | ContentPart::Document { url, ref_id, .. } => {
            let is_shown = |text: &Option<String>| text.as_deref().is_some_and(is_visible);
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
            "",
            " \t\r\n",
            "\0",
            "\u{7f}",
            "\u{85}",
            "\u{a0}",
            "\u{200b}",
            "\u{200c}",
            "\u{200d}",
            "\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{3164}",
            "\u{2800}",
            "\u{202e}",
            "\u{2028}",
            "\u{fe0f}\u{200d}",
            "\u{e0020}",
        ] {
            assert!(is_blank(&[ContentPart::text(blank)]), "{blank:?}");
        }
        for visible in ["a", ".", " \u{200b}x", "\u{301}", "👨\u{200d}👩", "\u{600}"] {
            assert!(!is_blank(&[ContentPart::text(visible)]), "{visible:?}");
        }
    }

    #[test]
    fn content_with_one_visible_part_is_not_blank() {
        assert!(is_blank(&[]));
        let (empty, image) = (ContentPart::text(""), ContentPart::image("u").into());
        let document = ContentPart::document(" ", "f").into();
        assert!(is_blank(&[empty.clone(), document]));
        assert!(!is_blank(&[empty, image]));
    }
}
