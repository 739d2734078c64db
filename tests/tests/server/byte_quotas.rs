//! Quotas of the bytes of frames.

use crate::quotas::{FrozenTime, SECOND, identity, limited, server};
use dooers::Quota;
use serde_json::json;
use std::time::Duration;
use tokio::time::advance;

/// A ping with the id `x` and this size in bytes.
fn padded(bytes: usize) -> String {
    let frame = |padding: &str| {
        json!({"id": "x", "type": "ping", "payload": {}, "padding": padding}).to_string()
    };
    frame(&"x".repeat(bytes - frame("").len()))
}

#[tokio::test]
async fn bytes_of_frames_are_limited() {
    let time = FrozenTime::begin();
    let server = server(|quotas| quotas.frame_bytes_per_minute = Quota::at_most(60_000)).await;
    let mut client = server.client(identity("ana")).await;
    client.send_text(padded(50_000)).await;
    client.expect("pong").await;
    client.send_text(padded(12_000)).await;
    assert_eq!(
        limited(&mut client, "x", "more frames").await,
        Some(2 * SECOND)
    );
    // Two seconds earn 2,000 bytes, and a smaller frame needs no wait.
    client.send_text(padded(10_000)).await;
    client.expect("pong").await;
    advance(60 * SECOND).await;
    // A frame that is larger than the quota is admitted when nothing else is spent.
    client.send_text(padded(90_000)).await;
    client.expect("pong").await;
    client.send_text(padded(1_000)).await;
    assert_eq!(
        limited(&mut client, "x", "more frames").await,
        Some(31 * SECOND)
    );
    drop(time);
    server.close([client]).await;
}

#[tokio::test]
async fn bytes_come_at_once_only_up_to_a_burst() {
    let time = FrozenTime::begin();
    let server = server(|_| {}).await;
    let largest = dooers::Limits::default().frame_bytes;
    let mut client = server.client(identity("ana")).await;
    let mut bob = server
        .client(identity(r#"bob {"frame_byte_burst": 100000}"#))
        .await;
    for _ in 0..4 {
        client.send_text(padded(largest)).await;
        client.expect("pong").await;
    }
    client.send_text(padded(largest)).await;
    // The time in which 256 KiB are earned.
    let wait = limited(&mut client, "x", "more frames").await.unwrap();
    assert_eq!(wait, Duration::from_millis(469));
    advance(wait).await;
    client.send_text(padded(largest)).await;
    client.expect("pong").await;
    // The burst of bob is smaller than the largest frame, which is admitted when bob owes nothing.
    for _ in 0..2 {
        bob.send_text(padded(largest)).await;
        bob.expect("pong").await;
        bob.send_text(padded(1_000)).await;
        let wait = limited(&mut bob, "x", "more frames").await.unwrap();
        assert!(wait > Duration::from_millis(250), "{wait:?}");
        advance(SECOND).await;
    }
    drop(time);
    server.close([client, bob]).await;
}

#[tokio::test]
async fn large_frames_count_before_connect() {
    let time = FrozenTime::begin();
    let server = server(|quotas| quotas.frame_bytes_per_minute = Quota::at_most(60_000)).await;
    let mut one = server.open().await;
    let mut other = server.open().await;
    one.send_text(padded(40_000)).await;
    one.expect("pong").await;
    other.send_text(padded(40_000)).await;
    let wait = limited(&mut other, "x", "more frames").await;
    assert_eq!(wait, Some(20 * SECOND));
    // Small frames are still free, and `connect` with the longest token is one.
    one.send_text(padded(32 * 1024)).await;
    one.expect("pong").await;
    one.connect(identity("ana")).await;
    drop(time);
    server.close([one, other]).await;
}
