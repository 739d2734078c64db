//! The reasons why a URL cannot be used.

/// The reason why a URL cannot be used. The users of the client describe it in their own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidUrl {
    /// The text is not a URL of HTTP.
    NotHttp,
    /// The URL contains a user or a password.
    Password,
    /// The URL leaves this machine without encryption.
    NotEncrypted,
    /// The address is private.
    Private,
}
