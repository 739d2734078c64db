//! Changes of what is there: a thread's own row, an event, a run.

use crate::protocol::{ContentPart, Run, RunStatus, Thread, ThreadEvent};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// A change of a thread's title or metadata; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThreadPatch {
    pub(crate) title: Option<String>,
    pub(crate) metadata: Option<Value>,
}

impl ThreadPatch {
    /// Sets the title, of at most [`MAX_TITLE_BYTES`](crate::protocol::MAX_TITLE_BYTES).
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the metadata, all of it: at most [`MAX_METADATA_BYTES`](crate::protocol::MAX_METADATA_BYTES) of JSON.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// The new title.
    #[must_use]
    pub fn new_title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The new metadata.
    #[must_use]
    pub fn new_metadata(&self) -> Option<&Value> {
        self.metadata.as_ref()
    }

    /// Whether it changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Makes a thread of what it is then.
    pub(crate) fn apply(self, thread: &mut Thread, at: DateTime<Utc>) {
        if let Some(title) = self.title {
            thread.title = Some(title);
        }
        if let Some(metadata) = self.metadata {
            thread.metadata = Some(metadata);
        }
        thread.redescribed(at);
    }
}

/// A change of an event; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventPatch {
    pub(crate) content: Option<Vec<ContentPart>>,
    pub(crate) data: Option<Value>,
}

impl EventPatch {
    /// Replaces what it says by a text.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.content(vec![ContentPart::text(text)])
    }

    /// Replaces what it says.
    #[must_use]
    pub fn content(mut self, content: Vec<ContentPart>) -> Self {
        self.content = Some(content);
        self
    }

    /// Replaces what belongs to its kind: a tool's arguments, a form's elements.
    #[must_use]
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// The new content.
    #[must_use]
    pub fn new_content(&self) -> Option<&[ContentPart]> {
        self.content.as_deref()
    }

    /// The new data.
    #[must_use]
    pub fn new_data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// The event as it is then.
    pub(crate) fn apply(self, event: ThreadEvent) -> ThreadEvent {
        ThreadEvent {
            content: self.content.or(event.content),
            data: self.data.or(event.data),
            ..event
        }
    }
}

/// The end of a run, or another one than it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunPatch {
    end: Option<(RunStatus, Option<String>)>,
}

impl RunPatch {
    /// It did what it should.
    #[must_use]
    pub fn succeeded(self) -> Self {
        self.ended(RunStatus::Succeeded, None)
    }

    /// It failed, for a reason in words that may be shown.
    #[must_use]
    pub fn failed(self, error: impl Into<String>) -> Self {
        self.ended(RunStatus::Failed, Some(error.into()))
    }

    /// Somebody stopped it.
    #[must_use]
    pub fn canceled(self) -> Self {
        self.ended(RunStatus::Canceled, None)
    }

    /// How it ends, if that changes.
    #[must_use]
    pub fn new_status(&self) -> Option<RunStatus> {
        self.end.as_ref().map(|(status, _)| *status)
    }

    /// Why it failed, to be changed.
    pub(crate) fn error_mut(&mut self) -> Option<&mut String> {
        self.end.as_mut()?.1.as_mut()
    }

    fn ended(self, status: RunStatus, error: Option<String>) -> Self {
        Self {
            end: Some((status, error)),
        }
    }

    /// The run as it is then. One that had ended before keeps its time.
    pub(crate) fn apply(self, run: Run, at: DateTime<Utc>) -> Run {
        match self.end {
            None => run,
            Some((status, error)) => Run {
                status,
                error,
                ended_at: run.ended_at.or(Some(at)),
                ..run
            },
        }
    }
}
