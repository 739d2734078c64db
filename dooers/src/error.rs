//! The error of handlers and of a program's `main`.

use std::error::Error;
use std::fmt;

/// The result of `main` and handlers. The defaults are `()` and [`AgentError`].
pub type Result<T = (), E = AgentError> = std::result::Result<T, E>;

/// The error of a handler.
///
/// Any error converts into it, so `?` works with every error type. The text is logged. Users see a general message,
/// unless the handler sets a text for them with [`AgentError::public`].
///
/// `AgentError` does not implement [`Error`], because that would conflict with the conversion. Its `Debug` output is
/// the message on one line, which Rust prints if `main` returns the error.
///
/// ```
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn adder(request: WorkerRequest) -> Result<String> {
///     let number: i64 = request
///         .message
///         .parse()
///         .map_err(|_| AgentError::public("Please send a number."))?;
///     Ok((number + 1).to_string())
/// }
/// ```
pub struct AgentError {
    public: Option<String>,
    is_retryable: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AgentError {
    /// Creates an error whose text is shown to users.
    pub fn public(text: impl Into<String>) -> Self {
        Self {
            public: Some(text.into()),
            is_retryable: false,
            source: None,
        }
    }

    /// Creates an error that may not occur again in another attempt, such as a busy service or a broken connection.
    ///
    /// An agent with [`retry`](macro@crate::agent#turns) then retries the turn after a delay, up to the number of
    /// times that it sets. Without `retry`, and at the last attempt, this is an error like any other.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # async fn ask_model(_: &str) -> Result<String, std::io::Error> { Ok(String::new()) }
    /// #[dooers::agent(retry = 2)]
    /// async fn support(request: WorkerRequest) -> Result<String> {
    ///     ask_model(&request.message).await.map_err(AgentError::retryable)
    /// }
    /// ```
    pub fn retryable(error: impl Into<AgentError>) -> Self {
        Self {
            is_retryable: true,
            ..error.into()
        }
    }

    /// Returns true if the turn may be retried.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// Adds a text that is shown to users. The cause is still logged.
    #[must_use]
    pub fn with_public_text(mut self, text: impl Into<String>) -> Self {
        self.public = Some(text.into());
        self
    }

    /// The text that is shown to users, if the handler set one.
    #[must_use]
    pub fn public_text(&self) -> Option<&str> {
        self.public.as_deref()
    }

    /// The error that this one was created from.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl<E> From<E> for AgentError
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn from(error: E) -> Self {
        Self {
            public: None,
            is_retryable: false,
            source: Some(error.into()),
        }
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(text) = &self.public {
            f.write_str(text)?;
            separator = ": ";
        }
        let mut cause: Option<&dyn Error> = match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        };
        while let Some(error) = cause {
            write!(f, "{separator}{error}")?;
            separator = ": ";
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<u16> {
        Ok(text.parse::<u16>()?)
    }

    #[test]
    fn debug_of_a_converted_error_is_its_message() {
        let error = parse("many").unwrap_err();
        assert_eq!(format!("{error:?}"), "invalid digit found in string");
        assert!(error.public_text().is_none());
        assert_eq!(AgentError::from("plain words").to_string(), "plain words");
    }

    #[test]
    fn public_text_is_shown_before_its_cause() {
        let error = parse("many").unwrap_err().with_public_text("Try a number.");
        assert_eq!(
            error.to_string(),
            "Try a number.: invalid digit found in string"
        );
        assert_eq!(error.public_text(), Some("Try a number."));
    }
}
