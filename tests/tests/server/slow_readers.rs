//! Clients that do not read or do not answer.

use crate::agents::script;
use crate::asserts::{appended, events, kinds, seqs, text};
use dooers::{Limits, WorkerServer};
use dooers_tests::{Client, Server, frame_bytes, opcode, within};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Larger than any response in these tests.
const LARGE: usize = 16 * 1024 * 1024;

/// A server with small queues and small buffers.
async fn small(change: impl FnOnce(&mut Limits)) -> Server {
    let config = dooers_tests::in_memory().limits(|limits| {
        limits.outbound_frames = 16;
        limits.outbound_bytes = 16 * 1024;
        change(limits);
    });
    Server::start_with_small_buffers(WorkerServer::new(config).agent::<script>()).await
}

/// All frames of a turn. Checks that each thread row is at least as new as the previous one.
async fn whole_turn(client: &mut Client, last_seq: u64) -> Vec<Value> {
    let mut frames = Vec::new();
    loop {
        frames.append(&mut client.read_turn().await);
        let shown = appended(&frames);
        if shown.last().is_some_and(|event| event["seq"] == last_seq) {
            return frames;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_client_misses_nothing_and_delays_no_one() {
    let server = small(|_| {}).await;
    let mut reading = server.client("ada").await;
    let thread_id = reading.start_thread("say one").await;
    let mut slow = server.client_with_small_buffer("bob").await;
    slow.subscribe(&thread_id).await;

    // 3 MB for each client. The queue and buffers of the slow one hold a small part of it.
    reading
        .send_message(Some(&thread_id), "large 3000 1000")
        .await;
    let frames = reading.read_turn().await;
    assert_eq!(appended(&frames).len(), 3001);
    let frames = reading.run_turn(&thread_id, "title Later\nsay last").await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );

    let frames = whole_turn(&mut slow, 3005).await;
    let got = appended(&frames);
    assert_eq!(seqs(&got), (3..=3005).collect::<Vec<_>>());
    assert!(text(&got[3000]).starts_with("3000 xxx"));
    assert_eq!(text(&got[3002]), "last");
    assert_in_order(&frames);
    // Live frames follow.
    slow.read_pending().await;
    let frames = slow.run_turn(&thread_id, "say live").await;
    assert_eq!(seqs(&appended(&frames)), [3006, 3007]);
    reading.read_turn().await;
    server.close([reading, slow]).await;
}

/// Checks that no row of the thread arrives before an event that is older than it.
pub(crate) fn assert_in_order(frames: &[Value]) {
    let mut newest = String::new();
    for frame in frames {
        let time = match frame["type"].as_str() {
            Some("event.append") => &frame["payload"]["events"][0]["created_at"],
            Some("thread.upsert") => &frame["payload"]["thread"]["last_event_at"],
            _ => continue,
        };
        let time = time.as_str().unwrap();
        assert!(
            time >= newest.as_str(),
            "{time} comes after {newest}: {frame}"
        );
        newest = time.to_owned();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_client_receives_many_threads_in_order() {
    let server = small(|_| {}).await;
    let mut reading = server.client("ada").await;
    let mut slow = server.client_with_small_buffer("bob").await;
    let mut threads = Vec::new();
    for _ in 0..5 {
        let thread_id = reading.start_thread("say one").await;
        slow.read_pending().await;
        slow.subscribe(&thread_id).await;
        threads.push(thread_id);
    }
    for thread_id in &threads {
        reading
            .send_message(Some(thread_id), "large 200 1000")
            .await;
    }
    for _ in &threads {
        reading.read_turn().await;
    }
    let mut frames = Vec::new();
    for _ in &threads {
        frames.append(&mut slow.read_turn().await);
    }
    for thread_id in &threads {
        let of_thread: Vec<Value> = frames
            .iter()
            .filter(|frame| frame["payload"]["thread_id"] == thread_id.as_str())
            .cloned()
            .collect();
        assert_eq!(seqs(&appended(&of_thread)), (3..=203).collect::<Vec<_>>());
    }
    server.close([reading, slow]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_non_subscriber_receives_the_newest_row() {
    let server = small(|_| {}).await;
    let mut reading = server.client("ada").await;
    let mut slow = server.client_with_small_buffer("bob").await;
    let thread_id = reading.start_thread("say one").await;
    for number in 0..300 {
        let line = format!("title {number} {}", "x".repeat(1000));
        reading.run_turn(&thread_id, &line).await;
    }
    reading.run_turn(&thread_id, "title done").await;
    // Rows that were replaced before they could be sent may be skipped, but the newest must arrive.
    let is_newest = |frame: &Value| frame["payload"]["thread"]["title"] == "done";
    let frames = slow.read_until("the newest row", is_newest).await;
    assert!(kinds(&frames).iter().all(|kind| *kind == "thread.upsert"));
    assert_in_order(&frames);
    server.close([reading, slow]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_larger_than_all_limits_arrive() {
    let server = small(|limits| limits.answer_bytes = LARGE).await;
    let mut client = server.client_with_small_buffer("ada").await;
    let thread_id = client.start_thread("large 200 20000").await;
    for _ in 0..3 {
        let page = json!({"thread_id": thread_id, "limit": 200});
        client.send("event.list", page).await;
        client
            .send("thread.subscribe", json!({"thread_id": thread_id}))
            .await;
    }
    for _ in 0..3 {
        let page = client.expect("event.list.result").await;
        assert_eq!(events(&page).len(), 200);
        let snapshot = client.expect("thread.snapshot").await;
        assert_eq!(events(&snapshot).len(), 100);
    }
    server.close([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_never_reads_is_closed() {
    let server = small(|limits| limits.stall_timeout = Duration::from_millis(100)).await;
    say(&server, "say one").await;
    let mut slow = server.client_with_small_buffer("bob").await;
    slow.subscribe("t").await;
    say(&server, "large 3000 1000").await;

    // The client keeps writing, which fails once the server has ended the connection.
    let mut slow = slow.into_raw();
    slow.write_until_refused(&text_frame(PING)).await;
    assert_eq!(say(&server, "say two").await, "two");
    server.close([]).await;
}

/// Dispatches a message of the program in the thread `t` and returns its answer. On a busy machine, a further
/// client could be mistaken for one that never reads.
async fn say(server: &Server, text: &str) -> String {
    let turn = server.worker().dispatch::<script>();
    let turn = turn.worker("w1").organization("o1").workspace("s1");
    let sent = turn.thread("t").message(text).send().await.unwrap();
    within("the turn", sent.text()).await.unwrap()
}

const PING: &str = r#"{"id":"1","type":"ping"}"#;

const SUBSCRIBE: &str = r#"{"id":"2","type":"thread.subscribe","payload":{"thread_id":"t"}}"#;

fn text_frame(text: &str) -> Vec<u8> {
    frame_bytes(opcode::TEXT, true, true, text.as_bytes())
}

/// The type of a frame, and the number of its events.
fn kind_of((opcode, payload): (u8, Vec<u8>)) -> (String, usize) {
    assert_eq!(opcode, opcode::TEXT, "{payload:?}");
    let frame: Value = serde_json::from_slice(&payload).unwrap();
    let events = frame["payload"]["events"].as_array();
    let kind = frame["type"].as_str().unwrap();
    (kind.to_owned(), events.map_or(0, Vec::len))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steady_slow_reader_receives_a_large_frame() {
    const STALL: Duration = Duration::from_millis(200);
    let server = small(|limits| {
        limits.stall_timeout = STALL;
        limits.answer_bytes = LARGE;
    })
    .await;
    say(&server, "large 100 20000").await;
    let mut slow = server.client_with_small_buffer("bob").await.into_raw();
    slow.write(&text_frame(SUBSCRIBE)).await;
    let begun = Instant::now();
    // 2 MB take at least a second.
    let tick = Duration::from_millis(4);
    let snapshot = kind_of(slow.next_slowly(8 * 1024, tick).await);
    assert_eq!(snapshot, ("thread.snapshot".to_owned(), 100));
    assert!(begun.elapsed() > 4 * STALL);
    slow.write(&text_frame(PING)).await;
    assert_eq!(kind_of(slow.next().await).0, "pong");
    server.close([]).await;
}

#[tokio::test]
async fn late_pong_behind_queued_frames_is_accepted() {
    let server = small(|limits| {
        limits.ping_interval = Duration::from_millis(500);
        limits.pong_timeout = Duration::from_millis(30);
    })
    .await;
    // A snapshot of 26 KB, for which a slow reader has 26 s, but which fits into the socket buffers.
    say(&server, "large 20 1000").await;
    let mut slow = server.client("bob").await.into_raw();
    assert_eq!(slow.next().await.0, opcode::PING);
    slow.write(&frame_bytes(opcode::PONG, true, true, b""))
        .await;
    slow.write(&text_frame(SUBSCRIBE)).await;
    // The next ping is queued behind the snapshot. Clients without pongs measure the elapsed time.
    for _ in 0..3 {
        let mut silent = server.client("ada").await.into_raw();
        assert_eq!(silent.close_code().await, Some(1013));
    }
    assert_eq!(kind_of(slow.next().await).0, "thread.snapshot");
    assert_eq!(slow.next().await.0, opcode::PING);
    slow.write(&text_frame(PING)).await;
    assert_eq!(kind_of(slow.next().await).0, "pong");
    server.close([]).await;
}

#[tokio::test]
async fn client_without_pongs_is_closed_with_1013() {
    let server = small(|limits| {
        limits.ping_interval = Duration::from_millis(30);
        limits.pong_timeout = Duration::from_millis(30);
    })
    .await;
    let mut silent = server.client("ada").await.into_raw();
    assert_eq!(silent.close_code().await, Some(1013));
    server.close([]).await;
}

#[tokio::test]
async fn client_that_answers_pings_stays_connected() {
    let server = small(|limits| {
        limits.ping_interval = Duration::from_millis(20);
        limits.pong_timeout = Duration::from_secs(1);
    })
    .await;
    // A client without pongs measures the elapsed time.
    let mut silent = server.client("ada").await.into_raw();
    let mut alive = server.client("ada").await;
    let closing = silent.close_code();
    tokio::pin!(closing);
    loop {
        tokio::select! {
            code = &mut closing => break assert_eq!(code, Some(1013)),
            () = alive.expect_nothing() => {}
        }
    }
    alive.expect_nothing().await;
    server.close([alive]).await;
}
