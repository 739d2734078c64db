//! Server-sent events as text.

use serde_json::Value;

/// An event without a name.
pub(super) fn unnamed(data: &Value) -> String {
    format!("data: {data}\n\n")
}

/// An event whose name is the member `type` of its data.
pub(super) fn named(data: &Value) -> String {
    let name = data["type"].as_str().expect("the data has a type");
    format!("event: {name}\ndata: {data}\n\n")
}
