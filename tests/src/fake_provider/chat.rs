//! The stream of OpenAI's Chat Completions.

use super::calls::call_id;
use super::failure::error_body;
use super::frames::unnamed;
use super::reply::{ProviderReply, ReplyEnding, ReplyPiece};
use super::request::ProviderRequest;
use serde_json::{Value, json};

/// The events of a stream.
pub(super) fn frames(request: &ProviderRequest, reply: &ProviderReply) -> Vec<String> {
    let chunks = Chunks(request);
    let content = if reply.has_calls() {
        Value::Null
    } else {
        json!("")
    };
    let role = json!({"role": "assistant", "content": content, "refusal": null});
    let mut frames = vec![chunks.delta(&role, None)];
    let mut calls = 0;
    for piece in &reply.pieces {
        let delta = match piece {
            ReplyPiece::Reasoning(text) => json!({"reasoning_content": text}),
            ReplyPiece::Text(text) => json!({"content": text}),
            ReplyPiece::Call { id, name } => {
                calls += 1;
                let call = json!({
                    "index": calls - 1,
                    "id": id.clone().unwrap_or_else(|| call_id(request, calls)),
                    "type": "function",
                    "function": {"name": name, "arguments": ""},
                });
                json!({"tool_calls": [call]})
            }
            ReplyPiece::Arguments(text) => {
                let call = json!({"index": calls - 1, "function": {"arguments": text}});
                json!({"tool_calls": [call]})
            }
        };
        frames.push(chunks.delta(&delta, None));
    }
    match &reply.ending {
        ReplyEnding::Complete => {
            let reason = if reply.has_calls() {
                "tool_calls"
            } else {
                "stop"
            };
            frames.push(chunks.delta(&json!({}), Some(reason)));
            frames.extend(chunks.usage(reply));
            frames.push("data: [DONE]\n\n".to_owned());
        }
        ReplyEnding::Error(message) => {
            frames.push(unnamed(&error_body(request.api, 500, message)));
        }
        ReplyEnding::Early
        | ReplyEnding::Broken
        | ReplyEnding::Hanging
        | ReplyEnding::Refused(_) => {}
    }
    frames
}

/// Writes the chunks of a completion.
struct Chunks<'a>(&'a ProviderRequest);

impl Chunks<'_> {
    fn delta(&self, delta: &Value, finish_reason: Option<&str>) -> String {
        let choice = json!({
            "index": 0,
            "delta": delta,
            "logprobs": null,
            "finish_reason": finish_reason,
        });
        let mut chunk = self.chunk(&json!([choice]));
        if self.has_usage() {
            chunk["usage"] = Value::Null;
        }
        unnamed(&chunk)
    }

    /// The last chunk, if the request asks for it.
    fn usage(&self, reply: &ProviderReply) -> Option<String> {
        let mut chunk = self.chunk(&json!([]));
        chunk["usage"] = json!({
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        });
        self.has_usage().then(|| unnamed(&chunk))
    }

    fn has_usage(&self) -> bool {
        self.0.body["stream_options"]["include_usage"] == true
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": format!("chatcmpl-{}", self.0.number),
            "object": "chat.completion.chunk",
            "created": 1_770_000_000,
            "model": self.0.body["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_fake",
            "choices": choices,
            "obfuscation": "x7Q",
        })
    }
}
