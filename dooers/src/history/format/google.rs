//! The format of Google's Gemini API.

use super::turns::Style;
use crate::history::ToolUse;
use crate::history::media::{described, image_link, pdf_link};
use crate::history::tools::object_of;
use crate::protocol::ContentPart;
use serde_json::{Value, json};

pub(super) static STYLE: Style = Style {
    model: "model",
    content: "parts",
    // Contents with function responses must not contain anything else.
    joins_user: false,
    text,
    user_part,
    call,
    result,
};

fn text(text: &str) -> Value {
    json!({"text": text})
}

fn user_part(part: &ContentPart) -> Option<Value> {
    if let Some(url) = pdf_link(part) {
        return Some(json!({"fileData": {"mimeType": "application/pdf", "fileUri": url}}));
    }
    let Some(url) = image_link(part) else {
        return described(part).map(|it| text(&it));
    };
    let mut file = json!({"fileUri": url});
    if let ContentPart::Image {
        mime_type: Some(mime_type),
        ..
    } = part
    {
        file["mimeType"] = json!(mime_type);
    }
    Some(json!({"fileData": file}))
}

fn call(tool_use: &ToolUse) -> Value {
    json!({"functionCall": {
        "id": tool_use.id,
        "name": tool_use.function_name(),
        "args": tool_use.arguments(),
    }})
}

fn result(tool_use: &ToolUse) -> Value {
    let result = match &tool_use.result {
        Some(result @ Value::Object(_)) => object_of(result, "result"),
        _ => object_of(&json!(tool_use.result_text()), "result"),
    };
    json!({"functionResponse": {
        "id": tool_use.id,
        "name": tool_use.function_name(),
        "response": result,
    }})
}
