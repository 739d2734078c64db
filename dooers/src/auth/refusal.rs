//! The refusal of an authenticator.

use crate::protocol::{ErrorBody, ErrorCode};
use std::fmt;
use std::time::Duration;

/// The delay after which a client may try again if the authenticator states none.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The refusal of an [`Authenticator`](super::Authenticator).
///
/// ```
/// use dooers::auth::Refusal;
///
/// let refusal = Refusal::unauthorized("the token has expired; log in again");
/// assert_eq!(refusal.to_string(), "the token has expired; log in again");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Unauthorized(String),
    Unavailable { text: String, retry_after: Duration },
}

impl Refusal {
    /// Refuses the client, which is answered with `UNAUTHORIZED` and this text. The text should state the way out. It must
    /// not contain the token.
    pub fn unauthorized(text: impl Into<String>) -> Self {
        Self(Kind::Unauthorized(text.into()))
    }

    /// Refuses a client that sent no token.
    pub(crate) fn no_token() -> Self {
        Self::unauthorized(
            "this server requires a token; log in, and send the token as `auth_token` in `connect`",
        )
    }

    /// Reports that nobody can be authenticated now, for example because a database does not answer. The client is answered
    /// with `OVERLOADED` and this text, and may try again.
    pub fn unavailable(text: impl Into<String>) -> Self {
        Self(Kind::Unavailable {
            text: text.into(),
            retry_after: RETRY_AFTER,
        })
    }

    /// Reports that the authenticator failed.
    pub(crate) fn cannot_authenticate() -> Self {
        Self::unavailable("the server cannot authenticate clients now; try again later")
    }

    /// Sets the delay after which the client may try again. It is 1 s by default. A refusal as
    /// [`unauthorized`](Self::unauthorized) has none.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        if let Kind::Unavailable { retry_after, .. } = &mut self.0 {
            *retry_after = delay;
        }
        self
    }

    /// The answer to the client.
    pub(crate) fn into_answer(self) -> ErrorBody {
        match self.0 {
            Kind::Unauthorized(text) => ErrorBody::new(ErrorCode::Unauthorized, text),
            Kind::Unavailable { text, retry_after } => {
                ErrorBody::new(ErrorCode::Overloaded, text).after(retry_after)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Kind::Unauthorized(text) | Kind::Unavailable { text, .. }) = &self.0;
        f.write_str(text)
    }
}

impl std::error::Error for Refusal {}
