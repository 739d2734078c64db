//! The error of handlers and of a program's `main`.

use super::as_error::AsError;
use super::send_error::SendError;
use std::error::Error;
use std::fmt;
use std::iter::successors;

/// The result of `main` and handlers. The defaults are `()` and [`AgentError`].
pub type Result<T = (), E = AgentError> = std::result::Result<T, E>;

/// The error of a handler.
///
/// Any error converts into it, so `?` works with every error type. The text is logged. Users see a general message,
/// unless the handler sets a text for them with [`AgentError::public`].
///
/// `AgentError` does not implement [`Error`], because that would conflict with the conversion.
/// [`into_error`](AgentError::into_error) converts it to a type that does. Its `Debug` output is the message on one line,
/// which Rust prints if `main` returns the error.
///
/// [`bail!`](crate::bail), [`ensure!`](crate::ensure) and [`Context`](crate::Context) create and describe errors.
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

    /// Adds a text that says which step failed. It is for the log: users see only the public text.
    ///
    /// [`Context::context`](crate::Context::context) is the same for a `Result`.
    #[must_use]
    pub fn context(self, text: impl fmt::Display) -> Self {
        let context = ErrorContext {
            text: text.to_string(),
            source: self.source,
        };
        Self {
            source: Some(Box::new(context)),
            ..self
        }
    }

    /// Converts to an error that implements [`Error`], for functions with another error type. If that error becomes the
    /// error of a handler, the public text and the retryability of this error still apply.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use std::error::Error;
    ///
    /// fn price() -> Result<u32> {
    ///     Err(AgentError::public("The shop is closed."))
    /// }
    ///
    /// fn total() -> Result<u32, Box<dyn Error + Send + Sync>> {
    ///     Ok(2 * price().map_err(AgentError::into_error)?)
    /// }
    ///
    /// let error = AgentError::from(total().unwrap_err());
    /// assert_eq!(error.public_text(), Some("The shop is closed."));
    /// ```
    #[must_use]
    pub fn into_error(self) -> impl Error + Send + Sync + 'static {
        AsError::from(self)
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

    /// The error that this one was created from. If a [context](AgentError::context) was added, it is the context,
    /// and its source is the error.
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
        let source: Box<dyn Error + Send + Sync> = error.into();
        match unwrapped(source) {
            Ok(error) => error,
            Err(source) => {
                let inner = carried(&*source);
                Self {
                    public: inner.and_then(|inner| inner.public.clone()),
                    is_retryable: inner.is_some_and(AgentError::is_retryable),
                    source: Some(source),
                }
            }
        }
    }
}

/// Returns the `AgentError` that this error stands for, or else the error itself.
fn unwrapped(
    source: Box<dyn Error + Send + Sync>,
) -> Result<AgentError, Box<dyn Error + Send + Sync>> {
    let source = match source.downcast::<AsError>() {
        Ok(error) => return Ok(error.into_agent_error()),
        Err(source) => source,
    };
    let sent = source.downcast::<SendError>()?;
    sent.into_stream_error().map_err(Into::into)
}

/// The first `AgentError` in the chain of sources, which other error types wrapped.
fn carried<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a AgentError> {
    let chain = successors(Some(error), |error| (*error).source());
    let mut found = chain.filter_map(|error| error.downcast_ref::<AsError>());
    found.next().map(AsError::agent_error)
}

/// A text that describes an error.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct ErrorContext {
    text: String,
    source: Option<Box<dyn Error + Send + Sync>>,
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
    fn error_survives_the_conversion_to_another_type() {
        #[derive(Debug, thiserror::Error)]
        #[error("report failed")]
        struct ReportError(#[source] Box<dyn Error + Send + Sync>);

        let busy = || AgentError::retryable("busy").with_public_text("Later.");
        let direct = AgentError::from(busy().into_error());
        assert_eq!(direct.to_string(), "Later.: busy");
        assert_eq!(direct.source().unwrap().to_string(), "busy");
        let wrapped = AgentError::from(ReportError(Box::new(busy().into_error())));
        assert_eq!(wrapped.to_string(), "Later.: report failed: Later.: busy");
        for error in [direct, wrapped] {
            assert!(error.is_retryable());
            assert_eq!(error.public_text(), Some("Later."));
        }
        let plain = AgentError::from(ReportError(Box::new(AgentError::from("no").into_error())));
        assert_eq!(plain.to_string(), "report failed: no");
        assert!(!plain.is_retryable() && plain.public_text().is_none());
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
