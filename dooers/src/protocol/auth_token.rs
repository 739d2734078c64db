//! Tokens of clients.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;
use zeroize::Zeroizing;

/// A token that a client sends as proof of its identity. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AuthToken(Zeroizing<String>);

impl AuthToken {
    /// Returns the token itself. It must not be logged or stored.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for AuthToken {
    fn from(token: String) -> Self {
        Self(Zeroizing::new(token))
    }
}

impl From<&str> for AuthToken {
    fn from(token: &str) -> Self {
        token.to_owned().into()
    }
}

impl<'de> Deserialize<'de> for AuthToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(token) => Ok(token.into()),
            // The errors of serde would quote the value.
            _ => Err(D::Error::custom("a token must be a text")),
        }
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_shown_by_no_error_and_no_debug_output() {
        let read = |json: &str| serde_json::from_str::<AuthToken>(json);
        assert_eq!(read(r#""s3cret""#).unwrap().as_str(), "s3cret");
        assert_eq!(format!("{:?}", AuthToken::from("s3cret")), "AuthToken(..)");
        for json in ["12345678", "[\"s3cret\"]", "{\"s3cret\": 1}", "true"] {
            assert_eq!(
                read(json).unwrap_err().to_string(),
                "a token must be a text"
            );
        }
    }
}
