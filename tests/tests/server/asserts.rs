//! Helpers to inspect frames.

use serde_json::{Value, json};

/// The types of the frames, in order.
pub(crate) fn kinds(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap_or_default())
        .collect()
}

/// The events of all `event.append` frames, in order.
pub(crate) fn appended(frames: &[Value]) -> Vec<Value> {
    frames
        .iter()
        .filter(|frame| frame["type"] == "event.append")
        .flat_map(|frame| events(&frame["payload"]))
        .collect()
}

/// The events of a payload.
pub(crate) fn events(payload: &Value) -> Vec<Value> {
    payload["events"].as_array().unwrap().clone()
}

/// The text of an event's first part.
pub(crate) fn text(event: &Value) -> &str {
    event["content"][0]["text"].as_str().unwrap_or_default()
}

/// The texts of events.
pub(crate) fn texts(events: &[Value]) -> Vec<&str> {
    events.iter().map(text).collect()
}

/// The error of an `ack` without the id of its log line, which its message ends with.
pub(crate) fn without_error_id(mut error: Value) -> Value {
    let message = string(&error["message"]);
    let (text, id) = message.rsplit_once(" (error ").unwrap();
    assert!(id.len() > 30, "{message}");
    error["message"] = text.into();
    error
}

/// The sequence numbers of events.
pub(crate) fn seqs(events: &[Value]) -> Vec<u64> {
    events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect()
}

/// The value as an owned string.
pub(crate) fn string(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Returns the JSON with ids and times replaced by `<id>` and `<time>`.
///
/// Fails unless each id is a UUID and each time is an RFC 3339 time in UTC with microseconds.
pub(crate) fn normal(value: &Value) -> Value {
    match value {
        Value::String(text) if is_uuid(text) => json!("<id>"),
        Value::String(text) if is_time(text) => json!("<time>"),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), normal(member)))
            .collect(),
        other => other.clone(),
    }
}

fn is_uuid(text: &str) -> bool {
    has_shape(text, "00000000-0000-7000-0000-000000000000", |byte| {
        byte.is_ascii_hexdigit()
    })
}

fn is_time(text: &str) -> bool {
    has_shape(text, "0000-00-00T00:00:00.000000Z", |byte| {
        byte.is_ascii_digit()
    })
}

fn has_shape(text: &str, shape: &str, is_digit: impl Fn(u8) -> bool) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, place)| {
            if place == b'0' {
                is_digit(byte)
            } else {
                byte == place
            }
        })
}
