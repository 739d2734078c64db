//! The words of names, which make the values and labels of forms.

/// Splits `VeryFriendly` into `very` and `friendly`.
pub(crate) fn split_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_upper = true;
    for letter in name.chars() {
        let begins = letter.is_uppercase() && !was_upper;
        was_upper = letter.is_uppercase();
        if letter == '_' {
            was_upper = false;
            words.push(String::new());
            continue;
        }
        if begins || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Joins words to a label: "Very friendly".
pub(crate) fn sentence_case(words: &[String]) -> String {
    let text = words.join(" ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{sentence_case, split_words};

    #[test]
    fn variant_name_is_split_into_words() {
        for (name, expected) in [
            ("Friendly", "friendly"),
            ("VeryFriendly", "very friendly"),
            ("Gpt4", "gpt4"),
            ("HTTP", "http"),
            ("A", "a"),
            ("with_underscore", "with underscore"),
        ] {
            assert_eq!(split_words(name).join(" "), expected);
        }
        assert_eq!(sentence_case(&split_words("VeryFriendly")), "Very friendly");
    }
}
