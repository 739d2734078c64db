//! The writer of one format.

use crate::history::ChatMessage;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt::Debug;

/// Writes messages one after the other, in the format of one API.
pub(super) trait FormatWriter: Debug + Send {
    /// Writes a message. A writer may hold parts of it back until it has seen the next message.
    fn write(&mut self, message: &ChatMessage, out: &mut VecDeque<Value>);

    /// Writes everything that was held back.
    fn finish(&mut self, out: &mut VecDeque<Value>) {
        let _ = out;
    }
}
