//! A scripted replacement for a model's API. Like a model, it decides only by the messages.

use crate::tools::CITIES;
use dooers::ToolCall;
use dooers::protocol::Usage;
use serde_json::{Value, json};

/// The model's answer to a list of messages.
pub(crate) enum Answer {
    /// A text for the user.
    Text(String),
    /// Tools to call before the model is asked again.
    ToolCalls(Vec<ToolCall>),
}

/// Answers these messages.
pub(crate) fn answer(messages: &[Value]) -> Answer {
    let asked = messages
        .iter()
        .rposition(|message| message["role"] == "user");
    let (before, since) = messages.split_at(asked.unwrap_or_default());
    let question = since
        .first()
        .and_then(|message| message["content"].as_str());
    let question = question.unwrap_or_default();
    let results: Vec<Value> = since.iter().filter_map(result).collect();
    // The id is unique in the thread.
    let id = |place| format!("call-{}-{place}", before.len());
    let call = |place, name: &str, args| ToolCall::new(id(place), name, args);
    let weather = |place, city: &str| call(place, "weather", json!({"city": city}));

    if question.contains("Sing") {
        return match results.first() {
            Some(result) => Answer::Text(format!("I cannot sing: {}.", result["error"])),
            None => Answer::ToolCalls(vec![call(1, "sing", json!({}))]),
        };
    }
    if question.contains("forever") {
        return Answer::ToolCalls(vec![weather(results.len() + 1, "Paris")]);
    }
    let everywhere = question.contains("everywhere");
    let is_requested = |city: &&str| everywhere || question.contains(*city);
    let asked: Vec<&str> = CITIES
        .iter()
        .map(|(city, _)| *city)
        .filter(is_requested)
        .collect();
    let known = results.len();
    match &asked[known.min(asked.len())..] {
        [] if asked.is_empty() => {
            Answer::Text("Ask me for the weather in Paris, Rome or Oslo.".to_owned())
        }
        [] => Answer::Text(results.iter().map(sentence).collect::<Vec<_>>().join(" ")),
        cities if everywhere => {
            let calls = cities
                .iter()
                .zip(1..)
                .map(|(city, place)| weather(place, city));
            Answer::ToolCalls(calls.collect())
        }
        [next, ..] => Answer::ToolCalls(vec![weather(known + 1, next)]),
    }
}

/// The usage of an answer to these messages, as the API of a model reports it.
pub(crate) fn usage(messages: &[Value], answer: &Answer) -> Usage {
    // A token is about four characters.
    let tokens = |text: String| text.len() as u64 / 4;
    let input = messages.iter().map(|message| tokens(message.to_string()));
    let output = match answer {
        Answer::Text(text) => tokens(text.clone()),
        Answer::ToolCalls(calls) => calls.iter().map(|call| tokens(format!("{call:?}"))).sum(),
    };
    Usage::new("forecaster-1")
        .input_tokens(input.sum())
        .output_tokens(output)
}

/// The result of a tool, if the message contains one.
fn result(message: &Value) -> Option<Value> {
    let content = message["content"]
        .as_str()
        .filter(|_| message["role"] == "tool")?;
    serde_json::from_str(content).ok()
}

fn sentence(result: &Value) -> String {
    format!(
        "It is {} °C in {}.",
        result["celsius"],
        result["city"].as_str().unwrap_or("nowhere")
    )
}
