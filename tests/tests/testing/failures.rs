//! The output of failing tests.

use crate::agents::{assertion_failure, doing, echo, failure};
use dooers::testing::{TestServer, TestTurn};
use serde_json::json;

async fn turn(text: &str) -> TestTurn {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    ada.say(text).await
}

/// The text without ids, which differ in each run.
fn without_ids(text: &str, turn: &TestTurn) -> String {
    text.replace(turn.thread_id(), "ID")
}

#[tokio::test]
async fn failed_assertion_shows_expected_and_conversation() {
    let turn = turn("tools").await;
    let text = assertion_failure(|| turn.assert_text("Three found."));
    let expected = r#"the agent should say: "Three found."
     found: "Two found.\n\nAnd it is noon."

thread ID
   1  ada        message          "tools"
   2  assistant  tool.call        search({"query":"rust"})
   3  tool       tool.result      search({"query":"rust"}) -> ["one","two"]
   4  assistant  tool.transaction clock({}) -> "noon"
   5  assistant  reasoning        "It is late."
   6  assistant  message          "Two found."
   7  assistant  message          "And it is noon."
  the run that answers 1 succeeded
"#;
    assert_eq!(without_ids(&text, &turn), expected);
}

#[tokio::test]
async fn every_assertion_can_fail() {
    let turn = turn("tools").await;
    let begins = |text: String, beginning: &str| assert!(text.starts_with(beginning), "{text}");
    begins(
        assertion_failure(|| turn.assert_text_contains("Three")),
        "the agent should say something with: \"Three\"",
    );
    begins(
        assertion_failure(|| turn.assert_texts(["Two found."])),
        "the agent's messages should be: [\"Two found.\"]\n     found: [\"Two found.\", \"And it",
    );
    begins(
        assertion_failure(|| turn.assert_failed("anything")),
        "the turn's run should be: failed\n     found: succeeded\n",
    );
    begins(
        assertion_failure(|| turn.assert_canceled()),
        "the turn's run should be: canceled\n     found: succeeded\n",
    );
    begins(
        assertion_failure(|| turn.assert_tool_call("search", json!({}))),
        "the agent should call: search({})\n     found: [CalledTool {",
    );
    begins(
        assertion_failure(|| turn.assert_tool_result("search", "three")),
        "a call should have the result: search(…) -> \"three\"\n",
    );
    begins(
        assertion_failure(|| turn.assert_title("Tools")),
        "the thread's title should be: \"Tools\"\n     found: None\n",
    );
}

#[tokio::test]
async fn failed_run_assertion_shows_the_handler_error() {
    let turn = turn("fail").await;
    let text = assertion_failure(|| turn.assert_succeeded());
    let expected = "the turn's run should be: succeeded\n     found: failed\n\
                    the handler failed: the disk is full\n\nthread ";
    assert!(text.starts_with(expected), "{text}");
    assert!(
        text.contains("  the run that answers 1 failed: \""),
        "{text}"
    );
    let text = assertion_failure(|| turn.assert_text("Done."));
    let expected = "the agent should say: \"Done.\"\n     found: \"\"\n\
                    the handler failed: the disk is full\n";
    assert!(text.starts_with(expected), "{text}");
    let text = assertion_failure(|| turn.assert_failed("no such text"));
    assert!(
        text.starts_with("users should see the failure: \"no such text\""),
        "{text}"
    );
}

#[tokio::test]
async fn client_misuse_error_names_the_remedy() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let text = assertion_failure(|| ada.conversation().texts());
    assert!(
        text.starts_with("the client has no current thread: say something first"),
        "{text}"
    );
    let text = failure(ada.answer_form(json!({}))).await;
    assert!(
        text.starts_with("the client has no current thread"),
        "{text}"
    );
    ada.enter("nowhere");
    let text = failure(ada.say("hello")).await;
    assert_eq!(
        text,
        "the server refuses \"hello\": there is no such thread (NotFound)"
    );
    let text = failure(ada.turn_of("nothing")).await;
    assert!(
        text.starts_with("the client does not know the event nothing: subscribe"),
        "{text}"
    );
    ada.disconnect();
    let text = failure(ada.say("hello")).await;
    assert!(
        text.starts_with("the client is not connected: call `reconnect().await` first"),
        "{text}"
    );
    ada.reconnect().await;
    server.restart().await;
    let text = failure(ada.say("hello")).await;
    assert!(
        text.contains("the server has closed the connection: after a restart"),
        "{text}"
    );
    let text = failure(server.connect_to::<doing>("ada")).await;
    assert!(
        text.starts_with("the server does not serve the agent `doing`"),
        "{text}"
    );
    server.close().await;
    let text = failure(server.connect("ada")).await;
    assert!(text.starts_with("cannot connect: "), "{text}");
}

#[tokio::test]
async fn server_start_error_states_the_reason() {
    let text = failure(async { TestServer::of::<crate::agents::model>().await }).await;
    assert!(text.starts_with("the server cannot start: "), "{text}");
    assert!(text.contains("State"), "{text}");
    let server = TestServer::of::<echo>().agent::<doing>().await;
    let text = failure(server.connect("ada")).await;
    assert!(
        text.contains("name one with `connect_to::<agent>(…)`"),
        "{text}"
    );
}
