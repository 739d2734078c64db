//! Fast, slow and returning readers receive the changes of the program in order and end with equal views.

use crate::fixtures::{appended, scope, start_server, start_server_with, subscribed, teller, text};
use dooers::Database;
use dooers::WorkerServer;
use dooers::prelude::*;
use dooers::repository::{Repository, RunPatch};
use dooers_tests::{Client, Server, SpyStore, in_memory, within};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A client's view of a thread: its events by `seq`, and its runs.
#[derive(Debug, Default, PartialEq)]
struct ClientView {
    title: Value,
    events: BTreeMap<u64, Value>,
    runs: BTreeMap<String, Value>,
}

impl ClientView {
    fn take(&mut self, frame: &Value) {
        let payload = &frame["payload"];
        match frame["type"].as_str().unwrap() {
            "thread.upsert" => self.title = payload["thread"]["title"].clone(),
            "thread.snapshot" => {
                self.title = payload["thread"]["title"].clone();
                for run in payload["runs"].as_array().unwrap() {
                    self.run(run);
                }
                self.append(payload);
            }
            "event.append" => self.append(payload),
            "run.upsert" => self.run(&payload["run"]),
            other => panic!("unexpected {other}: {frame}"),
        }
    }

    fn append(&mut self, payload: &Value) {
        for event in payload["events"].as_array().unwrap() {
            let seq = event["seq"].as_u64().unwrap();
            let next = self.events.keys().last().map_or(seq, |last| last + 1);
            assert!(seq <= next, "the place {seq} comes after {}", next - 1);
            self.events.insert(seq, event.clone());
        }
    }

    fn run(&mut self, run: &Value) {
        let id = run["id"].as_str().unwrap().to_owned();
        self.runs.insert(id, run.clone());
    }
}

/// Makes all kinds of changes. The last one sets the title.
async fn change_everything(repository: &Repository, rounds: u32, padding: usize) {
    let here = &scope();
    let padding = "x".repeat(padding);
    for round in 0..rounds {
        let run = repository.create_run(here, "t").await.unwrap();
        let reply = |name: &str| Reply::text(format!("{round} {name} {padding}"));
        let one = repository
            .create_event(here, "t", reply("one"))
            .run(&run.id)
            .await
            .unwrap();
        let two = repository
            .create_event(here, "t", reply("two"))
            .await
            .unwrap();
        let text = format!("{round} changed {padding}");
        repository
            .update_event(here, "t", &one.id, |event| event.text(text))
            .await
            .unwrap();
        repository.remove_event(here, "t", &two.id).await.unwrap();
        repository
            .update_run(here, "t", &run.id, RunPatch::succeeded)
            .await
            .unwrap();
    }
    repository
        .update_thread(here, "t", |thread| thread.title("The end"))
        .await
        .unwrap();
}

/// Reads until the last change.
async fn read(client: &mut Client, shown: &mut ClientView) {
    let is_last = |frame: &Value| frame["payload"]["thread"]["title"] == "The end";
    for frame in client.read_until("the last change", is_last).await {
        shown.take(&frame);
    }
}

/// The view of a fresh client.
async fn fresh(server: &Server) -> ClientView {
    let mut client = server.client("new").await;
    let mut shown = ClientView::default();
    let snapshot = client.subscribe("t").await;
    shown.take(&json!({"type": "thread.snapshot", "payload": snapshot}));
    client.disconnect().await;
    shown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_fast_readers_end_with_equal_views() {
    let config = in_memory().limits(|limits| {
        limits.outbound_frames = 16;
        limits.outbound_bytes = 16 * 1024;
    });
    let worker = WorkerServer::new(config).agent::<teller>();
    let server = Server::start_with_small_buffers(worker.clone()).await;
    let repository = worker.repository().await.unwrap();
    let (mut quick, mut slow) = (
        server.client("ada").await,
        server.client_with_small_buffer("bob").await,
    );
    subscribed(&repository, &mut quick, "t").await;
    slow.read_pending().await;
    slow.subscribe("t").await;
    let (mut at_once, mut late) = (ClientView::default(), ClientView::default());
    let writing = change_everything(&repository, 45, 4_000);
    tokio::join!(writing, read(&mut quick, &mut at_once));
    read(&mut slow, &mut late).await;
    assert_eq!(at_once.events.len(), 90);
    // The slow client may receive only the end of a run that started and ended in the meantime.
    assert_eq!(late, at_once);
    let fresh = fresh(&server).await;
    assert_eq!(fresh.events, at_once.events);
    server.close([quick, slow]).await;
}

#[tokio::test]
async fn returning_reader_receives_missed_changes() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    ada.run_turn("t", "hello").await;
    let mut shown = ClientView::default();
    let snapshot = ada.subscribe("t").await;
    shown.take(&json!({"type": "thread.snapshot", "payload": snapshot}));
    let last = shown.events[&2]["id"].as_str().unwrap().to_owned();
    ada.disconnect().await;

    repository
        .update_event(&scope(), "t", &last, |event| event.text("corrected"))
        .await
        .unwrap();
    change_everything(&repository, 3, 1).await;
    let mut again = server.client("ada").await;
    let resume = json!({"thread_id": "t", "after_event_id": last});
    again.send("thread.subscribe", resume).await;
    let snapshot = again.expect("thread.snapshot").await;
    assert_eq!(snapshot["recovered"], true);
    shown.take(&json!({"type": "thread.snapshot", "payload": snapshot}));
    let fresh = fresh(&server).await;
    // Includes runs that the snapshot omitted.
    let has_all = |shown: &ClientView| {
        let has_run = |(id, run): (&String, &Value)| shown.runs.get(id) == Some(run);
        shown.events == fresh.events && fresh.runs.iter().all(has_run)
    };
    while !has_all(&shown) {
        shown.take(&again.next().await);
    }
    assert_eq!(text(&shown.events[&2]), "corrected");
    assert_eq!(shown.events[&4]["deleted"], true);
    for frame in again.read_pending().await {
        shown.take(&frame);
    }
    assert!(has_all(&shown), "nothing out of date follows");
    server.close([again]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turn_and_program_writes_have_one_order() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let mut bob = server.client("bob").await;
    bob.subscribe("t").await;
    let conversing = async {
        for number in 0..20 {
            let id = ada.send_message(Some("t"), &number.to_string()).await;
            let is_answer = |frame: &Value| {
                text(
                    &appended(std::slice::from_ref(frame))
                        .pop()
                        .unwrap_or_default(),
                ) == format!("You said: {number}")
            };
            let frames = ada.read_until("the answer", is_answer).await;
            assert!(frames.iter().any(|frame| frame["payload"]["ack_id"] == *id));
        }
    };
    let announcing = async {
        for number in 0..60 {
            let reply = Reply::text(format!("news {number}"));
            repository.create_event(&scope(), "t", reply).await.unwrap();
        }
    };
    tokio::join!(conversing, announcing);
    repository
        .update_thread(&scope(), "t", |thread| thread.title("The end"))
        .await
        .unwrap();
    let mut shown = ClientView::default();
    read(&mut bob, &mut shown).await;
    assert_eq!(shown.events.len(), 100);
    let news: Vec<_> = shown
        .events
        .values()
        .map(text)
        .filter(|text| text.starts_with("news"))
        .collect();
    let expected: Vec<_> = (0..60).map(|number| format!("news {number}")).collect();
    assert_eq!(news, expected);
    server.close([ada, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_call_is_still_published() {
    let store = SpyStore::memory();
    let config = in_memory().database(Database::Custom(store.clone()));
    let (server, repository) = start_server_with(WorkerServer::new(config)).await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let mut held = store.hold("edit_thread");
    let scope = scope();
    let create = repository
        .create_event(&scope, "t", Reply::text("news"))
        .into_future();
    let given_up = tokio::spawn(create);
    held.reached().await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    held.release();
    let published = within("the event", ada.expect("event.append")).await;
    assert_eq!(text(&published["events"][0]), "news");
    ada.expect("thread.upsert").await;
    repository
        .create_event(&scope, "t", Reply::text("more"))
        .await
        .unwrap();
    assert_eq!(ada.expect("event.append").await["events"][0]["seq"], 2);
    ada.read_pending().await;
    server.close([ada]).await;
}
