//! Responses that would exceed the size limit.

use crate::agents::script;
use crate::asserts::{appended, events, seqs, string};
use dooers_tests::{Client, Identity, Server};
use serde_json::{Value, json};

const ANSWER: usize = 64 * 1024;

/// The part of a frame besides its events or threads: the thread, runs, and member names.
const BESIDE: usize = 8 * 1024;

/// A server with a small response limit.
async fn server() -> Server {
    Server::with::<script>(|config| config.limits(|limits| limits.answer_bytes = ANSWER)).await
}

/// A thread with 1 + `count` events of this size. Returns the ids of its events.
async fn thread(client: &mut Client, count: usize, bytes: usize) -> (String, Vec<String>) {
    let id = client
        .send_message(None, &format!("large {count} {bytes}"))
        .await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let ids = appended(&frames)
        .iter()
        .map(|event| string(&event["id"]))
        .collect();
    (string(&frames[0]["payload"]["thread"]["id"]), ids)
}

/// Sends a request. Returns the payload of the answer after checking its size.
async fn ask(client: &mut Client, kind: &str, payload: Value, answer: &str) -> Value {
    client.send(kind, payload).await;
    let text = client.next_text().await;
    assert!(text.len() <= ANSWER + BESIDE, "{} bytes", text.len());
    let mut frame: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(frame["type"], answer);
    frame["payload"].take()
}

#[tokio::test]
async fn pages_start_at_the_end_of_the_snapshot() {
    let server = server().await;
    let mut client = server.client("ada").await;
    let (thread_id, _) = thread(&mut client, 50, 10_000).await;
    let subscribe = json!({"thread_id": thread_id});
    let snapshot = ask(
        &mut client,
        "thread.subscribe",
        subscribe,
        "thread.snapshot",
    )
    .await;
    assert_eq!(snapshot["has_more"], true);
    let mut shown = events(&snapshot);
    assert_eq!(seqs(&shown), [46, 47, 48, 49, 50, 51]);
    let mut before = shown[0]["id"].clone();
    loop {
        let page = json!({"thread_id": thread_id, "limit": 200, "before_event_id": before});
        let page = ask(&mut client, "event.list", page, "event.list.result").await;
        let mut older = events(&page);
        assert!((1..=7).contains(&older.len()));
        before = page["cursor"].clone();
        assert_eq!(page["has_more"], !before.is_null());
        older.append(&mut shown);
        shown = older;
        if before.is_null() {
            break;
        }
        assert_eq!(before, shown[0]["id"]);
    }
    assert_eq!(seqs(&shown), (1..=51).collect::<Vec<_>>());
    server.close([client]).await;
}

#[tokio::test]
async fn one_event_may_exceed_the_limit() {
    let server = server().await;
    let mut client = server.client("ada").await;
    let (thread_id, ids) = thread(&mut client, 2, 100_000).await;
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(seqs(&events(&snapshot)), [3]);
    assert_eq!(snapshot["has_more"], true);
    let page = json!({"thread_id": thread_id, "before_event_id": ids[2]});
    let page = client
        .request("event.list", page, "event.list.result")
        .await;
    assert_eq!(seqs(&events(&page)), [2]);
    assert_eq!(
        (&page["has_more"], &page["cursor"]),
        (&json!(true), &json!(ids[1]))
    );
    server.close([client]).await;
}

#[tokio::test]
async fn thread_list_continues_at_its_cursor() {
    let server = server().await;
    let mut client = server.client("ada").await;
    let metadata = json!({"about": "x".repeat(10_000)});
    for _ in 0..20 {
        let event = json!({"type": "message", "actor": "user", "content": [{"type": "text", "text": "say one"}]});
        let payload = json!({"event": event, "metadata": metadata});
        let id = client.send("event.create", payload).await;
        client.expect_ack(&id).await;
        client.read_turn().await;
    }
    let mut ids = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let payload = json!({"limit": 100, "cursor": cursor});
        let page = ask(&mut client, "thread.list", payload, "thread.list.result").await;
        let threads = page["threads"].as_array().unwrap();
        assert!((1..=6).contains(&threads.len()));
        assert_eq!(page["total_count"], if ids.is_empty() { 20 } else { 0 });
        ids.extend(threads.iter().map(|thread| string(&thread["id"])));
        cursor = page["cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((count, ids.len()), (20, 20));
    server.close([client]).await;
}

#[tokio::test]
async fn resume_by_agent_id_sends_the_rest_as_events() {
    let server = server().await;
    let mut client = server.client("ada").await;
    let (thread_id, ids) = thread(&mut client, 50, 10_000).await;
    let mut back = server.client("bob").await;
    let payload = json!({"thread_id": thread_id, "after_event_id": ids[9]});
    let snapshot = ask(&mut back, "thread.subscribe", payload, "thread.snapshot").await;
    assert_eq!(snapshot["recovered"], true);
    assert_eq!(seqs(&events(&snapshot)), (11..=16).collect::<Vec<_>>());
    let mut rest = Vec::new();
    while rest.len() < 35 {
        rest.extend(appended(&[back.next().await]));
    }
    assert_eq!(seqs(&rest), (17..=51).collect::<Vec<_>>());
    // Live frames follow.
    back.read_pending().await;
    let frames = back.run_turn(&thread_id, "say one").await;
    assert_eq!(seqs(&appended(&frames)), [52, 53]);
    server.close([client, back]).await;
}

#[tokio::test]
async fn oversized_resume_by_worker_id_starts_over() {
    let server = server().await;
    let mut client = server.client("ada").await;
    let (thread_id, ids) = thread(&mut client, 50, 10_000).await;
    let mut back = server.client(Identity::of("bob").using_worker_id()).await;
    for (missed, shown, recovered) in [(0, 6, true), (6, 6, true), (7, 6, false), (41, 6, false)] {
        let payload = json!({"thread_id": thread_id, "after_event_id": ids[50 - missed]});
        let snapshot = ask(&mut back, "thread.subscribe", payload, "thread.snapshot").await;
        assert_eq!(snapshot["recovered"], recovered, "{missed} missed");
        assert_eq!(snapshot["has_more"], true);
        assert_eq!(
            seqs(&events(&snapshot)),
            (52 - shown..=51).collect::<Vec<_>>()
        );
        back.expect_nothing().await;
    }
    // Live frames follow.
    let frames = back.run_turn(&thread_id, "say one").await;
    assert_eq!(seqs(&appended(&frames)), [52, 53]);
    server.close([client, back]).await;
}
