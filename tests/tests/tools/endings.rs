//! Turns that end while a tool is called.

use crate::agents::{caller, calls};
use dooers::prelude::*;
use dooers::testing::{TestServer, TestTurn};
use serde_json::{Value, json};

const INTERRUPTED: &str = "the call was interrupted; it may have had an effect";

fn errors(turn: &TestTurn) -> Vec<Value> {
    let result = |call: dooers::testing::CalledTool| call.result.unwrap()["error"].clone();
    turn.tool_calls().into_iter().map(result).collect()
}

#[tokio::test]
async fn cancelled_turn_leaves_results() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    let hangs = ("c", "hangs_for_ever", "");
    let message = ada.send(calls(&[hangs, ("d", "hangs_for_ever", "")])).await;
    ada.until("two calls", |conversation| {
        let calls = conversation.events().iter();
        calls
            .filter(|event| event.kind.as_str() == "tool.call")
            .count()
            == 2
    })
    .await;
    ada.cancel().await;
    let turn = ada.turn_of(&message).await;
    let not_started = "the call was not started, because the turn ended";
    assert_eq!(errors(&turn), [INTERRUPTED, not_started]);
}

#[tokio::test]
async fn cancel_while_a_person_is_asked_runs_nothing() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    let message = ada
        .send(calls(&[("c", "refund", r#"{"order": "A", "euros": 200}"#)]))
        .await;
    ada.asked_form().await;
    ada.cancel().await;
    let turn = ada.turn_of(&message).await;
    assert_eq!(
        errors(&turn),
        ["the call was not started, because the turn ended"]
    );
    assert!(ada.conversation().asked_form().is_none());
}

/// Fails after its first call, and answers with the history of the second attempt.
#[dooers::agent(retry = 1, tools(crate::agents::orders))]
async fn trying(request: WorkerRequest, memory: WorkerMemory, tools: Tools) -> Result<String> {
    tools.call("call_0", "list_orders", "").await?;
    if request.attempt() == 1 {
        return Err(AgentError::retryable("not yet"));
    }
    let history = memory.history(HistoryFormat::Anthropic).await?;
    Ok(Value::from(history).to_string())
}

#[tokio::test(start_paused = true)]
async fn retried_turn_keeps_its_calls_apart() {
    let server = TestServer::of::<trying>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    let calls = turn.tool_calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].id, "call_0");
    assert_ne!(calls[1].id, "call_0");
    for call in &calls {
        assert_eq!(call.result, Some(json!(["the order of ada"])));
    }
}
