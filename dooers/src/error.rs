//! The error of a handler, and of a program's `main`.

use std::error::Error;
use std::fmt;

/// What `main` and handlers return: `Result<()>` unless told otherwise.
pub type Result<T = (), E = AgentError> = std::result::Result<T, E>;

/// Why a handler failed.
///
/// Any error converts into it, so `?` works on everything. Its text goes to the log; the user is shown a general
/// sentence, unless the handler wrote one for them with [`AgentError::public`].
///
/// It is itself no [`Error`], as that would forbid the conversion. Its `Debug` is the message on one line, which
/// is what Rust prints when `main` returns it.
pub struct AgentError {
    public: Option<String>,
    is_retryable: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AgentError {
    /// A failure whose text users may read.
    pub fn public(text: impl Into<String>) -> Self {
        Self {
            public: Some(text.into()),
            is_retryable: false,
            source: None,
        }
    }

    /// A failure that another attempt may not meet: a service that is busy, a connection that broke.
    ///
    /// An agent with [`retry`](macro@crate::agent#turns) then tries again after a while, as often as that says. Otherwise,
    /// and at the last attempt, it is a failure like any other.
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

    /// Whether another attempt may not meet it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// The same failure, with a text that users may read. The cause still goes to the log.
    #[must_use]
    pub fn with_public_text(mut self, text: impl Into<String>) -> Self {
        self.public = Some(text.into());
        self
    }

    /// The text that users may read, if the handler made one.
    #[must_use]
    pub fn public_text(&self) -> Option<&str> {
        self.public.as_deref()
    }

    /// The error that it was made from.
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
    fn any_error_converts_and_debug_is_its_message_on_one_line() {
        let error = parse("many").unwrap_err();
        assert_eq!(format!("{error:?}"), "invalid digit found in string");
        assert!(error.public_text().is_none());
        assert_eq!(AgentError::from("plain words").to_string(), "plain words");
    }

    #[test]
    fn a_public_text_stands_before_its_cause() {
        let error = parse("many").unwrap_err().with_public_text("Try a number.");
        assert_eq!(
            error.to_string(),
            "Try a number.: invalid digit found in string"
        );
        assert_eq!(error.public_text(), Some("Try a number."));
    }
}
