//! Messages and the turns that answer them.

use crate::agents::{doing, echo};
use dooers::prelude::*;
use dooers::protocol::{ContentPart, ErrorCode, EventType, RunStatus};
use dooers::testing::{TestMessage, TestServer, TestUser};
use serde_json::json;

#[tokio::test]
async fn turn_contains_everything_for_one_message() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("hello there").await;
    turn.assert_text("You said: hello there")
        .assert_text_contains("hello")
        .assert_texts(["You said: hello there"])
        .assert_title("hello")
        .assert_succeeded();
    assert_eq!(turn.events().len(), 1);
    assert_eq!(turn.run().unwrap().status, RunStatus::Succeeded);
    assert_eq!(
        turn.run().unwrap().event_id.as_deref(),
        Some(turn.event_id())
    );
    assert!(turn.error().is_none());

    let again = ada.say("more").await;
    again.assert_text("You said: more");
    assert_eq!(again.thread_id(), turn.thread_id());
    assert_eq!(
        ada.conversation().texts(),
        [
            "hello there",
            "You said: hello there",
            "more",
            "You said: more"
        ]
    );
    assert_eq!(turn.conversation().texts().len(), 2, "as it was then");
    server.close().await;
}

#[tokio::test]
async fn turn_separates_tools_and_thoughts_from_text() {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("tools").await;
    turn.assert_text("Two found.\n\nAnd it is noon.")
        .assert_tool_call("search", json!({"query": "rust"}))
        .assert_tool_result("search", json!(["one", "two"]))
        .assert_tool_result("clock", "noon");
    assert_eq!(turn.reasoning(), ["It is late."]);
    let calls = turn.tool_calls();
    assert_eq!((calls.len(), calls[0].id.as_str()), (2, "call-1"));
    assert_eq!(calls[0].result, Some(json!(["one", "two"])));
}

#[tokio::test]
async fn tool_results_are_paired_despite_repeated_ids() {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("equal ids").await;
    let calls = turn.tool_calls();
    let results: Vec<_> = calls.iter().map(|call| call.result.clone()).collect();
    assert_eq!(
        results,
        ["sun", "rain", "noon"].map(|result| Some(json!(result)))
    );
    turn.assert_tool_result("clock", "noon");
}

#[tokio::test]
async fn failure_has_the_public_and_the_handler_error() {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("fail").await;
    turn.assert_failed("failed");
    assert_eq!(turn.error().unwrap().to_string(), "the disk is full");
    assert!(!turn.conversation().to_string().contains("disk"));
    let turn = ada.say("fail in public").await;
    turn.assert_failed("Try again tomorrow.");
    assert_eq!(turn.notices(), ["Try again tomorrow."]);
}

#[tokio::test]
async fn form_is_answered_or_canceled() {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    let asked = ada.say("form").await;
    assert_eq!(asked.form().unwrap()["message"], "Who are you?");
    ada.answer_form(json!({"name": "Ada"}))
        .await
        .assert_text("Hello, \"Ada\"!");
    ada.say("form").await.assert_succeeded();
    ada.cancel_form().await.assert_text("as you like");
}

/// Replies with the parts and data of the message.
#[dooers::agent]
async fn told(request: WorkerRequest) -> String {
    let data = request.data.unwrap_or_default();
    let metadata = request.metadata.unwrap_or_default();
    let parts = request.content.len();
    let user = request.user;
    format!(
        "{parts} {data} {metadata} {} {}",
        user.user_id, user.organization_role
    )
}

#[tokio::test]
async fn message_has_parts_data_and_a_chosen_sender() {
    let server = TestServer::of::<told>().await;
    let boss = TestUser::new("eve")
        .organization("acme")
        .organization_role("owner");
    let mut eve = server.connect(boss).await;
    let message = TestMessage::text("What is this?")
        .part(ContentPart::image("https://example.org/cat.png"))
        .data(json!({"page": 7}))
        .thread_metadata("kept");
    eve.say(message)
        .await
        .assert_text("2 {\"page\":7} \"kept\" eve owner");
}

#[tokio::test]
async fn anonymous_client_can_send() {
    let server = TestServer::of::<told>()
        .config(|config| config.private_threads(true))
        .await;
    let mut nobody = server.connect("").await;
    nobody.say("hello").await.assert_text("1 null null  member");
    let mut other = server.connect("").await;
    assert!(other.subscribe(nobody.thread_id()).await.is_err());
}

#[tokio::test]
async fn message_sent_twice_is_answered_once() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let message = || TestMessage::text("once").client_event_id("m1");
    let first = ada.say(message()).await;
    let second = ada.say(message()).await;
    assert_eq!(first.event_id(), second.event_id());
    assert_eq!(ada.conversation().events().len(), 2);
    let other = TestMessage::text("other").client_event_id("m1");
    let refusal = ada.try_send(other).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Conflict);
}

#[tokio::test]
async fn turn_is_canceled() {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    ada.send("wait").await;
    ada.cancel().await;
    ada.turn().await.assert_canceled();
    ada.send("wait").await;
    ada.send("second").await;
    // The turn is queued and has no run.
    ada.cancel().await;
    let first = ada.conversation().runs().last().unwrap().id.clone();
    let answer = ada.request("run.cancel", json!({"run_id": first})).await;
    assert_eq!(answer["payload"]["ok"], true);
    ada.turn().await.assert_canceled();
    ada.turn().await.assert_canceled();
}

/// Starts no run, one or two, and sends texts outside of them.
#[dooers::agent(run = "manual")]
async fn manual(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let runs = request.message.parse::<usize>()?;
    response.text("before");
    for number in 1..=runs {
        response.run_start();
        response.text(format!("run {number}"));
        response.run_end(Ok(()));
    }
    response.text("after");
    Ok(())
}

#[tokio::test]
async fn turn_with_manual_runs_is_awaited() {
    let server = TestServer::of::<manual>().await;
    let mut ada = server.connect("ada").await;
    ada.say("0").await.assert_texts(["before", "after"]);
    let turn = ada.say("2").await;
    turn.assert_texts(["before", "run 1", "run 2", "after"]);
    assert_eq!(turn.runs().len(), 2);
    let turn = ada.say("many").await;
    assert!(turn.error().is_some());
    assert!(turn.run().is_none());
}

#[tokio::test]
async fn client_reads_turns_dispatched_by_the_program() {
    let server = TestServer::of::<echo>().await;
    let dispatch = server.worker().dispatch::<echo>();
    let turn = dispatch
        .worker(TestUser::WORKER_ID)
        .message("news")
        .send()
        .await
        .unwrap();
    let thread_id = turn.thread_id().to_owned();
    assert_eq!(turn.text().await.unwrap(), "You said: news");
    let mut ada = server.connect("ada").await;
    let conversation = ada.subscribe(thread_id).await.unwrap();
    assert_eq!(conversation.texts(), ["news", "You said: news"]);
    assert_eq!(conversation.events()[1].kind, EventType::Message);
}
