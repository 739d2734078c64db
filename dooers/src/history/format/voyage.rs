//! Roles and texts, for the embeddings and rerankers of Voyage AI.

use super::writer::FormatWriter;
use crate::history::{ChatMessage, ChatRole, ToolUse};
use serde_json::{Value, json};
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Voyage;

impl FormatWriter for Voyage {
    fn write(&mut self, message: &ChatMessage, out: &mut VecDeque<Value>) {
        let role = match message.role {
            ChatRole::User => "user",
            ChatRole::Assistant => "assistant",
        };
        let text = message.text();
        let said = (!text.is_empty()).then_some(text);
        let texts: Vec<_> = said
            .into_iter()
            .chain(message.tool_uses.iter().map(used))
            .collect();
        if !texts.is_empty() {
            out.push_back(json!({"role": role, "content": texts.join("\n")}));
        }
    }
}

/// A tool call and its result as a text.
fn used(tool_use: &ToolUse) -> String {
    let name = tool_use.function_name();
    let arguments = Value::Object(tool_use.arguments());
    format!("[{name}({arguments}): {}]", tool_use.result_text())
}
