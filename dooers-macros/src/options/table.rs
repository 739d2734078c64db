//! The table of the options that a macro accepts.

use crate::suggest::closest;

/// The options that a macro accepts.
pub(crate) struct OptionTable {
    /// The macro in an error text, with its backticks.
    pub(crate) macro_name: &'static str,
    /// The key of each option, and an example of its use.
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// Advice for words that other libraries use, and the words. The advice has the option to use in backticks.
    pub(crate) synonyms: &'static [(&'static str, &'static [&'static str])],
}

/// The most likely meaning of an unknown key.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// A misspelled option.
    Misspelled(&'static str),
    /// A word of another library, for which there is this advice.
    Synonym(&'static str),
}

impl Meaning {
    /// Returns true if the meaning is this option, or if its advice has this option in backticks.
    pub(super) fn names(self, key: &str) -> bool {
        match self {
            Self::Misspelled(meant) => meant == key,
            Self::Synonym(advice) => advice.contains(&format!("`{key}")),
        }
    }
}

impl OptionTable {
    /// Lists the usage of all options, for an error text.
    pub(super) fn usages(&self) -> String {
        let quoted: Vec<_> = self
            .options
            .iter()
            .map(|(_, usage)| format!("`{usage}`"))
            .collect();
        quoted.join(", ")
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.options.iter().any(|(known, _)| *known == key)
    }

    /// Returns true if the option takes a list in parentheses.
    pub(super) fn takes_list(&self, key: &str) -> bool {
        self.usage(key).starts_with(&format!("{key}("))
    }

    /// Returns true if the option is a key without a value.
    pub(super) fn is_flag(&self, key: &str) -> bool {
        self.usage(key) == key
    }

    /// Returns the usage of an option, or an empty string for an unknown key.
    pub(super) fn usage(&self, key: &str) -> String {
        let known = self.options.iter().find(|(known, _)| *known == key);
        known.map_or_else(String::new, |(_, usage)| (*usage).to_owned())
    }

    /// Returns the key that a text without a key is most likely meant for.
    pub(super) fn key_of_texts(&self) -> Option<&'static str> {
        ["name", "label"].into_iter().find(|key| self.contains(key))
    }

    /// Returns the most likely meaning of an unknown key.
    pub(super) fn meaning(&self, key: &str) -> Option<Meaning> {
        let word = key.to_lowercase();
        let synonym = self
            .synonyms
            .iter()
            .find(|(_, words)| words.contains(&word.as_str()));
        synonym
            .map(|(advice, _)| Meaning::Synonym(advice))
            .or_else(|| {
                let keys = self.options.iter().map(|(known, _)| *known);
                closest(key, keys).map(Meaning::Misspelled)
            })
            .or_else(|| self.misspelled_synonym(key))
    }

    /// Returns the advice for a misspelled word of another library. Short words are similar to too many others.
    fn misspelled_synonym(&self, key: &str) -> Option<Meaning> {
        let words = self.synonyms.iter().flat_map(|(_, words)| *words).copied();
        let word = closest(key, words.filter(|word| word.len() > 4))?;
        let synonym = self
            .synonyms
            .iter()
            .find(|(_, words)| words.contains(&word));
        synonym.map(|(advice, _)| Meaning::Synonym(advice))
    }
}
