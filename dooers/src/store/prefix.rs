//! The prefix of a store's table names.

use std::fmt;
use std::str::FromStr;

/// The prefix of a store's table names. With different prefixes, several stores can share a database.
///
/// A prefix consists of lower-case ASCII letters, digits and `_`, does not start with a digit, and has at most
/// [`TablePrefix::MAX_BYTES`] bytes. It is therefore safe in the text of SQL statements.
///
/// ```
/// use dooers::store::TablePrefix;
///
/// assert_eq!(TablePrefix::default().as_str(), "worker_");
/// let prefix: TablePrefix = "support_".parse()?;
/// assert_eq!(prefix.to_string(), "support_");
/// assert!("a; drop".parse::<TablePrefix>().is_err());
/// # Ok::<(), dooers::store::InvalidPrefix>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TablePrefix(String);

impl TablePrefix {
    /// Maximum length in bytes. A longer prefix would leave too little room for the tables' own names.
    pub const MAX_BYTES: usize = 31;

    /// Returns the prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TablePrefix {
    fn default() -> Self {
        Self("worker_".to_owned())
    }
}

impl fmt::Display for TablePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error for a text that is not a table prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a table prefix: it must be 1 to {max} of the characters `a` to `z`, `0` to `9` and `_`, and must not start with a digit",
    max = TablePrefix::MAX_BYTES
)]
pub struct InvalidPrefix {
    text: String,
}

impl FromStr for TablePrefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_prefix = text.len() <= Self::MAX_BYTES
            && text
                .bytes()
                .next()
                .is_some_and(|first| !first.is_ascii_digit())
            && text.bytes().all(is_allowed);
        if is_prefix {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPrefix {
                // Only the beginning of a very long text is shown.
                text: text.chars().take(2 * Self::MAX_BYTES).collect(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_lower_case_names_are_prefixes() {
        let longest = "a".repeat(TablePrefix::MAX_BYTES);
        for good in ["a", "_", "worker_", "a1_b2", "x9", &longest] {
            assert_eq!(good.parse::<TablePrefix>().unwrap().as_str(), good);
        }
        let too_long = "a".repeat(TablePrefix::MAX_BYTES + 1);
        let bad = [
            "",
            "1a",
            "Worker_",
            "a-b",
            "a b",
            "a; drop table x",
            "a\"",
            "a'",
            "ä_",
            "a\0",
            "a.b",
            &too_long,
        ];
        for bad in bad {
            assert!(bad.parse::<TablePrefix>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_error_tells_the_rule_and_shows_the_text() {
        let error = "a; drop".parse::<TablePrefix>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"a; drop\" is not a table prefix: it must be 1 to 31 of the characters `a` to `z`, `0` to `9` and `_`, and \
             must not start with a digit"
        );
        let long = "x".repeat(100_000).parse::<TablePrefix>().unwrap_err();
        assert!(long.to_string().len() < 250);
    }
}
