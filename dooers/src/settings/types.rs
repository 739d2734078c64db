//! Types of settings that Rust has not got.

use regex::Regex;
use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// A text that nobody may read but the program: an API key, a password.
///
/// It is overwritten in memory when it is dropped, `Debug` does not show it, and it cannot be serialized.
pub struct Secret {
    text: Zeroizing<String>,
    /// Tells this value from all others of the same text.
    assignment: u64,
}

impl Secret {
    /// A secret of this text.
    pub fn new(text: impl Into<String>) -> Self {
        static ASSIGNMENTS: AtomicU64 = AtomicU64::new(0);
        Self {
            text: Zeroizing::new(text.into()),
            assignment: ASSIGNMENTS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The text. Whoever asks for it keeps it secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// A number that no other secret of this process has, not even a clone.
    pub(super) fn assignment(&self) -> u64 {
        self.assignment
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

/// A mail address, as the HTML standard understands one for `<input type="email">`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The text is no mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a mail address looks like `ada@example.org`")]
pub struct NotAnEmail;

impl Email {
    /// The expression of the [HTML standard](https://html.spec.whatwg.org/#valid-e-mail-address).
    pub(super) const PATTERN: &str = r"^[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$";

    /// Reads a mail address.
    ///
    /// # Errors
    ///
    /// [`NotAnEmail`] for anything else.
    pub fn parse(text: impl Into<String>) -> Result<Self, NotAnEmail> {
        #[expect(clippy::expect_used, reason = "a constant, and tested")]
        static EXPRESSION: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(Email::PATTERN).expect("the expression is a constant"));
        let text = text.into();
        if EXPRESSION.is_match(&text) {
            Ok(Self(text))
        } else {
            Err(NotAnEmail)
        }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an image is that the settings only show.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageUrl(String);

impl ImageUrl {
    /// The image at this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.expose(), "hush");
    }

    #[test]
    fn equal_secrets_are_different_assignments() {
        let secret = Secret::new("hush");
        let others = [Secret::new("hush"), secret.clone()];
        for other in &others {
            assert_eq!(*other, secret);
            assert_ne!(other.assignment(), secret.assignment());
        }
    }

    #[test]
    fn a_mail_address_is_what_the_html_standard_says() {
        for right in ["ada@example.org", "a.b+c@sub.example.co", "x@localhost"] {
            assert_eq!(Email::parse(right).unwrap().as_str(), right);
        }
        for wrong in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a b@c.de",
            "ada@-x.de",
            "ada@x..de",
        ] {
            assert_eq!(Email::parse(wrong), Err(NotAnEmail), "{wrong}");
        }
    }
}
