//! The stream of Anthropic's Messages.

use super::calls::call_id;
use super::failure::error_body;
use super::frames::named;
use super::reply::{ProviderReply, ReplyEnding, ReplyPiece};
use super::request::ProviderRequest;
use serde_json::{Value, json};

/// The events of a stream.
pub(super) fn frames(request: &ProviderRequest, reply: &ProviderReply) -> Vec<String> {
    let mut blocks = Blocks::default();
    blocks.push(&json!({
        "type": "message_start",
        "message": {
            "id": format!("msg_{}", request.number),
            "type": "message",
            "role": "assistant",
            "model": request.body["model"],
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": {
                "input_tokens": reply.input_tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 1,
                "service_tier": "standard",
            },
        },
    }));
    blocks.push(&json!({"type": "ping"}));
    let mut calls = 0;
    for piece in &reply.pieces {
        match piece {
            ReplyPiece::Reasoning(text) => {
                blocks.continue_with(
                    "thinking",
                    || json!({"type": "thinking", "thinking": "", "signature": ""}),
                );
                blocks.delta(&json!({"type": "thinking_delta", "thinking": text}));
            }
            ReplyPiece::Text(text) => {
                blocks.continue_with("text", || json!({"type": "text", "text": ""}));
                blocks.delta(&json!({"type": "text_delta", "text": text}));
            }
            ReplyPiece::Call { id, name } => {
                calls += 1;
                let id = id.clone().unwrap_or_else(|| call_id(request, calls));
                blocks.begin(&json!({"type": "tool_use", "id": id, "name": name, "input": {}}));
                blocks.delta(&json!({"type": "input_json_delta", "partial_json": ""}));
            }
            ReplyPiece::Arguments(text) => {
                blocks.delta(&json!({"type": "input_json_delta", "partial_json": text}));
            }
        }
    }
    match &reply.ending {
        ReplyEnding::Complete => {
            blocks.end();
            let reason = if reply.has_calls() {
                "tool_use"
            } else {
                "end_turn"
            };
            blocks.push(&json!({
                "type": "message_delta",
                "delta": {"stop_reason": reason, "stop_sequence": null},
                "usage": {
                    "input_tokens": reply.input_tokens,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "output_tokens": reply.output_tokens,
                },
            }));
            blocks.push(&json!({"type": "message_stop"}));
        }
        ReplyEnding::Error(message) => blocks.push(&error_body(request.api, 529, message)),
        ReplyEnding::Early
        | ReplyEnding::Broken
        | ReplyEnding::Hanging
        | ReplyEnding::Refused(_) => {}
    }
    blocks.frames
}

/// Writes the content blocks of a message.
#[derive(Default)]
struct Blocks {
    frames: Vec<String>,
    /// The number of blocks so far.
    count: usize,
    /// The type of the open block.
    open: Option<String>,
}

impl Blocks {
    /// Begins a block, unless the open one has this type.
    fn continue_with(&mut self, kind: &str, block: impl FnOnce() -> Value) {
        if self.open.as_deref() != Some(kind) {
            self.begin(&block());
        }
    }

    fn begin(&mut self, block: &Value) {
        self.end();
        let index = self.count;
        self.push(&json!({"type": "content_block_start", "index": index, "content_block": block}));
        self.open = block["type"].as_str().map(str::to_owned);
        self.count += 1;
    }

    fn delta(&mut self, delta: &Value) {
        let index = self.count - 1;
        self.push(&json!({"type": "content_block_delta", "index": index, "delta": delta}));
    }

    fn end(&mut self) {
        let Some(kind) = self.open.take() else {
            return;
        };
        if kind == "thinking" {
            self.delta(&json!({"type": "signature_delta", "signature": "c2lnbmVk"}));
        }
        let index = self.count - 1;
        self.push(&json!({"type": "content_block_stop", "index": index}));
    }

    fn push(&mut self, event: &Value) {
        self.frames.push(named(event));
    }
}
