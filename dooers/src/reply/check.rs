//! Rules that an event must keep before it is sent.

use super::event::Reply;
use crate::protocol::{
    ContentPart, EventType, Form, FormError, NotAdmitted, UploadNotFound, admit_optional_json,
    clean_text,
};
use serde::Deserialize;

/// Why an event cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReplyError {
    /// Its form makes no sense.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Its content names an upload that the server does not have.
    #[error(transparent)]
    Upload(#[from] UploadNotFound),
    /// Its text or JSON may not enter a store.
    #[error(transparent)]
    Content(#[from] NotAdmitted),
    /// Its form has a password field, and there is no key to seal what is typed there.
    #[error("{0}")]
    NoKey(String),
}

impl Reply {
    /// Removes U+0000 from all texts, and refuses JSON that is nested too deep. Each way of sending an event asks this
    /// before it checks the event, so that what is checked is what is stored.
    pub(crate) fn admit(&mut self) -> Result<(), NotAdmitted> {
        self.author.iter_mut().for_each(clean_text);
        let content = self.content.iter_mut().flatten();
        content.for_each(ContentPart::clean);
        admit_optional_json("data", &mut self.data)
    }

    /// Refuses what clients could not show. Each way of sending an event asks this before it is stored.
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
