//! Tests of the sender with a receiver on a real socket.

use super::client::{Client, SendError};
use super::options::{AnalyticsWebhook, Pace};
use super::sender::{DroppedEvents, Sender};
use crate::back_off::BackOff;
use crate::http::HttpError;
use crate::http::receiver::{LONG, Reaction, ReceivedRequest, Receiver, answer};
use crate::protocol::{AnalyticsEvent, timestamp};
use crate::settings::Secret;
use crate::store::{AnalyticsFilter, BatchClaim, LONGEST_BATCH_WAIT, MemoryStore, Store};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{advance, timeout};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "a secret of enough bytes";

/// A webhook of this receiver, whose sender repeats at once.
fn webhook(receiver: &Receiver) -> AnalyticsWebhook {
    let url = format!("http://127.0.0.1:{}/in?key=1", receiver.port);
    let mut webhook = AnalyticsWebhook::builder(url, Secret::new(SECRET))
        .max_age(Duration::ZERO)
        .timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    webhook.pace = Pace {
        poll: Duration::from_millis(1),
        trim: Duration::from_millis(1),
        last_moments: LONG,
        back_off: BackOff {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(2),
            longest_asked: LONGEST_BATCH_WAIT,
        },
    };
    webhook
}

/// Starts to send the events of a store. `stopped` stops it.
fn send(
    store: &Arc<dyn Store>,
    webhook: AnalyticsWebhook,
    stopped: &CancellationToken,
) -> JoinHandle<()> {
    let sender = Sender::new(Arc::clone(store), webhook, LONG);
    tokio::spawn(sender.run(stopped.clone()))
}

async fn store_with(names: &[&str]) -> Arc<dyn Store> {
    let store = MemoryStore::new();
    store.keep_outbox(Some(AnalyticsFilter::default()));
    let events = names.iter();
    let events = events.map(|name| AnalyticsEvent::new(*name, "w1", timestamp::now()));
    store.append_outbox(events.collect()).await.unwrap();
    Arc::new(store)
}

fn names(body: &Value) -> Vec<&str> {
    let events = body["events"].as_array().unwrap().iter();
    events
        .map(|event| event["event"].as_str().unwrap())
        .collect()
}

/// Waits until a store has no event that waits for the webhook.
async fn emptied(store: &Arc<dyn Store>) {
    let empty = async {
        while store.trim_outbox(0).await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, empty).await.unwrap();
}

#[tokio::test]
async fn batch_is_sent_as_signed_json() {
    let mut receiver = Receiver::start(Vec::new()).await;
    let store = store_with(&["a", "b"]).await;
    let sending = send(&store, webhook(&receiver), &CancellationToken::new());
    let ReceivedRequest { head, body } = receiver.next().await;
    assert!(head.starts_with("post /in?key=1 http/1.1\r\n"), "{head}");
    let host = format!("host: 127.0.0.1:{}", receiver.port);
    for header in [
        "content-type: application/json",
        &host,
        "x-dooers-signature: t=",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    assert_eq!(
        (&body["worker_id"], names(&body)),
        (&"w1".into(), vec!["a", "b"])
    );
    // A later event is a batch of its own.
    let later = AnalyticsEvent::new("c", "w2", timestamp::now());
    store.append_outbox(vec![later]).await.unwrap();
    let next = receiver.next().await.body;
    assert_eq!(
        (&next["worker_id"], names(&next)),
        (&"w2".into(), vec!["c"])
    );
    assert_ne!(next["batch_id"], body["batch_id"]);
    sending.abort();
}

#[tokio::test]
async fn batch_is_repeated_until_it_is_confirmed() {
    let mut reactions = vec![
        answer("500 Internal Server Error"),
        answer("429 Too Many Requests\r\nRetry-After: 0"),
        answer("301 Moved Permanently\r\nLocation: http://127.0.0.1:1/"),
        Reaction::Close,
        Reaction::Hang,
        Reaction::Answer("what?".to_owned()),
    ];
    // A receiver that is down for an hour refuses about twenty attempts.
    reactions.extend(vec![answer("503 Service Unavailable"); 20]);
    let failures = reactions.len();
    let mut receiver = Receiver::start(reactions).await;
    let store = store_with(&["a", "b"]).await;
    let sending = send(&store, webhook(&receiver), &CancellationToken::new());
    let first = receiver.next().await.body;
    let later = AnalyticsEvent::new("c", "w1", timestamp::now());
    store.append_outbox(vec![later]).await.unwrap();
    for attempt in 1..=failures {
        let again = receiver.next().await.body;
        assert_eq!(again["batch_id"], first["batch_id"], "attempt {attempt}");
        assert_eq!(again["events"], first["events"], "attempt {attempt}");
    }
    assert_eq!(names(&receiver.next().await.body), ["c"]);
    emptied(&store).await;
    sending.abort();
}

#[tokio::test]
async fn oldest_events_are_dropped_above_the_limit() {
    let mut receiver = Receiver::start(Vec::new()).await;
    let store = store_with(&["a", "b", "c", "d", "e"]).await;
    let mut webhook = webhook(&receiver);
    webhook.max_events = 2;
    let sending = send(&store, webhook, &CancellationToken::new());
    assert_eq!(names(&receiver.next().await.body), ["d", "e"]);
    sending.abort();
}

#[tokio::test(start_paused = true)]
async fn dropped_events_are_logged_once_a_minute() {
    let mut dropped = DroppedEvents::default();
    assert_eq!((dropped.note(0), dropped.note(3)), (0, 3));
    advance(Duration::from_secs(59)).await;
    assert_eq!(dropped.note(2), 0);
    advance(Duration::from_secs(1)).await;
    assert_eq!((dropped.note(1), dropped.note(4)), (3, 0));
    // A server that stops logs the rest.
    assert_eq!((dropped.log(), dropped.log()), (4, 0));
}

#[tokio::test]
async fn stop_sends_the_events_that_wait() {
    let mut receiver = Receiver::start(vec![answer("500 Oh")]).await;
    let store = store_with(&["a"]).await;
    let webhook = patient(&receiver);
    start_and_stop(&store, &webhook).await;
    let first = receiver.next().await.body;
    // A receiver that refuses the events gets them after the next start.
    start_and_stop(&store, &webhook).await;
    assert_eq!(receiver.next().await.body["batch_id"], first["batch_id"]);
    emptied(&store).await;
}

#[tokio::test]
async fn retry_after_delays_the_next_attempt() {
    let busy = answer("429 Too Many Requests\r\nRetry-After: 60");
    let receiver = Receiver::start(vec![busy]).await;
    let store = store_with(&["a"]).await;
    start_and_stop(&store, &patient(&receiver)).await;
    assert_eq!(store.claim_batch(&claim_of_another()).await.unwrap(), None);
}

/// A webhook whose sender waits for further events, but not after a failed attempt.
fn patient(receiver: &Receiver) -> AnalyticsWebhook {
    let mut webhook = webhook(receiver);
    webhook.max_age = Duration::from_secs(3600);
    webhook.pace.back_off.first = Duration::ZERO;
    webhook
}

/// Starts a sender that stops at once.
async fn start_and_stop(store: &Arc<dyn Store>, webhook: &AnalyticsWebhook) {
    let stopped = CancellationToken::new();
    stopped.cancel();
    let sending = send(store, webhook.clone(), &stopped);
    timeout(LONG, sending).await.unwrap().unwrap();
}

/// A claim of another process.
fn claim_of_another() -> BatchClaim {
    BatchClaim {
        node: "other".to_owned(),
        batch_id: "new".to_owned(),
        lease: LONG,
        events: 100,
        bytes: 1024,
        age: Duration::ZERO,
    }
}

#[tokio::test]
async fn stop_returns_a_batch_without_an_answer() {
    let mut receiver = Receiver::start(vec![Reaction::Hang]).await;
    let store = store_with(&["a"]).await;
    let mut webhook = webhook(&receiver);
    webhook.timeout = LONG;
    webhook.pace.last_moments = Duration::from_millis(5);
    let stopped = CancellationToken::new();
    let sending = send(&store, webhook, &stopped);
    let sent = receiver.next().await.body;
    stopped.cancel();
    timeout(LONG, sending).await.unwrap().unwrap();
    // Another process need not wait for the end of the lease.
    let claimed = store.claim_batch(&claim_of_another()).await;
    let batch = claimed.unwrap().unwrap();
    assert_eq!(
        (&*batch.id, batch.attempt),
        (sent["batch_id"].as_str().unwrap(), 2)
    );
}

#[tokio::test]
async fn each_failure_has_a_clear_error() {
    let large = format!("200 OK\r\nX: {}", "x".repeat(64 * 1024));
    let cases = [
        (
            answer("500 Oh"),
            "the receiver answered 500 Internal Server Error",
        ),
        (
            answer("302 Found\r\nLocation: /in"),
            "the receiver answered 302 Found",
        ),
        (
            answer("429 Slow\r\nRetry-After: 120"),
            "the receiver answered 429 Too Many Requests",
        ),
        (
            answer("101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x"),
            "the receiver",
        ),
        (Reaction::Close, "the receiver closed the connection"),
        (
            Reaction::Answer("SSH-2.0\r\n".to_owned()),
            "the receiver closed the connection",
        ),
        (answer(&large), "the receiver closed the connection"),
        (Reaction::Hang, "the receiver did not answer within 500ms"),
    ];
    for (reaction, expected) in cases {
        let receiver = Receiver::start(vec![reaction]).await;
        let error = post(&webhook(&receiver)).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        let wait = expected.contains("429").then_some(Duration::from_secs(120));
        assert_eq!(error.asked_wait(), wait);
    }
    let receiver = Receiver::start(Vec::new()).await;
    let webhook = webhook(&receiver);
    receiver.task.abort();
    while !receiver.task.is_finished() {
        tokio::task::yield_now().await;
    }
    let error = post(&webhook).await.unwrap_err();
    assert!(
        matches!(error, SendError::Http(HttpError::Connect(_))),
        "{error}"
    );
}

async fn post(webhook: &AnalyticsWebhook) -> Result<(), SendError> {
    Client::new(webhook).post(b"{}".to_vec(), "t=1,v1=00").await
}

#[tokio::test]
async fn answer_before_the_end_of_the_body_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://127.0.0.1:{}/",
        listener.local_addr().unwrap().port()
    );
    let webhook = AnalyticsWebhook::builder(url, Secret::new(SECRET));
    let client = Client::new(&webhook.build().unwrap());
    let refuse = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        let answer = b"HTTP/1.1 413 Too Large\r\nRetry-After: 7\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    };
    // The buffers of the system do not hold this body.
    let body = vec![b' '; 16_000_000];
    let (sent, ()) = tokio::join!(client.post(body, "t=1,v1=00"), refuse);
    let error = sent.unwrap_err();
    assert_eq!(
        error.asked_wait(),
        Some(Duration::from_secs(7)),
        "{error:?}"
    );
}
