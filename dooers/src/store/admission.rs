//! The checks that every value from clients, handlers and programs passes before it enters a store.
//!
//! The rules are in [`protocol`](crate::protocol). This module applies them to each type that is stored, so that every
//! store gets the same values. By the same rules, the outbox admits what a handler sends, and
//! [`LiveSettings`](crate::settings::LiveSettings) admits settings.

use super::{NewFeedback, NewMessage, NewThread, StoreError, ThreadDraft, ThreadEdit};
use crate::protocol::{
    ContentPart, EventType, NotAdmitted, Run, ThreadEvent, admit_explanation, admit_metadata,
    admit_optional_json, admit_title, check_id, clean_text, is_blank,
};
use crate::store::{EventPatch, Scope, ThreadPatch};

/// A value that may enter a store.
#[derive(Debug, Clone)]
pub(crate) struct Admitted<T>(T);

impl<T: Admit> Admitted<T> {
    /// Cleans and checks a value.
    pub(crate) fn new(mut value: T) -> Result<Self, NotAdmitted> {
        value.admit()?;
        Ok(Self(value))
    }
}

impl<T> Admitted<T> {
    pub(crate) fn get(&self) -> &T {
        &self.0
    }

    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

/// A type whose values are cleaned and checked on their way into a store.
pub(crate) trait Admit {
    /// Removes U+0000 from all texts, and checks ids, JSON and sizes. After an error, the value is partly cleaned and
    /// must be dropped.
    fn admit(&mut self) -> Result<(), NotAdmitted>;
}

impl Admit for NewMessage {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        let data = admit_optional_json("data", &mut self.data);
        let thread = match &mut self.thread {
            super::ThreadTarget::Existing(id) => check_id("thread_id", id),
            super::ThreadTarget::New(thread) | super::ThreadTarget::ExistingOrNew(thread) => {
                thread.admit()
            }
        };
        data.and(thread)?;
        let client_event_id = self.client_event_id.as_deref();
        check_id("client_event_id", client_event_id.unwrap_or_default())?;
        self.user.admit()?;
        self.content.iter_mut().for_each(ContentPart::clean);
        if self.kind == EventType::Message && is_blank(&self.content) {
            return Err(NotAdmitted::new("content", BLANK));
        }
        Ok(())
    }
}

const BLANK: &str = "is blank; a message needs a text with a visible character, or an image, audio or document with a `url`";

impl Admit for NewFeedback {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        check_id("target_id", self.target.id())?;
        check_id("user_id", &self.user_id)?;
        admit_explanation(&mut self.reason, &mut self.classification)
    }
}

impl Admit for NewThread {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        admit_metadata(&mut self.metadata)?;
        admit_title(&mut self.title)?;
        check_id("thread_id", &self.id)
    }
}

impl Admit for ThreadDraft {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        self.thread.admit()?;
        self.owner.admit()
    }
}

impl Admit for ThreadEdit {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        match self {
            Self::Patch { patch, .. } => patch.admit(),
            Self::CreateEvent(event) => event.admit(),
            Self::UpdateEvent { patch, .. } => patch.admit(),
            Self::CreateRun(run) => run.admit(),
            Self::UpdateRun { patch, .. } => {
                patch.error_mut().map(clean_text);
                Ok(())
            }
            Self::RemoveEvent { .. } | Self::RemoveRun(_) => Ok(()),
        }
    }
}

impl Admit for ThreadPatch {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        let title = self.title.as_mut().map_or(Ok(()), admit_title);
        admit_metadata(&mut self.metadata).and(title)
    }
}

impl Admit for EventPatch {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        let content = self.content.iter_mut().flatten();
        content.for_each(ContentPart::clean);
        admit_optional_json("data", &mut self.data)
    }
}

impl Admit for ThreadEvent {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        admit_optional_json("data", &mut self.data)?;
        check_id("id", &self.id)?;
        if let Some(user) = &mut self.user {
            user.admit()?;
        }
        self.author.iter_mut().for_each(clean_text);
        let content = self.content.iter_mut().flatten();
        content.for_each(ContentPart::clean);
        Ok(())
    }
}

impl Admit for Run {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        check_id("id", &self.id)?;
        self.agent_id.iter_mut().for_each(clean_text);
        self.error.iter_mut().for_each(clean_text);
        Ok(())
    }
}

impl Admit for Scope {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        check_id("worker_id", &self.worker_id)?;
        check_id("organization_id", &self.organization_id)?;
        check_id("workspace_id", &self.workspace_id)
    }
}

impl From<NotAdmitted> for StoreError {
    fn from(refused: NotAdmitted) -> Self {
        Self::Invalid(refused.to_string())
    }
}
