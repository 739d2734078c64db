//! The fake model.

use crate::agents::model;
use dooers::model::{ChatModel, Delta, ModelRequest, ToolCallPiece};
use dooers::protocol::Usage;
use dooers::testing::{FakeChunk, FakeModel, FakeModelError, FakeReply, TestServer};
use dooers::{ServerError, ToolCall, WorkerConfig, WorkerServer};
use futures::StreamExt;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn fake_model_replays_script_and_records_requests() {
    let fake = FakeModel::new()
        .reply("Hello there")
        .reply(FakeReply::new().pieces(["Good", "bye"]));
    let server = TestServer::of::<model>().state(fake.clone()).await;
    let mut ada = server.connect("ada").await;
    ada.say("hi").await.assert_text("Hello there");
    ada.say("bye").await.assert_text("Goodbye");
    fake.push("written later");
    ada.say("and?").await.assert_text("written later");
    assert_eq!(fake.prompts(), [json!("hi"), json!("bye"), json!("and?")]);
}

#[tokio::test]
async fn fake_model_fails_as_scripted() {
    let fake = FakeModel::new().error("overloaded").reply(
        FakeReply::new()
            .text("It all began")
            .error("broke off")
            .text("never"),
    );
    let server = TestServer::of::<model>().state(fake).await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("hi").await;
    turn.assert_failed("").assert_text("");
    assert_eq!(turn.error().unwrap().to_string(), "overloaded");
    let turn = ada.say("hi").await;
    turn.assert_failed("").assert_text("It all began");
    assert_eq!(turn.error().unwrap().to_string(), "broke off");
}

#[tokio::test]
async fn fake_model_reports_an_exhausted_script() {
    let fake = FakeModel::new().reply("only this");
    assert_eq!(fake.complete("a").await.unwrap().0, "only this");
    let error = fake.complete(json!({"q": "b"})).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the fake model was asked more often than the test wrote answers (1): add one with `.reply(\"…\")`. \
         The last prompt: {\"q\":\"b\"}"
    );
}

#[tokio::test]
async fn fake_model_requests_tool_calls() {
    let fake = FakeModel::new()
        .reply(
            FakeReply::new()
                .text("Let me see")
                .tool_call("1", "clock", json!({})),
        )
        .tool_call("2", "search", json!({"q": 1}))
        .tool_call("3", "search", json!({}));
    let chunks: Vec<_> = fake.chunks("when?").map(Result::unwrap).collect().await;
    let call = FakeChunk::ToolCall(ToolCall::new("1", "clock", json!({})));
    assert_eq!(chunks[3], call);
    assert_eq!(chunks[0], FakeChunk::Text("Let ".to_owned()));
    let (text, calls) = fake.complete("and?").await.unwrap();
    assert_eq!(
        (text.as_str(), calls[0].name(), calls[0].args()),
        ("", "search", &json!({"q": 1}))
    );
    let error = fake
        .stream("text, please")
        .next()
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error, FakeModelError::ToolCall("search".to_owned()));
    assert!(error.to_string().contains("read `model.chunks(…)` instead"));
}

#[tokio::test(start_paused = true)]
async fn fake_model_delays_follow_a_paused_clock() {
    let slow = FakeReply::new()
        .delay(Duration::from_secs(60))
        .text("one two three");
    let begin = Instant::now();
    let (text, _) = FakeModel::new()
        .reply(slow)
        .complete("count")
        .await
        .unwrap();
    assert_eq!(text, "one two three");
    assert_eq!(begin.elapsed(), Duration::from_secs(180));
}

#[tokio::test]
async fn test_replaces_the_state_of_the_program() {
    let program = || {
        WorkerServer::new(WorkerConfig::new())
            .agent::<model>()
            .state(FakeModel::new())
    };
    let fake = FakeModel::new().reply("From the test");
    let server = TestServer::start(program()).state(fake).await;
    let mut ada = server.connect("ada").await;
    ada.say("hi").await.assert_text("From the test");
    let twice = program().state(FakeModel::new()).router::<()>().await;
    assert!(matches!(twice, Err(ServerError::StateTwice(_))));
}

#[tokio::test]
async fn fake_model_is_a_chat_model() {
    let usage = Usage::new("m").output_tokens(3);
    let reply = FakeReply::new()
        .reasoning("Hm.")
        .text("Let me see")
        .tool_call("a", "search", json!({"query": "ä".repeat(300)}))
        .tool_call("b", "clock", json!({}))
        .usage(usage.clone())
        .error("broke off");
    let fake = FakeModel::new().reply(reply);
    let request = ModelRequest::new(vec![json!("hi")]).with_system("Be brief.");
    let deltas: Vec<_> = ChatModel::stream(&fake, request).collect().await;
    let expected = json!({"messages": ["hi"], "tools": [], "system": "Be brief."});
    assert_eq!(fake.prompts(), [expected]);
    let error = deltas.last().unwrap().as_ref().unwrap_err();
    assert_eq!(error.to_string(), "broke off");
    let deltas: Vec<_> = deltas.into_iter().flatten().collect();
    assert_eq!(deltas[0], Delta::Reasoning("Hm.".to_owned()));
    assert_eq!(deltas[1], Delta::Text("Let ".to_owned()));
    assert_eq!(
        deltas[4],
        Delta::ToolCall(ToolCallPiece::new(0).id("a").name("search"))
    );
    let pieces = deltas.iter().filter_map(|delta| match delta {
        Delta::ToolCall(piece) if piece.index == 0 => Some(&*piece.arguments),
        _ => None,
    });
    let pieces: Vec<_> = pieces.collect();
    assert!((33..=65).contains(&pieces.len()), "{}", pieces.len());
    assert_eq!(
        pieces.concat(),
        json!({"query": "ä".repeat(300)}).to_string()
    );
    assert_eq!(deltas.last(), Some(&Delta::Usage(usage)));
}

#[tokio::test]
async fn fake_model_is_asked_when_its_stream_is_read() {
    let fake = FakeModel::new().reply("Hello");
    let stream = ChatModel::stream(&fake, ModelRequest::new(Vec::new()));
    assert!(fake.prompts().is_empty());
    assert_eq!(stream.count().await, 1);
}

#[tokio::test(start_paused = true)]
async fn fake_model_pauses_and_returns_only_text() {
    let minute = Duration::from_secs(60);
    let reply = FakeReply::new()
        .reasoning("Hm.")
        .pause(minute)
        .text("Hi")
        .usage(Usage::new("m"));
    let begin = Instant::now();
    let fake = FakeModel::new()
        .reply(reply)
        .reply(FakeReply::new().retryable_error("busy", None));
    let texts: Vec<_> = fake.stream("hi").map(Result::unwrap).collect().await;
    assert_eq!((texts.concat(), begin.elapsed()), ("Hi".to_owned(), minute));
    let error = fake.stream("hi").next().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "busy");
}
