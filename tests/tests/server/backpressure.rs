//! Clients that request much and read nothing.

use crate::agents::script;
use crate::asserts::{appended, events, seqs};
use dooers::{Limits, WorkerServer};
use dooers_tests::{Client, RawClient, Server, frame_bytes, opcode, within};
use serde_json::{Value, json};
use std::time::Duration;

const KIB: usize = 1024;

async fn server(change: impl FnOnce(&mut Limits)) -> Server {
    let config = dooers_tests::in_memory().limits(change);
    Server::start_with_small_buffers(WorkerServer::new(config).agent::<script>()).await
}

/// Runs a turn of the program in the thread `t`.
async fn say(server: &Server, text: &str) {
    let turn = server.worker().dispatch::<script>();
    let turn = turn.worker("w1").organization("o1").workspace("s1");
    let sent = turn.thread("t").message(text).send().await.unwrap();
    within("the turn", sent.text()).await.unwrap();
}

fn request(kind: &str, payload: &Value) -> Vec<u8> {
    let frame = json!({"id": kind, "type": kind, "payload": payload}).to_string();
    frame_bytes(opcode::TEXT, true, true, frame.as_bytes())
}

/// Requests the events of thread `t`, and waits until the response starts to arrive without reading it.
async fn ask_and_read_nothing(server: &Server) -> RawClient {
    let mut client = server.client_with_small_buffer("greedy").await.into_raw();
    client
        .write(&request("thread.subscribe", &json!({"thread_id": "t"})))
        .await;
    client.wait_readable().await;
    client
}

/// The next page of events. Skips thread rows before it.
async fn next_page(client: &mut Client) -> Value {
    let is_row = |frame: &Value| frame["type"] == "thread.upsert";
    let frames = client.read_until("a page", |frame| !is_row(frame)).await;
    let mut page = frames.into_iter().next_back().unwrap();
    assert_eq!(page["type"], "event.list.result");
    page["payload"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn greedy_clients_do_not_delay_others() {
    let server = server(|limits| limits.answer_bytes = 64 * KIB).await;
    let mut polite = server.client("ada").await;
    let thread_id = polite.start_thread("large 100 20000").await;
    let mut greedy = Vec::new();
    for _ in 0..20 {
        let mut client = server.client_with_small_buffer("bob").await;
        for _ in 0..5 {
            let page = json!({"thread_id": thread_id, "limit": 200});
            client.send("event.list", page).await;
        }
        greedy.push(client);
    }
    for number in 0..10 {
        polite.expect_nothing().await;
        let frames = polite.run_turn(&thread_id, "say one").await;
        assert_eq!(
            seqs(&appended(&frames)),
            [102 + 2 * number, 103 + 2 * number]
        );
    }
    // Greedy clients that finally read receive all their responses.
    for client in &mut greedy {
        for _ in 0..5 {
            let page = next_page(client).await;
            let bytes = page.to_string().len();
            assert!(bytes < 70 * KIB, "{bytes} bytes");
            assert_eq!(page["has_more"], true);
            assert!(events(&page).len() >= 3);
        }
        client.read_pending().await;
    }
    greedy.push(polite);
    server.close(greedy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_behind_unread_responses_waits() {
    let server = server(|limits| {
        limits.answer_bytes = 64 * KIB;
        limits.outbound_bytes = 128 * KIB;
    })
    .await;
    let mut polite = server.client("ada").await;
    let thread_id = polite.start_thread("large 100 20000").await;
    let mut greedy = server.client_with_small_buffer("bob").await;
    for _ in 0..10 {
        let page = json!({"thread_id": thread_id, "limit": 200});
        greedy.send("event.list", page).await;
    }
    greedy.send_message(Some(&thread_id), "say late").await;
    // Of 640 KiB of responses, 64 KiB may be queued, so the message is not accepted yet.
    for number in 0..20 {
        let frames = polite.run_turn(&thread_id, "say one").await;
        assert_eq!(
            seqs(&appended(&frames)),
            [102 + 2 * number, 103 + 2 * number]
        );
    }
    for _ in 0..10 {
        next_page(&mut greedy).await;
    }
    let frames = greedy.read_turn().await;
    assert_eq!(seqs(&appended(&frames)), [142, 143]);
    server.close([polite, greedy]).await;
}

/// A server on which 2 MB of unread frames of one client exceed the total limit.
async fn crowded_server(change: impl FnOnce(&mut Limits)) -> Server {
    let server = server(|limits| {
        limits.answer_bytes = 16 * KIB * KIB;
        limits.outbound_total = 256 * KIB;
        change(limits);
    })
    .await;
    say(&server, "large 100 20000").await;
    server
}

async fn polite(server: &Server) -> Client {
    let mut client = server.client("ada").await;
    client.expect_nothing().await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_continue_after_a_greedy_client_left() {
    let server = crowded_server(|_| {}).await;
    let mut polite = polite(&server).await;
    let page = json!({"thread_id": "t", "limit": 1});
    polite
        .request("event.list", page.clone(), "event.list.result")
        .await;
    let greedy = ask_and_read_nothing(&server).await;
    polite.send("ping", json!({})).await;
    polite.send("event.list", page).await;
    // The program continues. The client is not subscribed yet.
    say(&server, "say one").await;
    drop(greedy);
    let frames = polite
        .read_until("a page", |frame| frame["type"] == "event.list.result")
        .await;
    let kinds = crate::asserts::kinds(&frames);
    assert_eq!(kinds[kinds.len() - 2..], ["pong", "event.list.result"]);
    server.close([polite]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_receive_live_frames_above_the_total_limit() {
    let server = crowded_server(|_| {}).await;
    let mut reading = polite(&server).await;
    let subscribe = json!({"thread_id": "t"});
    let snapshot = reading
        .request("thread.subscribe", subscribe, "thread.snapshot")
        .await;
    assert_eq!(events(&snapshot).len(), 100);
    reading.expect_nothing().await;
    let _greedy = ask_and_read_nothing(&server).await;
    reading.send("ping", json!({})).await;
    for number in 0..5 {
        say(&server, "large 3 1000").await;
        let frames = reading.read_turn().await;
        assert!(!crate::asserts::kinds(&frames).contains(&"pong"));
        let first = 102 + 4 * number;
        assert_eq!(
            seqs(&appended(&frames)),
            (first..first + 4).collect::<Vec<_>>()
        );
    }
    server.close([reading]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_continue_after_a_client_stalled() {
    let server = crowded_server(|limits| {
        limits.stall_timeout = Duration::from_millis(1500);
        // Much shorter than the wait. A pong that the server has not read yet does not count as missing.
        limits.ping_interval = Duration::from_millis(100);
        limits.pong_timeout = Duration::from_millis(400);
    })
    .await;
    let mut polite = polite(&server).await;
    let mut greedy = ask_and_read_nothing(&server).await;
    polite.send("ping", json!({})).await;
    polite.expect("pong").await;
    assert_eq!(greedy.close_code().await, None);
    server.close([polite]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drip_reader_is_closed_above_the_total_limit() {
    let stall = Duration::from_millis(500);
    let server = crowded_server(|limits| limits.stall_timeout = stall).await;
    let mut polite = polite(&server).await;
    let mut greedy = ask_and_read_nothing(&server).await;
    polite.send("ping", json!({})).await;
    // The client reads 2 MB in 5 seconds and never stalls.
    let dripping = greedy.drip(8 * KIB, Duration::from_millis(20));
    let (bytes, ()) = tokio::join!(dripping, async {
        polite.expect("pong").await;
    });
    assert!(bytes < 1_500_000, "{bytes} bytes were read");
    server.close([polite]).await;
}
