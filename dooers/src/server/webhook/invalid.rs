//! The reasons why a webhook cannot be used.

use crate::http::InvalidUrl;

/// Minimum length of the secret, in bytes.
pub(super) const MIN_SECRET_BYTES: usize = 16;

/// The reason why a webhook cannot be used. No text contains the URL or the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// The text is not a URL of HTTP.
    #[error("it must be a URL such as https://hooks.example.com/dooers")]
    Url,
    /// The URL contains a user or a password.
    #[error(
        "it must not contain a user or a password, because the receiver checks the signature instead; remove the part before the `@`"
    )]
    Password,
    /// The URL leaves this machine without encryption.
    #[error(
        "it must start with https://, because events contain ids of users; http:// is accepted only for localhost and loopback addresses"
    )]
    NotEncrypted,
    /// The address is private.
    #[error(
        "its address is private, and a webhook must not reach private networks by mistake; use a public address, or set WORKER_ANALYTICS_WEBHOOK_ALLOW_PRIVATE=true (`allow_private`)"
    )]
    Private,
    /// The secret is too short.
    #[error(
        "the secret must have at least {MIN_SECRET_BYTES} bytes, because the receiver recognizes the server by it; create one with `openssl rand -base64 32`"
    )]
    Secret,
}

impl From<InvalidUrl> for InvalidWebhook {
    fn from(invalid: InvalidUrl) -> Self {
        match invalid {
            InvalidUrl::NotHttp => Self::Url,
            InvalidUrl::Password => Self::Password,
            InvalidUrl::NotEncrypted => Self::NotEncrypted,
            InvalidUrl::Private => Self::Private,
        }
    }
}
