//! The result of a run.

use crate::EventId;
use crate::protocol::Usage;

/// The result of [`Tools::run`](crate::Tools::run). Everything in it is already sent and recorded.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    pub(super) text: String,
    pub(super) event_id: Option<EventId>,
    pub(super) steps: usize,
    pub(super) usage: Vec<Usage>,
}

impl Completion {
    /// The text of the last step, which is the answer. Empty if the model wrote everything before its last calls.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The id of the message with this text. `None` if the text is empty.
    #[must_use]
    pub fn event_id(&self) -> Option<&EventId> {
        self.event_id.as_ref()
    }

    /// The number of times that the model answered.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The usage of each step that reported one.
    #[must_use]
    pub fn usage(&self) -> &[Usage] {
        &self.usage
    }
}
