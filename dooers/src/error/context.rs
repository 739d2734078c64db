//! Contexts of errors.

use super::AgentError;
use std::fmt::Display;

/// Adds a text to an error that says which step failed. It is implemented for `Result`s, whose error becomes an
/// [`AgentError`], and for `Option`s, whose `None` becomes an error with this text.
///
/// The text is for the log. Users do not see it. A [public text](AgentError::public) of the error and its
/// [retryability](AgentError::is_retryable) are kept.
///
/// ```
/// use dooers::prelude::*;
///
/// fn price(text: &str) -> Result<u32> {
///     let (_, amount) = text.split_once(' ').context("the price has no currency")?;
///     amount.parse().with_context(|| format!("`{text}` is not a price"))
/// }
///
/// assert_eq!(price("EUR 12").unwrap(), 12);
/// assert_eq!(price("EUR").unwrap_err().to_string(), "the price has no currency");
/// let error = price("EUR x").unwrap_err();
/// assert_eq!(error.to_string(), "`EUR x` is not a price: invalid digit found in string");
/// ```
///
/// In a file that also imports `anyhow::Context`, that import hides this trait of the prelude, and the methods are
/// those of `anyhow`.
pub trait Context<T> {
    /// Adds this text.
    ///
    /// # Errors
    ///
    /// The same error with the text before it, or an error with only this text instead of `None`.
    fn context(self, text: impl Display) -> Result<T, AgentError>;

    /// Adds the text that the function returns. The function is called only if there is an error.
    ///
    /// # Errors
    ///
    /// The same as for [`context`](Self::context).
    fn with_context<D: Display>(self, text: impl FnOnce() -> D) -> Result<T, AgentError>;
}

impl<T, E: Into<AgentError>> Context<T> for Result<T, E> {
    fn context(self, text: impl Display) -> Result<T, AgentError> {
        self.map_err(|error| error.into().context(text))
    }

    fn with_context<D: Display>(self, text: impl FnOnce() -> D) -> Result<T, AgentError> {
        self.map_err(|error| error.into().context(text()))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, text: impl Display) -> Result<T, AgentError> {
        self.ok_or_else(|| AgentError::from(text.to_string()))
    }

    fn with_context<D: Display>(self, text: impl FnOnce() -> D) -> Result<T, AgentError> {
        self.ok_or_else(|| AgentError::from(text().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn context_is_before_the_cause() {
        let failed: Result<(), _> = Err(io::Error::other("disk full"));
        let error = failed.context("cannot save").context("step 2").unwrap_err();
        assert_eq!(error.to_string(), "step 2: cannot save: disk full");
        let mut cause = error.source().map(|error| error as &dyn std::error::Error);
        let io = std::iter::from_fn(|| {
            let error = cause?;
            cause = error.source();
            Some(error)
        });
        assert!(io.last().unwrap().is::<io::Error>());
    }

    #[test]
    fn context_keeps_the_public_text_and_the_retry() {
        let busy = AgentError::retryable("busy").with_public_text("Later.");
        let error = Err::<(), _>(busy).context("asking the model").unwrap_err();
        assert_eq!(error.to_string(), "Later.: asking the model: busy");
        assert_eq!(error.public_text(), Some("Later."));
        assert!(error.is_retryable());
        let public = AgentError::public("Try a number.").context("parsing");
        assert_eq!(public.to_string(), "Try a number.: parsing");
    }

    #[test]
    fn context_of_a_success_is_not_formatted() {
        let right: Result<u8, io::Error> = Ok(1);
        assert_eq!(
            right.with_context(|| -> String { unreachable!() }).unwrap(),
            1
        );
        assert_eq!(
            Some(1)
                .with_context(|| -> String { unreachable!() })
                .unwrap(),
            1
        );
        let none: Option<u8> = None;
        assert_eq!(none.context("nothing").unwrap_err().to_string(), "nothing");
    }
}
