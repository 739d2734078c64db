//! The error of a model.

use crate::AgentError;
use crate::back_off;
use crate::protocol::timestamp;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The reason why a model did not answer, or why its answer broke off.
///
/// [`Tools::run`](crate::Tools::run) asks again after a [retryable](Self::is_retryable) error if nothing of the answer has
/// arrived yet. Its text is for the log: users see a general message.
///
/// ```
/// use dooers::model::ModelError;
/// use std::time::Duration;
///
/// let busy = ModelError::of_status(429, Some("20"), "too many requests");
/// assert!(busy.is_retryable());
/// assert_eq!(busy.retry_after(), Some(Duration::from_secs(20)));
/// assert!(!ModelError::of_status(401, None, "no key").is_retryable());
/// ```
#[derive(Debug, Clone)]
pub struct ModelError {
    text: String,
    is_retryable: bool,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ModelError {
    /// Creates an error that occurs again if the model is asked again.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_retryable: false,
            retry_after: None,
            source: None,
        }
    }

    /// Creates an error that may not occur again, such as a busy server or a broken connection.
    #[must_use]
    pub fn retryable(text: impl Into<String>) -> Self {
        Self {
            is_retryable: true,
            ..Self::new(text)
        }
    }

    /// Creates the error of an answer over HTTP: its status, the value of its header `Retry-After`, and a text that says what
    /// happened.
    ///
    /// The statuses 408, 409, 425, 429 and 5xx are retryable. `Retry-After` is a number of seconds or a time. Other values are
    /// ignored.
    #[must_use]
    pub fn of_status(status: u16, retry_after: Option<&str>, text: impl Into<String>) -> Self {
        let read = |value| back_off::retry_after(value, timestamp::now());
        Self {
            is_retryable: matches!(status, 408 | 409 | 425 | 429 | 500..=599),
            retry_after: retry_after.and_then(read),
            ..Self::new(text)
        }
    }

    /// Sets how long the model must not be asked again.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Sets the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns true if the error may not occur again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// How long the model asks not to be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Converts to the error of a handler, which is [retryable](AgentError::retryable) if this error is. The operator `?` does
    /// not keep that.
    #[must_use]
    pub fn into_agent_error(self) -> AgentError {
        if self.is_retryable {
            AgentError::retryable(self)
        } else {
            self.into()
        }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for ModelError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
