//! Chat Completions.

use super::event_reader::EventReader;
use super::{failure, usage};
use crate::Secret;
use crate::model::{Delta, ModelError, ModelRequest, ToolCallPiece};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;

/// The members of a request.
pub(super) fn body(request: ModelRequest) -> Map<String, Value> {
    // Servers that are compatible know `system`, and not always the newer `developer`.
    let system = request
        .system
        .map(|text| json!({"role": "system", "content": text}));
    let messages: Vec<_> = system.into_iter().chain(request.history).collect();
    let mut body = Map::new();
    body.insert("messages".to_owned(), messages.into());
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), request.tools.into());
    }
    body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    body
}

/// The reader of chunks.
#[derive(Debug)]
pub(super) struct ChatReader {
    model: String,
    key: Option<Secret>,
    has_begun: bool,
    is_finished: bool,
    /// The number of calls so far, for servers that do not count them.
    calls: usize,
}

impl ChatReader {
    /// Creates a reader of an answer of this model. `key` does not occur in errors.
    pub(super) fn new(model: String, key: Option<Secret>) -> Self {
        Self {
            model,
            key,
            has_begun: false,
            is_finished: false,
            calls: 0,
        }
    }

    /// The pieces of calls in a chunk.
    fn calls(&mut self, calls: &Value, deltas: &mut VecDeque<Delta>) {
        for call in calls.as_array().into_iter().flatten() {
            let function = &call["function"];
            let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
            let name = text(&function["name"]).filter(|name| !name.is_empty());
            // Without an index, a name begins the next call.
            let next = self.calls.saturating_sub(usize::from(name.is_none()));
            let index = call["index"]
                .as_u64()
                .and_then(|index| usize::try_from(index).ok());
            let index = index.unwrap_or(next);
            self.calls = self.calls.max(index.saturating_add(1));
            let arguments = &function["arguments"];
            deltas.push_back(Delta::ToolCall(ToolCallPiece {
                index,
                id: text(&call["id"]),
                name,
                // Some servers send the arguments as an object.
                arguments: match arguments {
                    Value::Object(_) => arguments.to_string(),
                    other => text(other).unwrap_or_default(),
                },
            }));
        }
    }
}

impl EventReader for ChatReader {
    fn read(&mut self, event: &Value, deltas: &mut VecDeque<Delta>) -> Result<(), ModelError> {
        if !event["error"].is_null() {
            let key = self.key.as_ref().map_or("", |key| key.expose());
            return Err(failure::of_event(&event["error"], key));
        }
        let choice = &event["choices"][0];
        let delta = &choice["delta"];
        for name in ["reasoning_content", "reasoning"] {
            if let Some(text) = delta[name].as_str().filter(|text| !text.is_empty()) {
                deltas.push_back(Delta::Reasoning(text.to_owned()));
                break;
            }
        }
        for text in [texts(&delta["content"]), texts(&delta["refusal"])] {
            if !text.is_empty() {
                deltas.push_back(Delta::Text(text));
            }
        }
        self.calls(&delta["tool_calls"], deltas);
        self.has_begun |= !deltas.is_empty();
        self.is_finished |= choice["finish_reason"].is_string();
        let places = [&event["usage"], &choice["usage"], &event["x_groq"]["usage"]];
        if let Some(usage) = places.into_iter().find(|usage| usage.is_object()) {
            let usage = usage::of_chat(usage, &event["model"], &self.model);
            deltas.push_back(Delta::Usage(usage));
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.is_finished || !self.has_begun
    }
}

/// A text, or the texts of a list of parts.
fn texts(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}
