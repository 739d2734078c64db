//! The format of OpenAI's Responses API.

use super::writer::FormatWriter;
use crate::history::media::{described, image_link, pdf_link};
use crate::history::{ChatMessage, ChatRole};
use crate::protocol::ContentPart;
use serde_json::{Value, json};
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct OpenAiResponses;

impl FormatWriter for OpenAiResponses {
    fn write(&mut self, message: &ChatMessage, out: &mut VecDeque<Value>) {
        let said = match message.role {
            ChatRole::User => {
                let parts: Vec<_> = message.parts.iter().filter_map(user_part).collect();
                let is_something = !parts.is_empty();
                is_something.then(|| json!({"type": "message", "role": "user", "content": parts}))
            }
            ChatRole::Assistant => {
                let text = message.text();
                let is_something = !text.is_empty();
                is_something
                    .then(|| json!({"type": "message", "role": "assistant", "content": text}))
            }
        };
        out.extend(said);
        for tool_use in &message.tool_uses {
            out.push_back(json!({
                "type": "function_call",
                "call_id": tool_use.id,
                "name": tool_use.function_name(),
                "arguments": Value::Object(tool_use.arguments()).to_string(),
            }));
        }
        for tool_use in &message.tool_uses {
            out.push_back(json!({
                "type": "function_call_output",
                "call_id": tool_use.id,
                "output": tool_use.result_text(),
            }));
        }
    }
}

fn user_part(part: &ContentPart) -> Option<Value> {
    if let Some(url) = image_link(part) {
        return Some(json!({"type": "input_image", "image_url": url, "detail": "auto"}));
    }
    if let Some(url) = pdf_link(part) {
        return Some(json!({"type": "input_file", "file_url": url}));
    }
    described(part).map(|text| json!({"type": "input_text", "text": text}))
}
