//! A call whose result is not known.

use super::result::error_value;
use crate::handler::{Sent, ToolCall, WorkerResponse};
use serde_json::Value;

/// The result of a call that was dropped while it was running.
const INTERRUPTED: &str = "the call was interrupted; it may have had an effect";

/// The result of a call that was dropped before it was started.
const NOT_STARTED: &str = "the call was not started, because the turn ended";

/// A call that was sent, and whose result was not.
///
/// If it is dropped, for example because the turn was cancelled, a result that says so is sent. Clients then do not show
/// the call as running, and the model knows that it may have had an effect.
#[derive(Debug)]
pub(super) struct OpenCall {
    response: WorkerResponse,
    /// `None` once the result was sent.
    call: Option<ToolCall>,
    is_started: bool,
}

impl OpenCall {
    /// Sends a call.
    pub(super) fn send(response: &WorkerResponse, call: ToolCall) -> (Self, Sent) {
        let sent = response.tool_call(call.clone());
        let open = Self {
            response: response.clone(),
            call: Some(call),
            is_started: false,
        };
        (open, sent)
    }

    /// Notes that the tool is about to run.
    pub(super) fn start(&mut self) {
        self.is_started = true;
    }

    /// Sends the result.
    pub(super) fn close(mut self, result: Value) -> Option<Sent> {
        let call = self.call.take()?;
        Some(self.response.tool_result(call, result))
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else {
            return;
        };
        let text = if self.is_started {
            INTERRUPTED
        } else {
            NOT_STARTED
        };
        drop(
            self.response
                .tool_result(call, error_value(text.to_owned())),
        );
    }
}
