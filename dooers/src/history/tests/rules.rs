//! The requirements of each API on a history.

use super::order::{
    alternates, has_outputs_behind_calls, has_responses_alone, has_results_behind_calls,
    has_results_first,
};
use crate::history::HistoryFormat;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

static SCHEMAS: LazyLock<HashMap<HistoryFormat, jsonschema::Validator>> = LazyLock::new(|| {
    let schemas = [
        (
            HistoryFormat::OpenAi,
            include_str!("../fixtures/schemas/open_ai.json"),
        ),
        (
            HistoryFormat::OpenAiResponses,
            include_str!("../fixtures/schemas/open_ai_responses.json"),
        ),
        (
            HistoryFormat::Anthropic,
            include_str!("../fixtures/schemas/anthropic.json"),
        ),
        (
            HistoryFormat::Google,
            include_str!("../fixtures/schemas/google.json"),
        ),
        (
            HistoryFormat::Cohere,
            include_str!("../fixtures/schemas/cohere.json"),
        ),
        (
            HistoryFormat::Voyage,
            include_str!("../fixtures/schemas/voyage.json"),
        ),
    ];
    let compiled = schemas.map(|(format, text)| {
        let schema = serde_json::from_str(text).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        (format, jsonschema::validator_for(&schema).unwrap())
    });
    HashMap::from(compiled)
});

/// Panics if the API would reject the history.
#[track_caller]
pub(crate) fn check(format: HistoryFormat, history: &[Value]) {
    let whole = Value::Array(history.to_vec());
    if let Err(error) = SCHEMAS[&format].validate(&whole) {
        panic!("{format:?}: {error}\n{whole:#}");
    }
    let is_ordered = match format {
        HistoryFormat::OpenAi | HistoryFormat::Cohere => has_results_behind_calls(history),
        HistoryFormat::OpenAiResponses => has_outputs_behind_calls(history),
        HistoryFormat::Anthropic => alternates(history) && has_results_first(history),
        HistoryFormat::Google => has_responses_alone(history),
        HistoryFormat::Voyage => true,
    };
    assert!(is_ordered, "{format:?}: {whole:#}");
}
