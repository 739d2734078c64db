//! Several processes on one database.

use crate::history::{events, speakers_and_texts};
use dooers_tests::postgres::{fresh_prefix, url};
use dooers_tests::{Client, Process, RemoteHandlers};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A database and a table prefix that servers share. The tables do not exist yet.
struct SharedTables {
    url: String,
    prefix: String,
}

/// Returns `None` if no database is configured.
fn tables() -> Option<SharedTables> {
    let url = url()?;
    let prefix = fresh_prefix();
    Some(SharedTables { url, prefix })
}

/// Starts a server in its own process.
fn node(tables: &SharedTables) -> Process {
    let variables = [
        ("DATABASE_URL", tables.url.as_str()),
        ("WORKER_DATABASE_TABLE_PREFIX", &tables.prefix),
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_LEASE", "1"),
    ];
    Process::start("remote-handlers", &variables)
}

async fn client(node: &mut Process) -> Client {
    let mut client = Client::open(node.address(), "/ws").await;
    client.connect("ada").await;
    client
}

/// Sends a message and waits for its ack.
async fn send(client: &mut Client, thread_id: Option<&str>, text: &str) {
    let id = client.send_message(thread_id, text).await;
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id;
    let frames = client.read_until("an ack", is_ack).await;
    let ack = &frames.last().unwrap()["payload"];
    assert_eq!(ack["ok"], true, "{ack}");
}

/// Starts a thread and returns its id.
async fn start_thread(client: &mut Client, text: &str) -> String {
    send(client, None, text).await;
    let thread = client.expect("thread.upsert").await;
    thread["thread"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn concurrent_starts_create_the_tables_once() {
    let Some(tables) = tables() else {
        return;
    };
    let mut nodes = [node(&tables), node(&tables), node(&tables)];
    let calls = RemoteHandlers::listen().await;
    let mut processes = HashSet::new();
    for node in &mut nodes {
        let mut client = client(node).await;
        send(&mut client, None, &calls.message("hello")).await;
        let call = calls.next().await;
        processes.insert(call.process);
        call.end().await;
        client.read_turn().await;
        client.disconnect().await;
    }
    assert_eq!(processes.len(), 3);
    for node in nodes {
        node.terminate();
        let (status, _, errors) = node.wait();
        assert_eq!(status, Some(0), "{errors}");
        assert_eq!(errors, "");
    }
}

#[tokio::test]
async fn answer_reaches_a_turn_of_another_process() {
    let Some(tables) = tables() else {
        return;
    };
    let (mut one, mut other) = (node(&tables), node(&tables));
    let (mut ada, mut bob) = (client(&mut one).await, client(&mut other).await);
    let calls = RemoteHandlers::listen().await;
    start_thread(&mut ada, &calls.message("hello")).await;
    let mut call = calls.next().await;
    for answer in ["first", "second"] {
        call.command("ask").await;
        let form = next_form(&mut ada).await;
        let data = json!({"form_event_id": form["id"], "values": {"it": answer}});
        let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
        let payload = json!({"thread_id": form["thread_id"], "event": event});
        let id = bob.send("event.create", payload.clone()).await;
        let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id;
        let frames = bob.read_until("an ack", is_ack).await;
        assert_eq!(frames.last().unwrap()["payload"]["ok"], true, "{frames:?}");
        assert_eq!(call.outcome().await, answer);
        // The process of the turn knows that the form is answered, too.
        let id = ada.send("event.create", payload).await;
        let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id;
        let frames = ada.read_until("an ack", is_ack).await;
        let error = &frames.last().unwrap()["payload"]["error"];
        assert_eq!(error["code"], "CONFLICT", "{frames:?}");
    }
    call.end().await;
    let frames = ada.read_turn().await;
    let run = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(run["status"], "succeeded");
}

/// Reads until the next form.
async fn next_form(client: &mut Client) -> Value {
    let form_in = |frame: &Value| {
        let events = frame["payload"]["events"].as_array()?;
        events.iter().find(|event| event["type"] == "form").cloned()
    };
    let frames = client.read_until("a form", |frame| form_in(frame).is_some());
    form_in(frames.await.last().unwrap()).unwrap()
}

#[tokio::test]
async fn turns_run_in_sequence_across_processes() {
    const MESSAGES: usize = 20;
    let Some(tables) = tables() else {
        return;
    };
    let (mut one, mut other) = (node(&tables), node(&tables));
    let (mut ada, mut bob) = (client(&mut one).await, client(&mut other).await);
    let calls = RemoteHandlers::listen().await;
    let thread_id = start_thread(&mut ada, &calls.message("0")).await;
    let (open, mut keys) = (AtomicUsize::new(0), Vec::new());
    let mut processes = HashSet::new();
    let lead = async {
        while keys.len() <= MESSAGES {
            let mut call = calls.next().await;
            assert_eq!(open.fetch_add(1, Ordering::SeqCst), 0, "two turns at once");
            call.say(&format!("answer to {}", call.key)).await;
            assert_eq!(call.outcome().await, "stored");
            processes.insert(call.process);
            keys.push(call.key.parse::<usize>().unwrap());
            open.fetch_sub(1, Ordering::SeqCst);
            call.end().await;
        }
    };
    let write = async {
        for number in (1..=MESSAGES).step_by(2) {
            let (odd, even) = (number.to_string(), (number + 1).to_string());
            send(&mut ada, Some(&thread_id), &calls.message(&odd)).await;
            send(&mut bob, Some(&thread_id), &calls.message(&even)).await;
        }
    };
    tokio::join!(lead, write);
    // In the order in which they were stored, which is the order of their acks.
    assert_eq!(keys, (0..=MESSAGES).collect::<Vec<_>>());
    let stored = events(&mut bob, &thread_id).await;
    let answers = speakers_and_texts(&stored)
        .into_iter()
        .filter(|(who, _)| *who == "assistant");
    let expected: Vec<_> = keys.iter().map(|key| format!("answer to {key}")).collect();
    assert_eq!(answers.map(|(_, text)| text).collect::<Vec<_>>(), expected);
    ada.disconnect().await;
    bob.disconnect().await;
}

#[tokio::test]
async fn late_write_of_a_frozen_process_is_rejected() {
    let Some(tables) = tables() else {
        return;
    };
    let (mut frozen, mut living) = (node(&tables), node(&tables));
    let (mut ada, mut bob) = (client(&mut frozen).await, client(&mut living).await);
    let calls = RemoteHandlers::listen().await;
    let thread_id = start_thread(&mut ada, &calls.message("first")).await;
    let mut first = calls.next().await;
    first.say("in time").await;
    assert_eq!(first.outcome().await, "stored");

    frozen.signal("STOP");
    send(&mut bob, Some(&thread_id), &calls.message("second")).await;
    // The other process takes over the thread when the lease expires.
    let mut second = calls.next().await;
    assert_eq!(second.key, "second");
    assert_ne!(second.process, first.process);
    first.say("late").await;
    frozen.signal("CONT");
    // The write of the old handler is rejected, or the handler is dropped before it.
    let outcome = first.outcome().await;
    assert!(outcome != "stored", "{outcome}");
    second.say("answer").await;
    assert_eq!(second.outcome().await, "stored");
    second.end().await;
    bob.read_turn().await;

    let stored = events(&mut bob, &thread_id).await;
    let published = speakers_and_texts(&stored);
    assert_eq!(published[1], ("assistant", "in time"));
    let others: Vec<_> = published.iter().map(|(who, _)| *who).collect();
    assert!(
        matches!(
            others[..],
            ["user", "assistant", "user", "system", "assistant"]
        ),
        "{published:?}"
    );
    assert_eq!(published[4], ("assistant", "answer"));
    // The frozen process continues to work.
    send(&mut ada, Some(&thread_id), &calls.message("third")).await;
    let third = calls.next().await;
    assert_eq!(third.process, first.process);
    third.end().await;
    ada.disconnect().await;
    bob.disconnect().await;
}

#[tokio::test]
async fn queue_of_a_killed_process_is_taken_over() {
    let Some(tables) = tables() else {
        return;
    };
    let (mut killed, mut living) = (node(&tables), node(&tables));
    let (mut ada, mut bob) = (client(&mut killed).await, client(&mut living).await);
    let calls = RemoteHandlers::listen().await;
    let thread_id = start_thread(&mut ada, &calls.message("first")).await;
    let first = calls.next().await;
    for key in ["second", "third"] {
        send(&mut ada, Some(&thread_id), &calls.message(key)).await;
    }
    bob.subscribe(&thread_id).await;
    killed.signal("KILL");
    for key in ["second", "third"] {
        let mut call = calls.next().await;
        assert_eq!(call.key, key);
        assert_ne!(call.process, first.process);
        call.say(&format!("answer to {key}")).await;
        assert_eq!(call.outcome().await, "stored");
        call.end().await;
    }
    bob.read_turn().await;
    bob.read_turn().await;
    let stored = events(&mut bob, &thread_id).await;
    let published = speakers_and_texts(&stored);
    let answers = [
        ("assistant", "answer to second"),
        ("assistant", "answer to third"),
    ];
    assert_eq!(published[published.len() - 2..], answers, "{published:?}");
    let interrupted = published.iter().filter(|(who, _)| *who == "system");
    assert_eq!(interrupted.count(), 1, "{published:?}");
    bob.disconnect().await;
}
