//! Suggestions for misspelled words.

/// Returns the known word that is most similar to this one, if one is similar enough.
///
/// A suggestion needs at most one edit per three letters, which is the limit of the compiler. Measures that reward a
/// common beginning would suggest `rename` for `range`.
pub(crate) fn closest(
    word: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::osa_distance(&word, known), known))
        .filter(|(edits, known)| edits * 3 <= word.len().max(known.len()).max(3))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::closest;

    const KNOWN: [&str; 8] = [
        "rename",
        "height",
        "options",
        "width",
        "default",
        "min_length",
        "min",
        "label",
    ];

    #[test]
    fn misspelled_word_has_a_suggestion() {
        for (word, expected) in [
            ("defualt", "default"),
            ("Default", "default"),
            ("option", "options"),
            ("hieght", "height"),
            ("min_len", "min_length"),
            ("minLength", "min_length"),
            ("mim", "min"),
            ("lable", "label"),
        ] {
            assert_eq!(closest(word, KNOWN), Some(expected), "{word}");
        }
    }

    #[test]
    fn other_word_has_no_suggestion() {
        for word in ["range", "regex", "hint", "id", "title", "maximum_size", ""] {
            assert_eq!(closest(word, KNOWN), None, "{word}");
        }
    }
}
