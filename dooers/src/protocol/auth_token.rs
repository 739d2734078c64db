//! Tokens of clients.

use serde::Deserialize;
use std::fmt;
use zeroize::Zeroizing;

/// A token that a client sends as proof of its identity. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
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

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(..)")
    }
}
