//! The replies to forms that handlers ask.

use super::FormResponse;
use serde_json::Value;

/// The reply to a form that a handler asked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FormReply {
    /// A user has answered the form. The values fit the form.
    Answered(FormResponse),
    /// A user has cancelled the form.
    Dismissed,
    /// Nobody has answered in time, or the program has removed the form.
    Expired,
}

impl FormReply {
    /// Creates an answer for a unit test: see [`Recorder::answer`](crate::Recorder::answer). `values` contains the answers by
    /// the names of the form's elements.
    pub fn answered(values: impl Into<Value>) -> Self {
        Self::Answered(FormResponse::of_values(values.into()))
    }

    /// The answer, if there is one.
    #[must_use]
    pub fn response(&self) -> Option<&FormResponse> {
        match self {
            Self::Answered(response) => Some(response),
            Self::Dismissed | Self::Expired => None,
        }
    }
}
