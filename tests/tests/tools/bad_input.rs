//! Mistakes of models and of tools. Each has a stated result, and the turn continues.

use crate::agents::{caller, calls, result_of, results};
use dooers::prelude::*;
use dooers::testing::TestServer;
use dooers::tool::ToolRequest;
use serde_json::{Value, json};
use std::collections::HashSet;

#[tokio::test]
async fn mistakes_in_arguments_are_results() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    let deep = format!(
        "{{\"city\": {}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for (arguments, expected) in [
        (
            r#"{"city": "Par"#,
            "the arguments end in the middle of the JSON; send the whole call again",
        ),
        (
            r#"{"city": "Paris", "town": 1}"#,
            "there is no argument `town`; the arguments are `city`, `days`",
        ),
        (
            r#"{"city": 7}"#,
            "the argument `city` must be a string, not a number",
        ),
        (
            r#"{"city": "Paris", "days": "3"}"#,
            "the argument `days` must be a whole number, not a string",
        ),
        (
            r#"{"city": "Paris", "days": -1}"#,
            "the argument `days` must be at least 0",
        ),
        (
            r#"{"city": "Paris", "days": 256}"#,
            "the argument `days` must be at most 255",
        ),
        ("{}", "the argument `city` is missing"),
        (r#"{"city": null}"#, "the argument `city` is missing"),
        (
            "Paris",
            "the arguments must be a JSON object; the first mistake is in line 1, column 1",
        ),
        (
            &deep,
            "the arguments are nested deeper than 119 levels; make them flatter",
        ),
    ] {
        let result = result_of(&mut ada, "weather", arguments).await;
        assert_eq!(result["error"], expected, "{arguments:.50}");
    }
}

#[tokio::test]
async fn arguments_that_can_be_understood_are_accepted() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    for (arguments, days) in [
        (r#"{"city": "Paris"}"#, 1),
        (r#"{"city": "Paris", "days": null}"#, 1),
        (r#"{"city": "Paris", "days": 3.0}"#, 3),
        (r#" {"city" : "Par\u0000is", "days": 3e0} "#, 3),
    ] {
        let result = result_of(&mut ada, "weather", arguments).await;
        assert_eq!(
            result,
            json!({"city": "Paris", "days": days}),
            "{arguments}"
        );
    }
    for arguments in ["", "{}", "null"] {
        assert_eq!(
            result_of(&mut ada, "list_orders", arguments).await,
            json!(["the order of ada"])
        );
    }
}

/// Calls a tool with arguments of 1 MiB, which are too large for a client's message.
#[dooers::agent(tools(crate::agents::weather))]
async fn verbose(tools: Tools) -> Result<String> {
    let arguments = json!({"city": "x".repeat(1 << 20)}).to_string();
    Ok(tools.call("c", "weather", &arguments).await?.text())
}

#[tokio::test]
async fn large_arguments_are_a_result_and_are_not_stored() {
    let server = TestServer::of::<verbose>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    assert!(
        turn.text()
            .contains("the arguments are 1048587 bytes long; at most 262144"),
        "{}",
        turn.text()
    );
    let events = serde_json::to_string(turn.events()).unwrap();
    assert!(events.len() < 20_000, "{}", events.len());
}

#[tokio::test]
async fn failures_of_tools_are_results() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    for (city, expected) in [
        ("Atlantis", "The city is under water."),
        ("Nowhere", "the tool failed"),
        ("Crash", "the tool failed"),
    ] {
        let arguments = json!({"city": city}).to_string();
        assert_eq!(
            result_of(&mut ada, "weather", &arguments).await["error"],
            expected
        );
    }
    let events = serde_json::to_string(ada.conversation().events()).unwrap();
    assert!(
        !events.contains("hunter2") && !events.contains("of the test"),
        "{events}"
    );
}

#[tokio::test(start_paused = true)]
async fn tool_that_never_returns_is_stopped() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    let result = result_of(&mut ada, "hangs", "").await;
    let expected = "the tool took longer than its time limit of 10s and was stopped; it may have had an effect";
    assert_eq!(result["error"], expected);
    // The time limit of the agent ends a tool without one.
    let turn = ada.say(calls(&[("c", "hangs_for_ever", "")])).await;
    turn.assert_failed("timed out");
    let result = turn.tool_calls()[0].result.clone().unwrap();
    assert_eq!(
        result["error"],
        "the call was interrupted; it may have had an effect"
    );
}

#[tokio::test]
async fn unknown_names_are_results() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    for (name, expected) in [
        (
            "wether",
            "there is no tool `wether`; did you mean `weather`?",
        ),
        (
            "functions.weather",
            "there is no tool `functions.weather`; the tools are `weather`, `hangs`, `hangs_for_ever`, `refund`, `list_orders`",
        ),
    ] {
        assert_eq!(result_of(&mut ada, name, "{}").await["error"], expected);
    }
    assert_eq!(
        result_of(&mut ada, "list.orders", "").await,
        json!(["the order of ada"])
    );
}

#[tokio::test]
async fn repeated_ids_are_replaced() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    let call = |id| (id, "list_orders", "");
    ada.say(calls(&[call("c"), call("c"), call("")]))
        .await
        .assert_succeeded();
    let turn = ada.say(calls(&[call("c"), call("call_1")])).await;
    assert_eq!(turn.tool_calls()[1].id, "call_1");
    let events = ada.conversation().events();
    let called = events
        .iter()
        .filter(|event| event.kind.as_str() == "tool.call");
    let ids: HashSet<_> = called
        .map(|event| event.data.as_ref().unwrap()["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 5);
}

/// Sends a result that has no call, calls a tool, and answers with the history for OpenAI.
#[dooers::agent(tools(crate::agents::orders))]
async fn careless(memory: WorkerMemory, tools: Tools, response: WorkerResponse) -> Result<String> {
    let lost = ToolCall::new("call_0", "list_orders", json!({}));
    response.tool_result(lost, "lost").await?;
    tools.call("call_0", "list_orders", "").await?;
    let history = memory.history(HistoryFormat::OpenAi).await?;
    Ok(Value::from(history).to_string())
}

#[tokio::test]
async fn result_without_a_call_leaves_a_valid_history() {
    let server = TestServer::of::<careless>().await;
    let mut ada = server.connect("ada").await;
    let history: Value = serde_json::from_str(&ada.say("go").await.text()).unwrap();
    let history = history.as_array().unwrap();
    assert_eq!(history.len(), 5, "{history:?}");
    for (at, content) in [(1, "lost"), (3, r#"["the order of ada"]"#)] {
        assert_eq!(
            history[at]["tool_calls"][0]["id"],
            history[at + 1]["tool_call_id"]
        );
        assert_eq!(history[at + 1]["content"], content);
    }
}

/// Calls a tool after its handler has returned, in a task of its own.
#[dooers::agent(tools(crate::agents::orders))]
async fn late(tools: Tools, State(sender): State<tokio::sync::mpsc::Sender<String>>) {
    tokio::spawn(async move {
        loop {
            let calls = [ToolRequest::new("c", "list_orders", "")];
            if let Err(error) = tools.call_all(calls).await {
                let _ = sender.send(error.to_string()).await;
                break;
            }
        }
    });
}

#[tokio::test]
async fn call_after_the_end_of_the_turn_is_an_error() {
    let (sender, mut errors) = tokio::sync::mpsc::channel(1);
    let server = TestServer::of::<late>().state(sender).await;
    let mut ada = server.connect("ada").await;
    ada.say("go").await;
    let error = errors.recv().await.unwrap();
    assert!(error.contains("ended"), "{error}");
}

#[tokio::test]
async fn calls_are_recorded_as_analytics_events() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada
        .say(calls(&[("c", "list_orders", ""), ("d", "unknown", "")]))
        .await;
    assert_eq!(results(&turn).len(), 2);
    let names: Vec<_> = turn
        .tool_calls()
        .into_iter()
        .map(|call| call.name)
        .collect();
    assert_eq!(names, ["list_orders", "unknown"]);
}
