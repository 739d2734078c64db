//! Encryption of connections and verification of servers.

use sqlx::postgres::PgSslMode;
use std::str::FromStr;

/// The mode of encryption, and the way in which the server must prove its identity.
///
/// ```
/// use dooers::store::SslMode;
///
/// assert_eq!("verify-ca".parse(), Ok(SslMode::VerifyCa));
/// assert_eq!("on".parse(), Ok(SslMode::VerifyFull));
/// assert_eq!("off".parse(), Ok(SslMode::Disable));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslMode {
    /// The connection is never encrypted.
    Disable,
    /// The same as [`Prefer`](SslMode::Prefer): the connection is encrypted if the server supports it.
    Allow,
    /// The connection is encrypted if the server supports it. The server's identity is not verified.
    Prefer,
    /// The connection is encrypted. With a root certificate, the server's certificate must be issued by it, as with
    /// [`VerifyCa`](SslMode::VerifyCa).
    Require,
    /// The connection is encrypted, and the server's certificate must be issued by the root certificate or a public
    /// authority.
    VerifyCa,
    /// As [`VerifyCa`](SslMode::VerifyCa), and the certificate must be valid for the host name.
    VerifyFull,
}

impl SslMode {
    /// The accepted texts.
    pub(crate) const ALLOWED: &'static str = "one of disable, allow, prefer, require, verify-ca, verify-full, or true, false, 1, 0, yes, no, on, off, of which true means verify-full";

    pub(super) fn for_sqlx(self) -> PgSslMode {
        match self {
            Self::Disable => PgSslMode::Disable,
            // sqlx's own `Allow` never encrypts, and so fails where the server insists.
            Self::Allow | Self::Prefer => PgSslMode::Prefer,
            Self::Require => PgSslMode::Require,
            Self::VerifyCa => PgSslMode::VerifyCa,
            Self::VerifyFull => PgSslMode::VerifyFull,
        }
    }
}

/// The error for a text that is not an [`SslMode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {}", SslMode::ALLOWED)]
pub struct InvalidSslMode {
    text: String,
}

impl FromStr for SslMode {
    type Err = InvalidSslMode;

    fn from_str(text: &str) -> Result<Self, InvalidSslMode> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "disable" | "false" | "0" | "no" | "off" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" | "true" | "1" | "yes" | "on" => Self::VerifyFull,
            _ => {
                return Err(InvalidSslMode {
                    text: text.chars().take(20).collect(),
                });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_and_the_names_of_postgresql_are_modes() {
        let table = [
            (SslMode::Disable, "disable false 0 no off OFF"),
            (SslMode::Allow, "allow"),
            (SslMode::Prefer, "prefer Prefer"),
            (SslMode::Require, "require"),
            (SslMode::VerifyCa, "verify-ca"),
            (SslMode::VerifyFull, "verify-full true 1 yes on TRUE"),
        ];
        for (mode, texts) in table {
            for text in texts.split(' ') {
                assert_eq!(text.parse(), Ok(mode), "{text}");
            }
        }
    }

    #[test]
    fn ssl_mode_unknown_error_lists_the_allowed_ones() {
        for text in ["", "verify", "verify_full", "2", "prefer "] {
            let error = text.parse::<SslMode>().unwrap_err().to_string();
            assert!(error.contains("verify-ca, verify-full"), "{error}");
        }
    }
}
