//! Changes that are stored although their responses are lost.

use crate::agents::script;
use crate::asserts::{appended, events, seqs, texts};
use crate::streaming::{begin, client_with_deltas, pen};
use dooers::prelude::*;
use dooers::repository::{EventPatch, Scope};
use dooers::{Agent, Dispatch};
use dooers_tests::{Client, Server, SpyStore, ThreadView, gate, in_memory, within};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn write_with_a_lost_response_is_not_repeated() {
    let store = SpyStore::memory();
    let server = Server::with::<pen>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = client_with_deltas(&server, "ada").await;
    store.lose("write_turn");
    let thread_id = begin(
        &mut client,
        "say First\nbegin\npush Hello\nwait text-lost\npush , world\nfinish",
    )
    .await;
    gate::arrived("text-lost").await;
    let mut view = ThreadView::default();
    let has_text = |frame: &Value| frame.to_string().contains(r#""text":"Hello""#);
    let mut frames = client.read_until("the text", has_text).await;
    gate::open("text-lost");
    frames.append(&mut client.read_turn().await);
    for frame in &frames {
        match frame["type"].as_str() {
            Some("event.append") => {
                for event in events(&frame["payload"]) {
                    view.append(&event);
                }
            }
            Some("event.delta") => view.delta(&frame["payload"]),
            _ => {}
        }
    }
    let snapshot = events(&client.subscribe(&thread_id).await);
    assert_eq!(texts(&snapshot)[1..], ["First", "Hello, world"]);
    assert_eq!(seqs(&snapshot), [1, 2, 3]);
    assert_eq!(texts(&view.events), texts(&snapshot));
    server.close([client]).await;
}

#[tokio::test]
async fn next_turn_runs_if_its_claim_response_is_lost() {
    let store = SpyStore::memory();
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "wait lost-next\nsay one").await;
    client.expect_ack(&id).await;
    let created = client.expect("thread.upsert").await;
    let thread_id = created["thread"]["id"].as_str().unwrap().to_owned();
    gate::arrived("lost-next").await;
    let id = client.send_message(Some(&thread_id), "say two").await;
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id.as_str();
    client.read_until("the ack", is_ack).await;
    // The first turn ends and the second one is claimed, but the process receives neither response.
    store.lose("finish_turn");
    gate::open("lost-next");
    let is_two = |frame: &Value| {
        appended(std::slice::from_ref(frame))
            .iter()
            .any(|event| event["content"][0]["text"] == "two")
    };
    client.read_until("the second answer", is_two).await;
    client.read_turn().await;
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(
        texts(&events(&snapshot)),
        ["wait lost-next\nsay one", "say two", "one", "two"]
    );
    for run in snapshot["runs"].as_array().unwrap() {
        assert_eq!(run["status"], "succeeded");
    }
    server.close([client]).await;
}

/// Repeats the message.
#[dooers::agent]
async fn repeater(request: WorkerRequest) -> String {
    format!("You said: {}", request.message)
}

/// Repeats the message in a run that it starts itself.
#[dooers::agent(run = "manual")]
async fn starter(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    response.run_start().await?;
    response
        .text(format!("You said: {}", request.message))
        .await?;
    response.run_end(Ok(())).await?;
    Ok(())
}

/// Repeats the message, beside others.
#[dooers::agent(on_busy = "concurrent")]
async fn parallel(request: WorkerRequest) -> String {
    format!("You said: {}", request.message)
}

/// Repeats the message at the second attempt. Each attempt reports a token.
#[dooers::agent(retry = 1)]
async fn hesitant(request: WorkerRequest, response: WorkerResponse) -> Result<String> {
    drop(response.usage(Usage::new("small").output_tokens(1)));
    if request.attempt() == 1 {
        return Err(AgentError::retryable("not yet"));
    }
    Ok(format!("You said: {}", request.message))
}

/// Waits until it is dropped, which it reports at the gate that the message names.
#[dooers::agent]
async fn endless(request: WorkerRequest) {
    struct Dropped(String);
    impl Drop for Dropped {
        fn drop(&mut self) {
            gate::arrive(&format!("{}-dropped", self.0));
        }
    }
    let _dropped = Dropped(request.message.clone());
    gate::pass(&request.message).await;
}

/// A server whose store can lose answers. No lease is renewed or ends while a test runs.
async fn forgetful<A: Agent>() -> (Arc<SpyStore>, WorkerServer, Server) {
    let store = SpyStore::memory();
    let config = in_memory().lease(Duration::from_secs(3600));
    let worker = WorkerServer::new(config.store(Arc::clone(&store) as _)).agent::<A>();
    let server = Server::start(worker.clone()).await;
    (store, worker, server)
}

fn scope<A: Agent>() -> Scope {
    Scope::everyone::<A>("w1")
        .organization("o1")
        .workspace("s1")
}

/// The frames up to an event with this text.
async fn says(client: &mut Client, text: &str) -> Vec<Value> {
    let says = |frame: &Value| {
        let events = appended(std::slice::from_ref(frame));
        events
            .iter()
            .any(|event| event["content"][0]["text"] == text)
    };
    client.read_until(&format!("`{text}`"), says).await
}

/// The frames up to the refusal of this one.
async fn overloaded(client: &mut Client, id: &str) {
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id;
    let frames = client.read_until("the refusal", is_ack).await;
    let ack = frames.last().unwrap();
    assert_eq!(ack["payload"]["error"]["code"], "OVERLOADED", "{ack}");
}

/// A thread with one answered message, whose runs have all succeeded. The texts are those of the thread.
async fn has_answered(client: &mut Client, thread_id: &str, expected: &[&str]) {
    let snapshot = client.subscribe(thread_id).await;
    assert_eq!(texts(&events(&snapshot)), expected);
    for run in snapshot["runs"].as_array().unwrap() {
        assert_eq!(run["status"], "succeeded", "{run}");
    }
}

/// Loses the answer to a message whose turn was claimed. The sender does not send it again.
async fn unanswered_message<A: Agent>() {
    let (store, _, server) = forgetful::<A>().await;
    let (mut client, mut reader) = (server.client("ada").await, server.client("bob").await);
    let thread_id = client.start_thread("one").await;
    reader.subscribe(&thread_id).await;
    store.lose("begin_turn");
    let id = client.send_message(Some(&thread_id), "two").await;
    overloaded(&mut client, &id).await;
    says(&mut reader, "two").await;
    says(&mut reader, "You said: two").await;
    reader.read_turn().await;
    let expected = ["one", "You said: one", "two", "You said: two"];
    has_answered(&mut reader, &thread_id, &expected).await;
    server.close([client, reader]).await;
}

#[tokio::test]
async fn turn_runs_if_the_answer_to_its_message_is_lost() {
    unanswered_message::<repeater>().await;
}

#[tokio::test]
async fn manual_turn_runs_if_its_answer_is_lost() {
    unanswered_message::<starter>().await;
}

#[tokio::test]
async fn concurrent_turn_runs_if_its_answer_is_lost() {
    unanswered_message::<parallel>().await;
}

#[tokio::test]
async fn resent_message_is_answered_once() {
    let (store, _, server) = forgetful::<repeater>().await;
    let mut client = server.client("ada").await;
    // The thread is new. Its first reader is the sender, who sends the message again.
    store.lose("begin_turn");
    let id = client.send_message_as("c1", None, "one").await;
    overloaded(&mut client, &id).await;
    let id = client.send_message_as("c1", None, "one").await;
    client
        .read_until("the ack", |frame| frame["payload"]["ack_id"] == id.as_str())
        .await;
    let frames = says(&mut client, "You said: one").await;
    let thread_id = appended(&frames)[0]["thread_id"]
        .as_str()
        .unwrap()
        .to_owned();
    client.read_turn().await;
    has_answered(&mut client, &thread_id, &["one", "You said: one"]).await;
    server.close([client]).await;
}

#[tokio::test]
async fn lost_answer_is_settled_when_the_store_answers() {
    let (store, _, server) = forgetful::<repeater>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("one").await;
    // The store stays silent for a while.
    for method in ["begin_turn", "settled"] {
        store.lose(method);
    }
    let id = client.send_message(Some(&thread_id), "two").await;
    overloaded(&mut client, &id).await;
    says(&mut client, "You said: two").await;
    assert_eq!(store.calls("resume_turn"), 1);
    server.close([client]).await;
}

#[tokio::test]
async fn lost_answers_of_a_retry_lose_no_attempt() {
    let (store, worker, server) = forgetful::<hesitant>().await;
    let mut client = server.client("ada").await;
    // The attempt is given back, and the next one is claimed.
    for method in ["retry_turn", "claim_turn"] {
        store.lose(method);
    }
    let thread_id = client.start_thread("one").await;
    has_answered(&mut client, &thread_id, &["one", "You said: one"]).await;
    // The usage of each attempt counts, and counts once.
    let repository = worker.repository().await.unwrap();
    let used = repository.usage(&scope::<hesitant>()).await.unwrap();
    assert_eq!((used[0].calls, used[0].output_tokens), (2, 2));
    server.close([client]).await;
}

#[tokio::test]
async fn cancelled_turn_ends_if_the_answer_is_lost() {
    let (store, _, server) = forgetful::<endless>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "lost-cancel").await;
    client.expect_ack(&id).await;
    gate::arrived("lost-cancel").await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let frames = client.read_until("the run", is_run).await;
    let run_id = &frames.last().unwrap()["payload"]["run"]["id"];
    store.lose("cancel_turn");
    let id = client.send("run.cancel", json!({"run_id": run_id})).await;
    overloaded(&mut client, &id).await;
    gate::arrived("lost-cancel-dropped").await;
    let frames = client.read_turn().await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "canceled"
    );
    server.close([client]).await;
}

#[tokio::test]
async fn deletion_without_an_answer_is_published() {
    let (store, worker, server) = forgetful::<endless>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "lost-delete").await;
    client.expect_ack(&id).await;
    let created = client.expect("thread.upsert").await;
    let thread_id = created["thread"]["id"].as_str().unwrap();
    gate::arrived("lost-delete").await;
    store.lose("delete_thread");
    let repository = worker.repository().await.unwrap();
    let deleted = repository
        .remove_thread(&scope::<endless>(), thread_id)
        .await;
    deleted.unwrap_err();
    gate::arrived("lost-delete-dropped").await;
    let is_deleted = |frame: &Value| frame["type"] == "thread.deleted";
    client.read_until("the deletion", is_deleted).await;
    server.close([client]).await;
}

#[tokio::test]
async fn edits_without_an_answer_are_published() {
    let (store, worker, server) = forgetful::<repeater>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("one").await;
    let (repository, scope) = (worker.repository().await.unwrap(), scope::<repeater>());
    store.lose("edit_thread");
    let created = repository
        .create_event(&scope, &thread_id, Reply::text("news"))
        .await;
    created.unwrap_err();
    let frames = says(&mut client, "news").await;
    let event_id = appended(&frames).last().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    store.lose("edit_thread");
    let change = |event: EventPatch| event.text("old news");
    let updated = repository.update_event(&scope, &thread_id, &event_id, change);
    updated.await.unwrap_err();
    says(&mut client, "old news").await;
    store.lose("edit_thread");
    let titled = repository.update_thread(&scope, &thread_id, |thread| thread.title("News"));
    titled.await.unwrap_err();
    let has_title = |frame: &Value| frame["payload"]["thread"]["title"] == "News";
    client.read_until("the title", has_title).await;
    server.close([client]).await;
}

fn dispatch<A: Agent>(worker: &WorkerServer, text: &str) -> Dispatch {
    let dispatch = worker.dispatch::<A>().worker("w1").organization("o1");
    dispatch.workspace("s1").user("ada").message(text)
}

/// Loses the answer to the end of a dispatched turn.
async fn unanswered_end<A: Agent>() {
    let (store, worker, server) = forgetful::<A>().await;
    store.lose("finish_turn");
    let turn = dispatch::<A>(&worker, "one").send().await.unwrap();
    let said = within("the end of the turn", turn.text()).await.unwrap();
    assert_eq!(said, "You said: one");
    server.close([]).await;
}

#[tokio::test]
async fn dispatch_ends_if_the_answer_to_the_end_is_lost() {
    unanswered_end::<repeater>().await;
}

#[tokio::test]
async fn manual_dispatch_ends_if_the_answer_is_lost() {
    unanswered_end::<starter>().await;
}

#[tokio::test]
async fn failure_is_reported_if_the_answer_is_lost() {
    let (store, worker, server) = forgetful::<script>().await;
    store.lose("finish_turn");
    let turn = dispatch::<script>(&worker, "fail disk")
        .send()
        .await
        .unwrap();
    let error = within("the end of the turn", turn.text())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the handler failed");
    server.close([]).await;
}
