//! Types of settings that the standard library does not have.

use super::formats;
pub use crate::secret::Secret;
use regex::Regex;
use std::fmt;
use std::sync::LazyLock;

/// An email address, as the HTML standard defines it for `<input type="email">`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The error for a text that is not an email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an email address looks like `ada@example.org`")]
#[non_exhaustive]
pub struct InvalidEmail;

impl Email {
    /// The expression of the [HTML standard](https://html.spec.whatwg.org/#valid-e-mail-address).
    pub(super) const PATTERN: &str = r"^[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$";

    /// Parses an email address.
    ///
    /// # Errors
    ///
    /// [`InvalidEmail`] for any other text.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidEmail> {
        #[expect(clippy::expect_used, reason = "a constant, and tested")]
        static EXPRESSION: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(Email::PATTERN).expect("the expression is a constant"));
        let text = text.into();
        if EXPRESSION.is_match(&text) {
            Ok(Self(text))
        } else {
            Err(InvalidEmail)
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

/// The URL of an image that the settings only display.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageUrl(String);

impl ImageUrl {
    /// Creates the URL of an image.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL.
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

/// Defines a text with a format.
macro_rules! formatted_text {
    ($(#[$docs:meta])* $name:ident, $error:ident, $message:literal, $is_valid:expr, $stored:expr) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        #[doc = concat!("The error for a text that is not a [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error($message)]
        #[non_exhaustive]
        pub struct $error;

        impl $name {
            /// Parses the text.
            ///
            /// # Errors
            ///
            /// An error that describes the format, for any other text.
            pub fn parse(text: impl Into<String>) -> Result<Self, $error> {
                let text = text.into();
                if $is_valid(&text) { Ok(Self($stored(text))) } else { Err($error) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

formatted_text!(
    /// An absolute address with the scheme `http` or `https`. It has no user name and no password.
    ///
    /// ```
    /// use dooers::settings::HttpUrl;
    ///
    /// assert_eq!(HttpUrl::parse("https://example.org/a")?.as_str(), "https://example.org/a");
    /// assert!(HttpUrl::parse("example.org").is_err());
    /// # Ok::<(), dooers::settings::InvalidHttpUrl>(())
    /// ```
    HttpUrl, InvalidHttpUrl,
    "an address looks like `https://example.org/`, without a user name and a password",
    formats::is_http_url,
    std::convert::identity
);

formatted_text!(
    /// A color of red, green and blue, each with two hexadecimal digits. It is kept in lower case.
    ///
    /// ```
    /// use dooers::settings::Color;
    ///
    /// assert_eq!(Color::parse("#FF8000")?.as_str(), "#ff8000");
    /// assert!(Color::parse("orange").is_err());
    /// # Ok::<(), dooers::settings::InvalidColor>(())
    /// ```
    Color, InvalidColor,
    "a color looks like `#ff8000`",
    formats::is_color,
    formats::color_text
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_hidden_in_debug_output() {
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
    fn email_follows_the_html_standard() {
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
            assert_eq!(Email::parse(wrong), Err(InvalidEmail), "{wrong}");
        }
    }
}
