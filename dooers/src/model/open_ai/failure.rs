//! Errors of servers.

use crate::model::ModelError;
use crate::text::split_at_bytes;
use futures::StreamExt;
use hyper::header::RETRY_AFTER;
use reqwest::Response;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// Maximum size of the part of an error's body that is read, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Maximum length of the text of a server in an error, in bytes.
const MAX_TEXT_BYTES: usize = 500;

/// The server sent nothing for too long.
pub(super) fn too_slow(idle_timeout: Duration) -> ModelError {
    ModelError::retryable(format!(
        "the model's server sent nothing for {idle_timeout:?}"
    ))
}

/// The connection failed. The error does not contain the address.
pub(super) fn of_connection(error: reqwest::Error) -> ModelError {
    ModelError::retryable("the connection to the model's server failed")
        .with_source(error.without_url())
}

/// Reads an answer whose status is not 2xx.
pub(super) async fn of_answer(response: Response, key: &str, limit: Duration) -> ModelError {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).cloned();
    let retry_after = retry_after.as_ref().and_then(|value| value.to_str().ok());
    let body = timeout(limit, beginning(response))
        .await
        .unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    let json = serde_json::from_str::<Value>(&body).unwrap_or_default();
    let said = message(&json).map_or_else(|| body.clone(), Into::into);
    let said = readable(&said, key);
    let colon = if said.is_empty() { "" } else { ": " };
    let text = format!("the model's server answered {status}{colon}{said}");
    // This status also means that nothing is left to spend, which does not change soon.
    if ["code", "type"]
        .iter()
        .any(|name| json["error"][name] == "insufficient_quota")
    {
        return ModelError::new(text);
    }
    ModelError::of_status(status.as_u16(), retry_after, text)
}

/// An error in the middle of a stream, as an object. `key` is removed from its text.
pub(super) fn of_event(error: &Value, key: &str) -> ModelError {
    let said = error
        .as_str()
        .or_else(|| message(error))
        .unwrap_or_default();
    let said = readable(said, key);
    let colon = if said.is_empty() { "" } else { ": " };
    let text = format!("the model's server broke off its answer{colon}{said}");
    let code = &error["code"];
    let status = code.as_u64().or_else(|| code.as_str()?.parse().ok());
    if let Some(status) = status.and_then(|status| u16::try_from(status).ok()) {
        return ModelError::of_status(status, None, text);
    }
    let names = [code, &error["type"]].map(|name| name.as_str().unwrap_or_default());
    let is_passing = [
        "rate_limit",
        "server_error",
        "overloaded",
        "timeout",
        "unavailable",
    ];
    if is_passing
        .iter()
        .any(|passing| names.iter().any(|name| name.contains(passing)))
    {
        ModelError::retryable(text)
    } else {
        ModelError::new(text)
    }
}

/// The text in an error of OpenAI or of a compatible server.
fn message(json: &Value) -> Option<&str> {
    let error = &json["error"];
    let places = [&error["message"], error, &json["message"], &json["detail"]];
    places.into_iter().find_map(Value::as_str)
}

/// A text of a server as one line of limited length, without the key.
fn readable(text: &str, key: &str) -> String {
    // The key is sent without white space around it.
    let key = key.trim();
    let text = if key.is_empty() {
        text.to_owned()
    } else {
        text.replace(key, "…")
    };
    let words: Vec<_> = text
        .split(|char: char| char.is_whitespace() || char.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    let (head, rest) = split_at_bytes(&line, MAX_TEXT_BYTES);
    let end = if rest.is_empty() { "" } else { "…" };
    format!("{head}{end}")
}

/// The beginning of a body. An error ends it.
async fn beginning(response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        let room = MAX_BODY_BYTES - bytes.len();
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        if bytes.len() == MAX_BODY_BYTES {
            break;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_of_a_server_is_one_short_line_without_the_key() {
        assert_eq!(readable(" bad\n\tkey\0 sk-1! ", "sk-1"), "bad key …!");
        let long = readable(&"word ".repeat(1000), "sk-1");
        assert!(long.len() <= MAX_TEXT_BYTES + "…".len() && long.ends_with('…'));
    }

    #[test]
    fn message_is_found_where_servers_put_it() {
        for json in [
            json!({"error": {"message": "busy"}}),
            json!({"error": "busy"}),
            json!({"message": "busy"}),
            json!({"detail": "busy"}),
        ] {
            assert_eq!(message(&json), Some("busy"), "{json}");
        }
        assert_eq!(message(&json!([1])), None);
    }

    #[test]
    fn passing_errors_of_a_stream_are_retryable() {
        for (error, is_retryable) in [
            (json!({"code": 502, "message": "bad gateway"}), true),
            (json!({"code": "429"}), true),
            (
                json!({"code": "rate_limit_exceeded", "message": "slow down"}),
                true,
            ),
            (json!({"type": "server_error"}), true),
            (json!({"type": "overloaded_error"}), true),
            (json!({"code": "content_filter", "message": "no"}), false),
            (json!({"code": 400}), false),
            (json!("broken"), false),
        ] {
            assert_eq!(of_event(&error, "").is_retryable(), is_retryable, "{error}");
        }
        assert_eq!(
            of_event(&json!({"code": 502, "message": "bad gateway"}), "").to_string(),
            "the model's server broke off its answer: bad gateway"
        );
    }
}
