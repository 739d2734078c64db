//! Restarts of a server between turns and during a turn.

use crate::agents::{doing, echo};
use dooers::prelude::*;
use dooers::store::SqliteOptions;
use dooers::testing::{FakeModel, FakeReply, TestServer};
use dooers::{Database, WorkerServer};
use dooers_tests::gate;
use std::time::Duration;

#[tokio::test]
async fn conversation_continues_after_a_restart() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    ada.say("one").await.assert_succeeded();
    server.restart().await;
    ada.reconnect().await;
    ada.say("two").await.assert_text("You said: two");
    assert_eq!(ada.conversation().events().len(), 4);
    let mut bob = server.connect("bob").await;
    let seen = bob.subscribe(ada.thread_id()).await.unwrap();
    assert_eq!(seen.events(), ada.conversation().events());
}

#[tokio::test]
async fn restart_interrupts_a_turn_and_runs_its_queue() {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    ada.send("wait").await;
    ada.send("second").await;
    server.restart().await;
    ada.reconnect().await;
    ada.turn().await.assert_failed("interrupted");
    ada.turn().await.assert_text("what?").assert_succeeded();
}

/// Waits at a gate at its first attempt.
#[dooers::agent(retry = 1)]
async fn second_time(request: WorkerRequest) -> String {
    if request.attempt() == 1 {
        gate::pass(&request.message).await;
    }
    format!("attempt {}", request.attempt())
}

#[tokio::test]
async fn interrupted_turn_is_retried_after_a_restart() {
    let server = TestServer::of::<second_time>().await;
    let mut ada = server.connect("ada").await;
    ada.send("kit-restart").await;
    gate::arrived("kit-restart").await;
    server.restart().await;
    ada.reconnect().await;
    ada.turn().await.assert_text("attempt 2").assert_succeeded();
}

#[tokio::test]
async fn restart_works_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = SqliteOptions::new(directory.path().join("test.db"));
    let program = WorkerServer::new(WorkerConfig::new()).agent::<echo>();
    let server = TestServer::start(program)
        .database(Database::Sqlite(file))
        .await;
    let mut ada = server.connect("ada").await;
    ada.say("one").await.assert_succeeded();
    server.restart().await;
    ada.reconnect().await;
    ada.say("two").await.assert_text("You said: two");
    server.close().await;
}

/// Starts a stream. The first attempt sends no text.
#[dooers::agent(retry = 1)]
async fn slow_to_begin(response: WorkerResponse, State(model): State<FakeModel>) -> Result<()> {
    let text = response.text_stream();
    gate::arrive("slow-to-begin");
    text.push_all(model.stream("go on")).await?;
    text.finish().await?;
    Ok(())
}

#[tokio::test]
async fn empty_text_is_gone_after_a_restart() {
    let silent = FakeReply::new().delay(Duration::from_secs(3600)).text("-");
    let model = FakeModel::new().reply(silent).reply("at last");
    let server = TestServer::of::<slow_to_begin>().state(model).await;
    let mut ada = server.connect("ada").await;
    ada.send("go on").await;
    gate::arrived("slow-to-begin").await;
    server.restart().await;
    ada.reconnect().await;
    let turn = ada.turn().await;
    turn.assert_text("at last").assert_texts(["at last"]);
    assert_eq!(ada.conversation().events().len(), 2);
}
