//! The check of requests against the published schemas.
//!
//! The schemas of messages are those of the history tests, and the schemas of tools those of the tests of definitions. The
//! rules about the order of messages are shared with the history tests, too.

use super::order::{
    alternates, has_outputs_behind_calls, has_results_behind_calls, has_results_first,
};
use super::request::{ProviderApi, tool_names};
use axum::http::{HeaderMap, header};
use jsonschema::Validator;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// The schemas of one API.
struct Schemas {
    /// The members of a request.
    request: Validator,
    /// The messages without the instructions.
    messages: Validator,
    /// The definitions of tools.
    tools: Validator,
}

macro_rules! schemas {
    ($request:literal, $shared:literal) => {
        Schemas {
            request: compiled(include_str!(concat!("schemas/", $request))),
            messages: compiled(include_str!(concat!(
                "../../../dooers/src/history/fixtures/schemas/",
                $shared
            ))),
            tools: compiled(include_str!(concat!(
                "../../../dooers/src/tool/fixtures/schemas/",
                $shared
            ))),
        }
    };
}

static SCHEMAS: LazyLock<HashMap<ProviderApi, Schemas>> = LazyLock::new(|| {
    HashMap::from([
        (
            ProviderApi::ChatCompletions,
            schemas!("chat_completions.json", "open_ai.json"),
        ),
        (
            ProviderApi::Responses,
            schemas!("responses.json", "open_ai_responses.json"),
        ),
        (
            ProviderApi::Messages,
            schemas!("messages.json", "anthropic.json"),
        ),
    ])
});

fn compiled(text: &str) -> Validator {
    let schema = serde_json::from_str(text).expect("a schema is JSON");
    jsonschema::meta::validate(&schema).expect("a schema follows the draft");
    jsonschema::validator_for(&schema).expect("a schema compiles")
}

/// Returns the first reason for which the API would refuse the request.
pub(super) fn mismatch(api: ProviderApi, headers: &HeaderMap, body: &Value) -> Option<String> {
    let checks = [
        header_mismatch(api, headers),
        first_error(&SCHEMAS[&api].request, body),
        message_mismatch(api, body),
        tool_mismatch(api, body),
    ];
    checks.into_iter().flatten().next()
}

fn header_mismatch(api: ProviderApi, headers: &HeaderMap) -> Option<String> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = value(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if kind.split(';').next() != Some("application/json") {
        return Some(format!("the header content-type is {kind:?}"));
    }
    let version = value("anthropic-version");
    if api == ProviderApi::Messages && version != Some("2023-06-01") {
        return Some(format!("the header anthropic-version is {version:?}"));
    }
    None
}

fn first_error(schema: &Validator, value: &Value) -> Option<String> {
    let error = schema.iter_errors(value).next()?;
    Some(format!("{} at `{}`", error, error.instance_path()))
}

fn message_mismatch(api: ProviderApi, body: &Value) -> Option<String> {
    let messages = match api {
        ProviderApi::Responses => &body["input"],
        ProviderApi::ChatCompletions | ProviderApi::Messages => &body["messages"],
    };
    // A text instead of items is allowed in Responses, and nothing is left to check.
    let messages = messages.as_array()?;
    // The instructions are a message, too, at the beginning. Histories have none.
    let is_system = |message: &Value| message["role"] == "system" || message["role"] == "developer";
    let count = messages.iter().take_while(|it| is_system(it)).count();
    let history = match api {
        ProviderApi::Messages => &messages[..],
        ProviderApi::ChatCompletions | ProviderApi::Responses => &messages[count..],
    };
    let whole = Value::Array(history.to_vec());
    if let Some(error) = first_error(&SCHEMAS[&api].messages, &whole) {
        return Some(format!("messages: {error}"));
    }
    let is_ordered = match api {
        ProviderApi::ChatCompletions => has_results_behind_calls(history),
        ProviderApi::Responses => has_outputs_behind_calls(history),
        ProviderApi::Messages => alternates(history) && has_results_first(history),
    };
    (!is_ordered).then(|| "messages: calls and results are not in order".to_owned())
}

fn tool_mismatch(api: ProviderApi, body: &Value) -> Option<String> {
    let tools = body.get("tools")?;
    if let Some(error) = first_error(&SCHEMAS[&api].tools, tools) {
        return Some(format!("tools: {error}"));
    }
    let names = tool_names(body);
    let mut known = BTreeSet::new();
    let twice = names.iter().find(|name| !known.insert(*name))?;
    Some(format!("tools: the name {twice:?} occurs twice"))
}
