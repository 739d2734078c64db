//! The conversion of events, which depends on the API.

use crate::model::{Delta, ModelError};
use serde_json::Value;
use std::collections::VecDeque;

/// Converts the events of an API.
pub(super) trait EventReader: Send {
    /// Converts an event. Unknown events and members are ignored.
    fn read(&mut self, event: &Value, deltas: &mut VecDeque<Delta>) -> Result<(), ModelError>;

    /// Returns true if the answer is complete, or if nothing of it has arrived.
    fn is_complete(&self) -> bool;
}
