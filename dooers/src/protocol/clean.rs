//! The removal of U+0000 from texts.

/// Removes U+0000 from a text.
pub(crate) fn clean_text(text: &mut String) {
    if text.contains('\0') {
        // The text is changed in place, so that no second copy of a secret remains in memory.
        text.retain(|character| character != '\0');
    }
}

/// Returns the text without U+0000.
pub(crate) fn cleaned(mut text: String) -> String {
    clean_text(&mut text);
    text
}
