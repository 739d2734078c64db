//! The stream of OpenAI's Responses.

use super::calls::call_id;
use super::frames::named;
use super::reply::{ProviderReply, ReplyEnding, ReplyPiece};
use super::request::ProviderRequest;
use serde_json::{Value, json};

/// The events of a stream.
pub(super) fn frames(request: &ProviderRequest, reply: &ProviderReply) -> Vec<String> {
    let mut events = Events::new(request);
    events.response("response.created", "in_progress", None);
    events.response("response.in_progress", "in_progress", None);
    for piece in &reply.pieces {
        events.piece(piece);
    }
    match &reply.ending {
        ReplyEnding::Complete => {
            events.close_item();
            events.response("response.completed", "completed", Some(reply));
        }
        ReplyEnding::Error(message) => {
            let error =
                json!({"type": "error", "code": "server_error", "message": message, "param": null});
            events.push(error);
        }
        ReplyEnding::Early
        | ReplyEnding::Broken
        | ReplyEnding::Hanging
        | ReplyEnding::Refused(_) => {}
    }
    events.frames
}

/// Writes the events of a response.
struct Events<'a> {
    request: &'a ProviderRequest,
    frames: Vec<String>,
    /// The finished items.
    output: Vec<Value>,
    open: Option<Item>,
    calls: usize,
}

/// The kinds of items.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ItemKind {
    Reasoning,
    Message,
    Call { call_id: String, name: String },
}

/// The item that is being written.
struct Item {
    kind: ItemKind,
    id: String,
    text: String,
}

impl<'a> Events<'a> {
    fn new(request: &'a ProviderRequest) -> Self {
        Self {
            request,
            frames: Vec::new(),
            output: Vec::new(),
            open: None,
            calls: 0,
        }
    }

    fn piece(&mut self, piece: &ReplyPiece) {
        match piece {
            ReplyPiece::Reasoning(text) => {
                self.open_item(ItemKind::Reasoning);
                let position = json!({"summary_index": 0, "delta": text});
                self.delta("response.reasoning_summary_text.delta", text, position);
            }
            ReplyPiece::Text(text) => {
                self.open_item(ItemKind::Message);
                let position = json!({"content_index": 0, "delta": text, "logprobs": []});
                self.delta("response.output_text.delta", text, position);
            }
            ReplyPiece::Call { id, name } => {
                self.calls += 1;
                let made = || call_id(self.request, self.calls);
                let call_id = id.clone().unwrap_or_else(made);
                let name = name.clone();
                self.open_item(ItemKind::Call { call_id, name });
            }
            ReplyPiece::Arguments(text) => {
                let position = json!({"delta": text});
                self.delta("response.function_call_arguments.delta", text, position);
            }
        }
    }

    /// Opens an item, unless the open one is of this kind.
    fn open_item(&mut self, kind: ItemKind) {
        let is_open = self.open.as_ref().is_some_and(|item| item.kind == kind);
        if is_open && !matches!(kind, ItemKind::Call { .. }) {
            return;
        }
        self.close_item();
        let prefix = match kind {
            ItemKind::Reasoning => "rs",
            ItemKind::Message => "msg",
            ItemKind::Call { .. } => "fc",
        };
        let id = format!("{prefix}_{}_{}", self.request.number, self.output.len());
        let item = Item {
            kind,
            id,
            text: String::new(),
        };
        let added = json!({
            "type": "response.output_item.added",
            "output_index": self.output.len(),
            "item": item.written("in_progress"),
        });
        self.push(added);
        if let Some(part) = item.part() {
            self.part(&item, "added", &part);
        }
        self.open = Some(item);
    }

    /// Writes a piece of the open item.
    fn delta(&mut self, kind: &str, text: &str, position: Value) {
        let item = self.open.as_mut().expect("an item is open");
        item.text += text;
        let event = event_of(item, self.output.len(), kind, position);
        self.push(event);
    }

    /// Closes the open item.
    fn close_item(&mut self) {
        let Some(item) = self.open.take() else {
            return;
        };
        let (kind, position) = match &item.kind {
            ItemKind::Reasoning => (
                "response.reasoning_summary_text.done",
                json!({"summary_index": 0, "text": item.text}),
            ),
            ItemKind::Message => (
                "response.output_text.done",
                json!({"content_index": 0, "text": item.text, "logprobs": []}),
            ),
            ItemKind::Call { name, .. } => (
                "response.function_call_arguments.done",
                json!({"name": name, "arguments": item.text}),
            ),
        };
        let done = event_of(&item, self.output.len(), kind, position);
        self.push(done);
        if let Some(part) = item.part() {
            self.part(&item, "done", &part);
        }
        let written = item.written("completed");
        let done = json!({
            "type": "response.output_item.done",
            "output_index": self.output.len(),
            "item": written,
        });
        self.push(done);
        self.output.push(written);
    }

    /// Announces the only part of an item, or its end.
    fn part(&mut self, item: &Item, what: &str, part: &Value) {
        let (kind, index) = match item.kind {
            ItemKind::Reasoning => ("reasoning_summary_part", "summary_index"),
            ItemKind::Message | ItemKind::Call { .. } => ("content_part", "content_index"),
        };
        let position = json!({index: 0, "part": part});
        let kind = format!("response.{kind}.{what}");
        let event = event_of(item, self.output.len(), &kind, position);
        self.push(event);
    }

    /// Writes an event about the whole response.
    fn response(&mut self, kind: &str, status: &str, done: Option<&ProviderReply>) {
        let body = &self.request.body;
        let tools = body.get("tools").cloned().unwrap_or_else(|| json!([]));
        let usage = done.map(|reply| {
            json!({
                "input_tokens": reply.input_tokens,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": reply.output_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": reply.input_tokens + reply.output_tokens,
            })
        });
        let response = json!({
            "id": format!("resp_{}", self.request.number),
            "object": "response",
            "created_at": 1_770_000_000,
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": null,
            "instructions": body["instructions"],
            "max_output_tokens": body["max_output_tokens"],
            "model": body["model"],
            "output": self.output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "store": body["store"],
            "temperature": body["temperature"].as_f64().unwrap_or(1.0),
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": tools,
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage,
            "metadata": {},
        });
        self.push(json!({"type": kind, "response": response}));
    }

    fn push(&mut self, mut event: Value) {
        event["sequence_number"] = json!(self.frames.len());
        self.frames.push(named(&event));
    }
}

impl Item {
    /// The item as it is written.
    fn written(&self, status: &str) -> Value {
        let part = || self.part().filter(|_| !self.text.is_empty());
        let parts: Vec<_> = part().into_iter().collect();
        match &self.kind {
            ItemKind::Reasoning => {
                json!({"id": self.id, "type": "reasoning", "summary": parts})
            }
            ItemKind::Message => json!({
                "id": self.id,
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": parts,
            }),
            ItemKind::Call { call_id, name } => json!({
                "id": self.id,
                "type": "function_call",
                "status": status,
                "call_id": call_id,
                "name": name,
                "arguments": self.text,
            }),
        }
    }

    /// The only part of the item. Calls have none.
    fn part(&self) -> Option<Value> {
        match self.kind {
            ItemKind::Reasoning => Some(json!({"type": "summary_text", "text": self.text})),
            ItemKind::Message => Some(json!({
                "type": "output_text",
                "text": self.text,
                "annotations": [],
                "logprobs": [],
            })),
            ItemKind::Call { .. } => None,
        }
    }
}

/// An event about an item.
fn event_of(item: &Item, output_index: usize, kind: &str, position: Value) -> Value {
    let mut event = json!({"type": kind, "item_id": item.id, "output_index": output_index});
    if let (Some(event), Value::Object(position)) = (event.as_object_mut(), position) {
        event.extend(position);
    }
    event
}
