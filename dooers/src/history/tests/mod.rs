//! Tests of the memory without a server.

mod asking;
mod corpus;
mod forgetting;
mod order;
mod pairing;
mod random;
pub(crate) mod rules;
mod views;

use crate::history::HistoryFormat;
use crate::protocol::{ThreadEvent, timestamp};
use serde_json::{Map, Value, json};

/// All formats, with the names of their files.
pub(crate) const FORMATS: [(HistoryFormat, &str); 6] = [
    (HistoryFormat::OpenAi, "open_ai"),
    (HistoryFormat::OpenAiResponses, "open_ai_responses"),
    (HistoryFormat::Anthropic, "anthropic"),
    (HistoryFormat::Google, "google"),
    (HistoryFormat::Cohere, "cohere"),
    (HistoryFormat::Voyage, "voyage"),
];

/// Builds events from abbreviated JSON. `text` becomes a content of that text, and ids are `e1`, `e2`, and so on.
fn events(specs: Vec<Value>) -> Vec<ThreadEvent> {
    let numbered = (1..).zip(specs);
    numbered.map(|(place, spec)| event(place, spec)).collect()
}

fn event(place: i64, spec: Value) -> ThreadEvent {
    let mut members = Map::from_iter([
        ("id".to_owned(), json!(format!("e{place}"))),
        ("thread_id".to_owned(), json!("t")),
        ("run_id".to_owned(), Value::Null),
        ("author".to_owned(), Value::Null),
        ("seq".to_owned(), json!(place)),
    ]);
    let at = timestamp::from_micros(1_770_000_000_000_000 + place);
    members.insert("created_at".to_owned(), json!(at));
    let Value::Object(mut spec) = spec else {
        panic!("an event is an object: {spec}");
    };
    if let Some(text) = spec.remove("text") {
        let content = json!([{"type": "text", "text": text}]);
        spec.insert("content".to_owned(), content);
    }
    members.extend(spec);
    serde_json::from_value(members.into()).unwrap()
}

/// A message with this number. Odd numbers are from the user, even ones from the assistant.
fn said(number: usize) -> Value {
    let actor = if number % 2 == 1 { "user" } else { "assistant" };
    json!({"type": "message", "actor": actor, "text": format!("text {number}")})
}
