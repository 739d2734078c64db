//! The execution of one call of a tool.

use super::arguments::{MAX_DEPTH, fits_event};
use super::{DynamicTool, ToolOutput};
use crate::error::panic_text;
use crate::protocol::{JsonMisfit, json_bytes};
use crate::text::split_at_bytes;
use crate::{AgentError, Turn};
use futures::FutureExt;
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use tokio::time::timeout;

/// Maximum size of a result: the length of its JSON without white space, in bytes.
pub const MAX_RESULT_BYTES: usize = 512 * 1024;

/// The text of an error that has no text for users.
pub(super) const FAILED: &str = "the tool failed";

/// Maximum length of the text of an error, in bytes.
const MAX_ERROR_BYTES: usize = 4096;

/// Runs a tool with its time limit. The error is a text for the model; the log gets the error in full.
pub(super) async fn run(
    tool: &DynamicTool,
    turn: &Turn,
    arguments: Value,
) -> Result<Value, String> {
    let limit = tool.timeout();
    let running = async {
        // The call of the handler and the drop of its future are inside, because both may panic.
        let handled = (tool.handler())(turn.clone(), arguments);
        match limit {
            Some(limit) => timeout(limit, handled).await.ok(),
            None => Some(handled.await),
        }
    };
    match AssertUnwindSafe(running).catch_unwind().await {
        Ok(Some(Ok(output))) => checked(output),
        Ok(Some(Err(error))) => {
            log(tool, turn, &error.to_string());
            Err(text_for_model(&error))
        }
        Ok(None) => {
            log(tool, turn, "the tool took longer than its time limit");
            Err(format!(
                "the tool took longer than its time limit of {:?} and was stopped; it may have had an effect",
                limit.unwrap_or_default()
            ))
        }
        Err(panic) => {
            log(tool, turn, &panic_text("the tool", panic));
            Err(FAILED.to_owned())
        }
    }
}

/// Logs the failure of a tool. The text of an error may be logged, like those of handlers.
pub(super) fn log(tool: &DynamicTool, turn: &Turn, error: &str) {
    let event_id = turn.request().event_id.as_str();
    tracing::error!(target: "dooers::tool", tool = tool.name(), event_id, error, "a tool failed");
}

fn text_for_model(error: &AgentError) -> String {
    let text = error.public_text().unwrap_or(FAILED);
    match split_at_bytes(text, MAX_ERROR_BYTES) {
        (whole, "") => whole.to_owned(),
        (start, _) => format!("{start}…"),
    }
}

/// The value of an output, if it can be stored.
fn checked(output: ToolOutput) -> Result<Value, String> {
    let mut value = output.into_value();
    fits_event(&mut value).map_err(|misfit| {
        let reason = match misfit {
            JsonMisfit::TooDeep => format!("it is nested deeper than {MAX_DEPTH} levels"),
            JsonMisfit::SameName(_) => {
                "two of its members have names that differ only in U+0000".to_owned()
            }
        };
        format!("the result of the tool cannot be used, because {reason}")
    })?;
    let is = json_bytes(&value);
    if is > MAX_RESULT_BYTES {
        return Err(format!(
            "the result of the tool is {is} bytes long; at most {MAX_RESULT_BYTES} are allowed; ask for less"
        ));
    }
    Ok(value)
}
