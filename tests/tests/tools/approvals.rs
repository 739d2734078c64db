//! Calls that a person must approve.

use crate::agents::{caller, calls, results};
use dooers::prelude::*;
use dooers::protocol::ErrorCode;
use dooers::testing::{TestMessage, TestServer};
use serde_json::{Value, json};

const LARGE: &str = r#"{"order": "A-7", "euros": 250}"#;
const SMALL: &str = r#"{"order": "A-8", "euros": 20}"#;

#[tokio::test]
async fn form_shows_the_call_and_its_answer_runs_it() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    ada.send(calls(&[("c", "refund", LARGE), ("d", "refund", SMALL)]))
        .await;
    let form = ada.asked_form().await.data.unwrap();
    assert_eq!(
        form["message"],
        "Allow the call of the tool `refund`?\n\nPays an order back."
    );
    let shown: Vec<_> = form["elements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|element| {
            assert_eq!(element["disabled"], true);
            (element["label"].clone(), element["default"].clone())
        })
        .collect();
    assert_eq!(
        shown,
        [
            (json!("order"), json!("A-7")),
            (json!("euros"), json!("250"))
        ]
    );
    let turn = ada.answer_form(json!({})).await;
    assert_eq!(
        results(&turn),
        [json!("paid 250 for A-7"), json!("paid 20 for A-8")]
    );
}

#[tokio::test]
async fn cancelled_form_refuses_the_call() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    ada.send(calls(&[("c", "refund", LARGE)])).await;
    let form = ada.asked_form().await;
    let turn = ada.cancel_form().await;
    let refused = "a person refused this call; do not repeat it unless they ask for it";
    assert_eq!(results(&turn), [json!({"error": refused})]);
    let late = ada
        .try_send(TestMessage::form_response(&form.id, json!({})))
        .await;
    assert_eq!(late.unwrap_err().code, ErrorCode::Conflict);
}

#[tokio::test(start_paused = true)]
async fn call_that_nobody_approves_is_refused() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    // The agent has a time limit of one minute, and its approvals half an hour.
    let turn = ada
        .say(calls(&[("c", "refund", LARGE), ("d", "refund", SMALL)]))
        .await;
    let expired = "nobody approved this call in time, so it was refused";
    assert_eq!(
        results(&turn),
        [json!({"error": expired}), json!("paid 20 for A-8")]
    );
}

#[tokio::test]
async fn wrong_arguments_ask_nobody() {
    let server = TestServer::of::<caller>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada
        .say(calls(&[("c", "refund", r#"{"euros": 250}"#)]))
        .await;
    assert_eq!(
        results(&turn),
        [json!({"error": "the argument `order` is missing"})]
    );
    assert!(turn.form().is_none());
}

/// Lets only Ben approve refunds.
#[dooers::agent(tools(crate::agents::refund))]
async fn strict(tools: Tools) -> Result<String> {
    let result = tools.approver("ben").call("c", "refund", LARGE).await?;
    Ok(Value::from(vec![result.value().clone()]).to_string())
}

#[tokio::test]
async fn only_the_named_user_approves() {
    let server = TestServer::of::<strict>().await;
    let mut ada = server.connect("ada").await;
    let mut ben = server.connect("ben").await;
    let message = ada.send("go").await;
    let form = ada.asked_form().await;
    let refused = ada
        .try_send(TestMessage::form_response(&form.id, json!({})))
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    ben.enter(&form.thread_id);
    ben.subscribe(&form.thread_id).await.unwrap();
    ben.asked_form().await;
    ben.answer_form(json!({})).await;
    let turn = ada.turn_of(&message).await;
    assert_eq!(results(&turn), [json!("paid 250 for A-7")]);
}
