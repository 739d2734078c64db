//! The checks of an event before it is sent.

use super::event::Reply;
use crate::protocol::{
    ContentPart, EventType, Form, FormError, NotAdmitted, UploadNotFound, UsageError,
    admit_optional_json, clean_text,
};
use serde::Deserialize;

/// The reason why an event cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReplyError {
    /// The form of the event is invalid.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The content names an upload that the server does not have.
    #[error(transparent)]
    Upload(#[from] UploadNotFound),
    /// A text or JSON value of the event cannot be stored.
    #[error(transparent)]
    Content(#[from] NotAdmitted),
    /// The usage cannot be recorded.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The form has a password field, and there is no key to seal its answer.
    #[error("{0}")]
    NoKey(String),
}

impl Reply {
    /// Removes U+0000 from all texts, and refuses JSON that is nested too deeply. Must be called before
    /// [`check`](Self::check), so that the checked values are the stored ones.
    pub(crate) fn admit(&mut self) -> Result<(), NotAdmitted> {
        self.author.iter_mut().for_each(clean_text);
        let content = self.content.iter_mut().flatten();
        content.for_each(ContentPart::clean);
        admit_optional_json("data", &mut self.data)
    }

    /// Refuses events that clients cannot show. Must be called before an event is stored.
    pub(crate) fn check(&self) -> Result<(), ReplyError> {
        UploadNotFound::check(self.content())?;
        if self.kind == EventType::Form
            && let Some(data) = &self.data
            && let Ok(form) = Form::deserialize(data)
        {
            form.check()?;
        }
        Ok(())
    }
}
