//! The Responses API.

use super::event_reader::EventReader;
use super::{failure, usage};
use crate::Secret;
use crate::model::{Delta, ModelError, ModelRequest, ToolCallPiece};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, VecDeque};

/// The members of a request.
pub(super) fn body(request: ModelRequest) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("input".to_owned(), request.history.into());
    if let Some(system) = request.system {
        body.insert("instructions".to_owned(), system.into());
    }
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), request.tools.into());
    }
    // The thread has the whole conversation, so the server need not keep it.
    body.insert("store".to_owned(), json!(false));
    body
}

/// The reader of events.
#[derive(Debug)]
pub(super) struct ResponsesReader {
    model: String,
    key: Option<Secret>,
    has_begun: bool,
    is_finished: bool,
    /// The calls that have arguments already.
    with_arguments: BTreeSet<usize>,
}

impl ResponsesReader {
    /// Creates a reader of an answer of this model. `key` does not occur in errors.
    pub(super) fn new(model: String, key: Option<Secret>) -> Self {
        Self {
            model,
            key,
            has_begun: false,
            is_finished: false,
            with_arguments: BTreeSet::new(),
        }
    }

    /// Adds the id and the name of a call, and its arguments unless they have arrived already.
    fn item(&mut self, event: &Value, deltas: &mut VecDeque<Delta>) {
        let item = &event["item"];
        if item["type"] != "function_call" {
            return;
        }
        let mut piece = ToolCallPiece::new(index_of(event));
        piece.id = item["call_id"].as_str().map(ToOwned::to_owned);
        piece.name = item["name"].as_str().map(ToOwned::to_owned);
        piece.arguments = self.first_arguments(piece.index, &item["arguments"]);
        deltas.push_back(Delta::ToolCall(piece));
    }

    /// Whole arguments, or nothing if the call has arguments already.
    fn first_arguments(&mut self, index: usize, arguments: &Value) -> String {
        let arguments = arguments.as_str().unwrap_or_default();
        if arguments.is_empty() || !self.with_arguments.insert(index) {
            return String::new();
        }
        arguments.to_owned()
    }

    fn failure(&self, error: &Value) -> ModelError {
        let key = self.key.as_ref().map_or("", |key| key.expose());
        failure::of_event(error, key)
    }

    fn end(&mut self, response: &Value, deltas: &mut VecDeque<Delta>) {
        self.is_finished = true;
        if response["usage"].is_object() {
            let usage = usage::of_responses(&response["usage"], &response["model"], &self.model);
            deltas.push_back(Delta::Usage(usage));
        }
    }
}

impl EventReader for ResponsesReader {
    fn read(&mut self, event: &Value, deltas: &mut VecDeque<Delta>) -> Result<(), ModelError> {
        let text = || event["delta"].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str().unwrap_or_default() {
            "response.output_text.delta" | "response.refusal.delta" => {
                deltas.push_back(Delta::Text(text()));
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                deltas.push_back(Delta::Reasoning(text()));
            }
            "response.output_item.added" | "response.output_item.done" => self.item(event, deltas),
            "response.function_call_arguments.delta" => {
                let index = index_of(event);
                self.with_arguments.insert(index);
                let piece = ToolCallPiece::new(index).arguments(text());
                deltas.push_back(Delta::ToolCall(piece));
            }
            "response.function_call_arguments.done" => {
                let index = index_of(event);
                let arguments = self.first_arguments(index, &event["arguments"]);
                let piece = ToolCallPiece::new(index).arguments(arguments);
                deltas.push_back(Delta::ToolCall(piece));
            }
            "response.completed" | "response.incomplete" => self.end(&event["response"], deltas),
            "response.failed" => return Err(self.failure(&event["response"]["error"])),
            "error" => return Err(self.failure(event)),
            _ => {}
        }
        self.has_begun |= !deltas.is_empty();
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.is_finished || !self.has_begun
    }
}

/// The place of an item in the answer.
fn index_of(event: &Value) -> usize {
    let index = event["output_index"].as_u64().unwrap_or_default();
    usize::try_from(index).unwrap_or(usize::MAX)
}
