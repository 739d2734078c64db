//! The format of Cohere's Chat API, version 2.

use super::open_ai::{call, result, user_content};
use super::writer::FormatWriter;
use crate::history::{ChatMessage, ChatRole};
use serde_json::{Value, json};
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Cohere;

impl FormatWriter for Cohere {
    fn write(&mut self, message: &ChatMessage, out: &mut VecDeque<Value>) {
        if message.role == ChatRole::User {
            let content = user_content(message);
            out.extend(content.map(|content| json!({"role": "user", "content": content})));
            return;
        }
        let text = message.text();
        if message.tool_uses.is_empty() {
            if !text.is_empty() {
                out.push_back(json!({"role": "assistant", "content": text}));
            }
            return;
        }
        let calls: Vec<_> = message.tool_uses.iter().map(call).collect();
        let mut called = json!({"role": "assistant", "tool_calls": calls});
        if !text.is_empty() {
            called["tool_plan"] = json!(text);
        }
        out.push_back(called);
        out.extend(message.tool_uses.iter().map(result));
    }
}
