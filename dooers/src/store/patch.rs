//! Changes of an existing thread, event or run.

use crate::protocol::{ContentPart, Run, RunStatus, Thread, ThreadEvent};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// A change of a thread's title or metadata. Values that are not set stay unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThreadPatch {
    /// `Some(None)` removes the title.
    pub(crate) title: Option<Option<String>>,
    pub(crate) metadata: Option<Value>,
}

impl ThreadPatch {
    /// Sets the title, with at most [`MAX_TITLE_BYTES`](crate::protocol::MAX_TITLE_BYTES) bytes.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(Some(title.into()));
        self
    }

    /// Removes the title.
    #[must_use]
    pub fn without_title(mut self) -> Self {
        self.title = Some(None);
        self
    }

    /// Replaces all metadata, with at most [`MAX_METADATA_BYTES`](crate::protocol::MAX_METADATA_BYTES) bytes of JSON.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// Returns the new title, if it is set.
    #[must_use]
    pub fn new_title(&self) -> Option<&str> {
        self.title.as_ref()?.as_deref()
    }

    /// Returns `true` if the patch removes the title.
    #[must_use]
    pub fn removes_title(&self) -> bool {
        self.title == Some(None)
    }

    /// Returns the new metadata, if it is set.
    #[must_use]
    pub fn new_metadata(&self) -> Option<&Value> {
        self.metadata.as_ref()
    }

    /// Returns `true` if the patch changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns `true` if the patch changes this thread. Metadata is compared as text, because equal values may differ in
    /// the order of their members.
    pub(crate) fn changes(&self, thread: &Thread) -> bool {
        let text = |metadata: &Option<Value>| metadata.as_ref().map(Value::to_string);
        let has_new_title = self.title.as_ref().is_some_and(|new| *new != thread.title);
        has_new_title || self.metadata.is_some() && text(&self.metadata) != text(&thread.metadata)
    }

    /// Applies the patch to a thread.
    pub(crate) fn apply(self, thread: &mut Thread, at: DateTime<Utc>) {
        if let Some(title) = self.title {
            thread.title = title;
        }
        if let Some(metadata) = self.metadata {
            thread.metadata = Some(metadata);
        }
        thread.redescribed(at);
    }
}

/// A change of an event. Values that are not set stay unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventPatch {
    pub(crate) content: Option<Vec<ContentPart>>,
    pub(crate) data: Option<Value>,
}

impl EventPatch {
    /// Replaces the content by a text.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.content(vec![ContentPart::text(text)])
    }

    /// Replaces the content.
    #[must_use]
    pub fn content(mut self, content: Vec<ContentPart>) -> Self {
        self.content = Some(content);
        self
    }

    /// Replaces the data of the event's type, such as a tool's arguments or a form's elements.
    #[must_use]
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Returns the new content, if it is set.
    #[must_use]
    pub fn new_content(&self) -> Option<&[ContentPart]> {
        self.content.as_deref()
    }

    /// Returns the new data, if it is set.
    #[must_use]
    pub fn new_data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// Returns the event with the patch applied.
    pub(crate) fn apply(self, mut event: ThreadEvent) -> ThreadEvent {
        if let Some(data) = self.data {
            event.replace_data(data);
        }
        ThreadEvent {
            content: self.content.or(event.content),
            ..event
        }
    }
}

/// A change of a run's end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunPatch {
    end: Option<(RunStatus, Option<String>)>,
}

impl RunPatch {
    /// Ends the run as succeeded.
    #[must_use]
    pub fn succeeded(self) -> Self {
        self.ended(RunStatus::Succeeded, None)
    }

    /// Ends the run as failed, with an error text that clients may see.
    #[must_use]
    pub fn failed(self, error: impl Into<String>) -> Self {
        self.ended(RunStatus::Failed, Some(error.into()))
    }

    /// Ends the run as canceled.
    #[must_use]
    pub fn canceled(self) -> Self {
        self.ended(RunStatus::Canceled, None)
    }

    /// Returns the new status, if it is set.
    #[must_use]
    pub fn new_status(&self) -> Option<RunStatus> {
        self.end.as_ref().map(|(status, _)| *status)
    }

    /// Returns a mutable reference to the error text.
    pub(crate) fn error_mut(&mut self) -> Option<&mut String> {
        self.end.as_mut()?.1.as_mut()
    }

    fn ended(self, status: RunStatus, error: Option<String>) -> Self {
        Self {
            end: Some((status, error)),
        }
    }

    /// Returns the run with the patch applied. A run that had already ended keeps its `ended_at`.
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
