//! Remembering, without a server.

mod asking;
mod corpus;
mod forgetting;
mod pairing;
mod random;
mod rules;
mod views;

use crate::history::HistoryFormat;
use crate::protocol::{ThreadEvent, timestamp};
use serde_json::{Map, Value, json};

/// All formats, with the names of their files.
const FORMATS: [(HistoryFormat, &str); 6] = [
    (HistoryFormat::OpenAi, "open_ai"),
    (HistoryFormat::OpenAiResponses, "open_ai_responses"),
    (HistoryFormat::Anthropic, "anthropic"),
    (HistoryFormat::Google, "google"),
    (HistoryFormat::Cohere, "cohere"),
    (HistoryFormat::Voyage, "voyage"),
];

/// Events of which only what matters is told: `text` is a content of that text, and ids are `e1`, `e2` …
fn events(told: Vec<Value>) -> Vec<ThreadEvent> {
    let numbered = (1..).zip(told);
    numbered.map(|(place, told)| event(place, told)).collect()
}

fn event(place: i64, told: Value) -> ThreadEvent {
    let mut members = Map::from_iter([
        ("id".to_owned(), json!(format!("e{place}"))),
        ("thread_id".to_owned(), json!("t")),
        ("run_id".to_owned(), Value::Null),
        ("author".to_owned(), Value::Null),
        ("seq".to_owned(), json!(place)),
    ]);
    let at = timestamp::from_micros(1_770_000_000_000_000 + place);
    members.insert("created_at".to_owned(), json!(at));
    let Value::Object(mut told) = told else {
        panic!("an event is an object: {told}");
    };
    if let Some(text) = told.remove("text") {
        let content = json!([{"type": "text", "text": text}]);
        told.insert("content".to_owned(), content);
    }
    members.extend(told);
    serde_json::from_value(members.into()).unwrap()
}

/// What a user says, and what the assistant does.
fn said(number: usize) -> Value {
    let actor = if number % 2 == 1 { "user" } else { "assistant" };
    json!({"type": "message", "actor": actor, "text": format!("text {number}")})
}
