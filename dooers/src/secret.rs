//! Texts that only the program may read.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// A text that only the program may read, such as an API key or a password.
///
/// It is overwritten in memory when it is dropped. `Debug` does not show it, and it cannot be serialized.
///
/// ```
/// use dooers::Secret;
///
/// let key = Secret::new("sk-123");
/// assert_eq!(key.expose(), "sk-123");
/// assert!(!format!("{key:?}").contains("123"));
/// ```
pub struct Secret {
    text: Zeroizing<String>,
    /// Distinguishes this value from all others with the same text.
    assignment: u64,
}

impl Secret {
    /// Creates a secret.
    pub fn new(text: impl Into<String>) -> Self {
        static ASSIGNMENTS: AtomicU64 = AtomicU64::new(0);
        Self {
            text: Zeroizing::new(text.into()),
            assignment: ASSIGNMENTS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The text. The caller must keep it secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// A number that is unique in this process. A clone has another number.
    pub(crate) fn assignment(&self) -> u64 {
        self.assignment
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Self::new(self.expose())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
