//! The order that each API requires of the messages of a history, which no schema can express. The fake provider of the
//! integration tests includes this file.

use serde_json::Value;
use std::collections::BTreeSet;

fn texts<'a>(values: &'a Value, pointer: &str) -> Vec<&'a str> {
    let values = values.as_array().into_iter().flatten();
    let found = values.filter_map(|value| value.pointer(pointer)?.as_str());
    found.collect()
}

/// Each message with calls is directly followed by one message with the role `tool` for each call. Such messages occur
/// nowhere else, and no id is used for two calls.
pub(super) fn has_results_behind_calls(history: &[Value]) -> bool {
    let mut expected: Vec<&str> = Vec::new();
    let mut ids = BTreeSet::new();
    let is_in_order = history.iter().all(|message| {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap();
            return expected.pop() == Some(id);
        }
        let is_complete = expected.is_empty();
        expected = texts(&message["tool_calls"], "/id");
        expected.reverse();
        is_complete && expected.iter().all(|id| ids.insert(*id))
    });
    is_in_order && expected.is_empty()
}

/// The output of each call follows before the next message, and each output has a call.
pub(super) fn has_outputs_behind_calls(history: &[Value]) -> bool {
    let mut open = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let is_in_order = history.iter().all(|item| {
        let id = item["call_id"].as_str();
        match item["type"].as_str() {
            Some("function_call") => open.insert(id) && ids.insert(id),
            Some("function_call_output") => open.remove(&id),
            _ => open.is_empty(),
        }
    });
    is_in_order && open.is_empty()
}

/// The roles alternate, and the first and the last message are the user's.
pub(super) fn alternates(history: &[Value]) -> bool {
    let ends = [history.first(), history.last()];
    let is_user = |message: &Value| message["role"] == "user";
    ends.into_iter().flatten().all(is_user)
        && history
            .windows(2)
            .all(|pair| pair[0]["role"] != pair[1]["role"])
}

/// A message after tool calls begins with their results. Results occur nowhere else.
pub(super) fn has_results_first(history: &[Value]) -> bool {
    let mut expected: Vec<&str> = Vec::new();
    let mut ids = BTreeSet::new();
    history.iter().all(|message| {
        let results = texts(&message["content"], "/tool_use_id");
        let content = message["content"].as_array().unwrap();
        let begins = content[..results.len()]
            .iter()
            .all(|block| block["type"] == "tool_result");
        let is_answer = results == expected && begins;
        let uses = content.iter().filter(|block| block["type"] == "tool_use");
        expected = uses.filter_map(|block| block["id"].as_str()).collect();
        is_answer && expected.iter().all(|id| ids.insert(*id))
    })
}

/// Contents of the model are never adjacent, and the first and the last contents are the user's. Contents with calls
/// are followed by contents with their responses. These contain nothing else and occur nowhere else.
pub(super) fn has_responses_alone(history: &[Value]) -> bool {
    let is_model = |contents: &Value| contents["role"] == "model";
    let ends = [history.first(), history.last()];
    let mut expected: Vec<&str> = Vec::new();
    !ends.into_iter().flatten().any(is_model)
        && !history
            .windows(2)
            .any(|pair| is_model(&pair[0]) && is_model(&pair[1]))
        && history.iter().all(|contents| {
            let responses = texts(&contents["parts"], "/functionResponse/id");
            let parts = contents["parts"].as_array().unwrap();
            let is_alone = responses.is_empty() || responses.len() == parts.len();
            let is_answer = responses == expected && is_alone;
            expected = texts(&contents["parts"], "/functionCall/id");
            is_answer
        })
}
