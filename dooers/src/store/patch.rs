//! A change of a thread's own row.

use serde_json::Value;

/// A change of a thread's title or metadata; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThreadPatch {
    pub(crate) title: Option<String>,
    pub(crate) metadata: Option<Value>,
}

impl ThreadPatch {
    /// Sets the title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the metadata, all of it.
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
}
