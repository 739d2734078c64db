//! The format of OpenAI's Chat Completions API.

use super::writer::FormatWriter;
use crate::history::media::{described, image_link};
use crate::history::tools::plain_name;
use crate::history::{ChatMessage, ChatRole, ToolUse};
use crate::protocol::ContentPart;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct OpenAi;

impl FormatWriter for OpenAi {
    fn write(&mut self, message: &ChatMessage, out: &mut VecDeque<Value>) {
        let mut written = Map::new();
        match message.role {
            ChatRole::User => {
                let Some(content) = user_content(message) else {
                    return;
                };
                written.insert("role".to_owned(), json!("user"));
                written.insert("content".to_owned(), content);
            }
            ChatRole::Assistant => {
                let text = message.text();
                if text.is_empty() && message.tool_uses.is_empty() {
                    return;
                }
                let content = if text.is_empty() {
                    Value::Null
                } else {
                    json!(text)
                };
                written.insert("role".to_owned(), json!("assistant"));
                written.insert("content".to_owned(), content);
            }
        }
        let name = plain_name(message.author.as_deref().unwrap_or_default());
        if !name.is_empty() {
            written.insert("name".to_owned(), json!(name));
        }
        if !message.tool_uses.is_empty() {
            let calls: Vec<_> = message.tool_uses.iter().map(call).collect();
            written.insert("tool_calls".to_owned(), json!(calls));
        }
        out.push_back(written.into());
        out.extend(message.tool_uses.iter().map(result));
    }
}

/// The content of a user's message: a text, or a list of parts if the message contains images. `None` if the message
/// is empty. Cohere takes the same content.
pub(super) fn user_content(message: &ChatMessage) -> Option<Value> {
    if message.parts.iter().all(|part| image_link(part).is_none()) {
        let text = message.text();
        return (!text.is_empty()).then(|| json!(text));
    }
    let parts: Vec<_> = message.parts.iter().filter_map(user_part).collect();
    Some(json!(parts))
}

fn user_part(part: &ContentPart) -> Option<Value> {
    match image_link(part) {
        Some(url) => Some(json!({"type": "image_url", "image_url": {"url": url}})),
        None => described(part).map(|text| json!({"type": "text", "text": text})),
    }
}

/// A tool call. Its arguments are a string that contains JSON. Cohere takes the same value.
pub(super) fn call(tool_use: &ToolUse) -> Value {
    let arguments = Value::Object(tool_use.arguments()).to_string();
    json!({
        "id": tool_use.id,
        "type": "function",
        "function": {"name": tool_use.function_name(), "arguments": arguments},
    })
}

/// The result of a tool call. Cohere takes the same value.
pub(super) fn result(tool_use: &ToolUse) -> Value {
    json!({"role": "tool", "tool_call_id": tool_use.id, "content": tool_use.result_text()})
}
