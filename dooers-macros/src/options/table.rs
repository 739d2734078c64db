//! The table of the options that a macro accepts.

use crate::suggest::closest;

/// The options that a macro accepts.
pub(crate) struct OptionTable {
    /// The macro in an error text, with its backticks.
    pub(crate) macro_name: &'static str,
    /// The key of each option, and an example of its use.
    pub(crate) options: &'static [(&'static str, &'static str)],
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

    /// Reports if the option takes a list in parentheses.
    pub(super) fn takes_list(&self, key: &str) -> bool {
        self.usage(key).starts_with(&format!("{key}("))
    }

    /// Returns the usage of an option, or an empty string for an unknown key.
    pub(super) fn usage(&self, key: &str) -> String {
        let known = self.options.iter().find(|(known, _)| *known == key);
        known.map_or_else(String::new, |(_, usage)| (*usage).to_owned())
    }

    /// Suggests the option that the user most likely meant.
    pub(super) fn suggest(&self, key: &str) -> Option<&'static str> {
        closest(key, self.options.iter().map(|(known, _)| *known))
    }
}
