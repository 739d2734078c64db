//! The format of Anthropic's Messages API.

use super::turns::Style;
use crate::history::ToolUse;
use crate::history::media::{described, image_link, pdf_link};
use crate::protocol::ContentPart;
use serde_json::{Value, json};

pub(super) static STYLE: Style = Style {
    model: "assistant",
    content: "content",
    joins_user: true,
    text,
    user_part,
    call,
    result,
};

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn user_part(part: &ContentPart) -> Option<Value> {
    if let Some(url) = image_link(part) {
        return Some(json!({"type": "image", "source": {"type": "url", "url": url}}));
    }
    if let Some(url) = pdf_link(part) {
        return Some(json!({"type": "document", "source": {"type": "url", "url": url}}));
    }
    described(part).map(|it| text(&it))
}

fn call(tool_use: &ToolUse) -> Value {
    json!({
        "type": "tool_use",
        "id": tool_use.id,
        "name": tool_use.function_name(),
        "input": tool_use.arguments(),
    })
}

fn result(tool_use: &ToolUse) -> Value {
    json!({"type": "tool_result", "tool_use_id": tool_use.id, "content": tool_use.result_text()})
}
