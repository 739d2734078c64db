//! An `AgentError` as a type that implements `Error`.

use super::AgentError;
use std::error::Error;
use std::fmt;

/// An `AgentError` as a type that implements `Error`.
#[derive(Debug)]
pub(crate) struct AsError(AgentError);

impl AsError {
    pub(crate) fn agent_error(&self) -> &AgentError {
        &self.0
    }

    pub(crate) fn into_agent_error(self) -> AgentError {
        self.0
    }
}

impl From<AgentError> for AsError {
    fn from(error: AgentError) -> Self {
        Self(error)
    }
}

impl fmt::Display for AsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.public_text(), self.0.source()) {
            (Some(text), _) => f.write_str(text),
            (None, Some(source)) => fmt::Display::fmt(source, f),
            (None, None) => Ok(()),
        }
    }
}

impl Error for AsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.source()?;
        match self.0.public_text() {
            Some(_) => Some(source),
            // The text of this error is that of its source.
            None => source.source(),
        }
    }
}
