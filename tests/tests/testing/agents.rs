//! Agents for the tests, and helpers to inspect failing tests.

use dooers::prelude::*;
use dooers::protocol::{Form, FormElement};
use dooers::testing::FakeModel;
use futures::FutureExt;
use serde_json::json;
use std::panic::AssertUnwindSafe;

/// Echoes the message.
#[dooers::agent]
pub(crate) async fn echo(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    response.text(format!("You said: {}", request.message));
    response.update_thread(|thread| thread.title(request.message_prefix(5)));
    Ok(())
}

/// Replies with the text of the model.
#[dooers::agent]
pub(crate) async fn model(
    request: WorkerRequest,
    response: WorkerResponse,
    State(model): State<FakeModel>,
) -> Result<()> {
    response.stream_text(model.stream(&request.message)).await?;
    Ok(())
}

/// Follows the message.
#[dooers::agent]
pub(crate) async fn doing(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let call = || ToolCall::new("call-1", "search", json!({"query": "rust"}));
    match request.message.as_str() {
        "tools" => {
            response.tool_call(call());
            response.tool_result(call(), json!(["one", "two"]));
            response.tool_transaction(ToolCall::new("call-2", "clock", json!({})), "noon");
            response.reasoning("It is late.");
            response.text("Two found.");
            response.text("And it is noon.");
        }
        "equal ids" => {
            let call = |name: &str, city| ToolCall::new("", name, json!({"city": city}));
            response.tool_call(call("weather", "Rome"));
            response.tool_call(call("weather", "Oslo"));
            response.tool_call(call("clock", "Oslo"));
            response.tool_result(call("clock", "Oslo"), "noon");
            response.tool_result(call("weather", "Oslo"), "rain");
            response.tool_result(call("weather", "Rome"), "sun");
        }
        "form" => {
            let form =
                Form::new("Who are you?").element(FormElement::text("name", "Name").required());
            response.form(&form);
        }
        "fail" => return Err("the disk is full".into()),
        "fail in public" => return Err(AgentError::public("Try again tomorrow.")),
        "wait" => std::future::pending().await,
        _ => match request.form() {
            Some(form) if form.cancelled => drop(response.text("as you like")),
            Some(form) => drop(response.text(format!("Hello, {}!", form.values["name"]))),
            None => drop(response.text("what?")),
        },
    }
    Ok(())
}

/// The panic message of an async test.
pub(crate) async fn failure<T>(test: impl Future<Output = T>) -> String {
    match AssertUnwindSafe(test).catch_unwind().await {
        Ok(_) => panic!("the test should fail"),
        Err(panic) => match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => (*panic.downcast::<&str>().expect("a text")).to_owned(),
        },
    }
}

/// The panic message of a synchronous test.
pub(crate) fn assertion_failure<T>(test: impl FnOnce() -> T) -> String {
    failure(async { test() })
        .now_or_never()
        .expect("the test does not wait")
}
