//! Invalid frames: each is rejected, the connection stays open, and nothing is stored.

use crate::agents::{echo, script};
use crate::asserts::{appended, events, string, texts};
use dooers_tests::{Client, Server};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// The ids of all threads with their numbers of events.
async fn stored(client: &mut Client) -> Vec<(String, u64)> {
    let list = client
        .request("thread.list", json!({"limit": 100}), "thread.list.result")
        .await;
    let mut stored = Vec::new();
    for thread in list["threads"].as_array().unwrap() {
        let page = json!({"thread_id": thread["id"], "limit": 1});
        let page = client
            .request("event.list", page, "event.list.result")
            .await;
        let last = events(&page)
            .last()
            .map_or(0, |event| event["seq"].as_u64().unwrap());
        stored.push((string(&thread["id"]), last));
    }
    stored
}

fn create(payload: &Value) -> Value {
    json!({"id": "x", "type": "event.create", "payload": payload})
}

fn message(content: &Value) -> Value {
    create(&json!({"event": {"type": "message", "actor": "user", "content": content}}))
}

/// Sends frames that must each be rejected with this code and frame id.
async fn assert_rejected(frames: Vec<(String, &str, &str)>) {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    client.start_thread("hello").await;
    let before = stored(&mut client).await;
    for (text, id, code) in frames {
        let shown: String = text.chars().take(100).collect();
        client.send_text(text).await;
        let (refusal, message) = client.expect_error(id).await;
        assert_eq!(refusal, code, "{shown}");
        assert!(!message.is_empty(), "{shown}");
        assert!(message.len() < 1000, "{shown}: {message}");
    }
    client.expect_nothing().await;
    assert_eq!(stored(&mut client).await, before);
    server.close([client]).await;
}

#[tokio::test]
async fn malformed_frame_is_rejected_without_an_id() {
    let texts = [
        "",
        " ",
        "nonsense",
        "[]",
        "null",
        "true",
        "5",
        "\"text\"",
        "{",
        "{}",
        "{}{}",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{}",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{}}x",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{},}",
        "{'id':'1','type':'ping'}",
        "[{\"id\":\"1\",\"type\":\"ping\",\"payload\":{}}]",
        "\u{feff}{\"id\":\"1\",\"type\":\"ping\",\"payload\":{}}",
        "{\"type\":\"ping\",\"payload\":{}}",
        "{\"id\":5,\"type\":\"ping\",\"payload\":{}}",
        "{\"id\":null,\"type\":\"ping\",\"payload\":{}}",
        "{\"id\":{},\"type\":\"ping\",\"payload\":{}}",
        "{\"id\":\"\\ud800\",\"type\":\"ping\",\"payload\":{}}",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{\"x\":\"\\udc00\"}}",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{\"x\":\"\\ud83d\\u0000\\ude00\"}}",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{\"x\":\"\\u+000\"}}",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{\"x\":\"\\u00g0\"}}",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{\"x\":\"\u{0}\"}}",
        "{\"id\":\"1\",\"type\":\"ping\",\"payload\":{\"x\":NaN}}",
    ];
    let frame = |text: &str| (text.to_owned(), "", "INVALID_FRAME");
    assert_rejected(texts.map(frame).to_vec()).await;
}

#[tokio::test]
async fn unknown_type_is_rejected_with_the_frame_id() {
    let frame = |kind: Value| {
        let text = json!({"id": "x", "type": kind, "payload": {}}).to_string();
        (text, "x", "INVALID_FRAME")
    };
    let kinds = [
        json!(null),
        json!(5),
        json!(""),
        json!("Ping"),
        json!("no.such.type"),
        json!("ack"),
        json!("thread.snapshot"),
        json!("x".repeat(100_000)),
    ];
    let mut frames: Vec<_> = kinds.into_iter().map(frame).collect();
    frames.push((
        json!({"id": "x", "payload": {}}).to_string(),
        "x",
        "INVALID_FRAME",
    ));
    assert_rejected(frames).await;
}

#[tokio::test]
async fn payload_that_does_not_match_its_type_is_rejected() {
    let text = json!([{"type": "text", "text": "hello"}]);
    let frame = |frame: Value| (frame.to_string(), "x", "INVALID_PAYLOAD");
    let kind =
        |kind: &str, payload: Value| frame(json!({"id": "x", "type": kind, "payload": payload}));
    let mut frames = vec![
        frame(json!({"id": "x", "type": "thread.subscribe"})),
        frame(create(&json!(null))),
        frame(create(&json!({}))),
        frame(create(&json!({"event": null}))),
        frame(create(&json!({"event": {}}))),
        frame(create(
            &json!({"event": {"type": "message", "content": text}}),
        )),
        frame(create(
            &json!({"event": {"type": "message", "actor": "assistant", "content": text}}),
        )),
        frame(create(
            &json!({"event": {"type": "message", "actor": "system", "content": text}}),
        )),
        frame(create(
            &json!({"event": {"type": "reasoning", "actor": "user", "content": text}}),
        )),
        frame(create(
            &json!({"event": {"type": "run.started", "actor": "user", "content": text}}),
        )),
        frame(create(
            &json!({"thread_id": 5, "event": {"type": "message", "actor": "user", "content": text}}),
        )),
        frame(create(
            &json!({"thread_id": "t".repeat(129), "event": {"type": "message", "actor": "user", "content": text}}),
        )),
        frame(create(
            &json!({"client_event_id": "c".repeat(129), "event": {"type": "message", "actor": "user", "content": text}}),
        )),
        frame(message(&json!([]))),
        frame(message(&json!(null))),
        frame(message(&json!("hello"))),
        frame(message(&json!({"type": "text", "text": "hello"}))),
        frame(message(&json!([{"type": "text"}]))),
        frame(message(&json!([{"type": "text", "text": null}]))),
        frame(message(&json!([{"text": "hello"}]))),
        frame(message(&json!([{"type": "video", "url": "x"}]))),
        frame(message(
            &json!([{"type": "text", "text": "ok"}, {"type": "html", "html": "x"}]),
        )),
        frame(message(&json!([{"type": "image", "url": 5}]))),
        frame(message(&json!([[]]))),
    ];
    for payload in [json!("text"), json!(5), json!([]), json!(true)] {
        for name in [
            "ping",
            "thread.list",
            "event.create",
            "connect",
            "thread.delete",
            "settings.patch",
        ] {
            frames.push(kind(name, payload.clone()));
        }
    }
    let long = "x".repeat(129);
    frames.push((
        json!({"id": long, "type": "ping", "payload": {}}).to_string(),
        &long,
        "INVALID_PAYLOAD",
    ));
    assert_rejected(frames).await;
}

#[tokio::test]
async fn rejection_names_the_invalid_member() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    for (frame, member) in [
        (
            message(&json!([{"type": "text", "text": 5}])),
            "payload.event.content[0]",
        ),
        (
            create(&json!({"thread_id": 5, "event": {"type": "message", "actor": "user"}})),
            "payload.thread_id",
        ),
        (
            create(&json!({"event": {"type": "message", "actor": "user", "content": []}})),
            "payload.event.content",
        ),
        (
            json!({"id": "x", "type": "thread.list", "payload": {"limit": 0}}),
            "payload.limit",
        ),
        (
            json!({"id": "x", "type": "thread.list", "payload": {"cursor": "?"}}),
            "payload.cursor",
        ),
        (
            json!({"id": "x", "type": "event.list", "payload": {}}),
            "thread_id",
        ),
    ] {
        client.send_frame(&frame).await;
        let (_, message) = client.expect_error("x").await;
        assert!(message.contains(member), "{message} should name {member}");
    }
    server.close([client]).await;
}

#[tokio::test]
async fn missing_upload_is_not_found() {
    let parts = [
        json!({"type": "image", "ref_id": "r"}),
        json!({"type": "audio", "ref_id": "r"}),
        json!({"type": "document", "ref_id": "r", "filename": "f"}),
        json!({"type": "image", "ref_id": "r", "url": " "}),
    ];
    let frame = |part: Value| (message(&json!([part])).to_string(), "x", "UPLOAD_NOT_FOUND");
    assert_rejected(parts.map(frame).to_vec()).await;
}

#[tokio::test]
async fn binary_frame_is_rejected_without_closing() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    let ping = json!({"id": "1", "type": "ping", "payload": {}}).to_string();
    for bytes in [
        Bytes::new(),
        Bytes::from_static(&[0xff, 0xfe]),
        Bytes::from(ping),
    ] {
        client.send_raw(Message::Binary(bytes)).await;
        assert_eq!(client.expect_error("").await.0, "INVALID_FRAME");
    }
    client.expect_nothing().await;
    server.close([client]).await;
}

/// An `event.create` frame whose `data` nests the whole frame this many levels deep.
fn nested(levels: usize) -> String {
    // The frame, its payload and the event are three levels.
    let (open, close) = ("[".repeat(levels - 3), "]".repeat(levels - 3));
    format!(
        r#"{{"id":"x","type":"event.create","payload":{{"event":{{"type":"message","actor":"user","content":[{{"type":"text","text":"deep"}}],"data":{open}{close}}}}}}}"#
    )
}

#[tokio::test]
async fn nesting_deeper_than_128_is_rejected() {
    let frames = [129, 130, 1_000, 100_000].map(|levels| (nested(levels), "", "INVALID_FRAME"));
    let mut frames = frames.to_vec();
    frames.push(("[".repeat(100_000), "", "INVALID_FRAME"));
    frames.push((r#"{"x":"#.repeat(30_000), "", "INVALID_FRAME"));
    assert_rejected(frames).await;
}

#[tokio::test]
async fn nesting_of_128_is_accepted_in_ignored_members() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    let (open, close) = ("[".repeat(127), "]".repeat(127));
    let ignored = format!(r#"{{"id":"x","type":"ping","other":{open}{close}}}"#);
    client.send_text(ignored).await;
    client.expect("pong").await;
    server.close([client]).await;
}

#[tokio::test]
async fn stored_json_of_121_levels_is_rejected() {
    let (open, close) = ("[".repeat(127), "]".repeat(127));
    let beside = format!(
        r#"{{"id":"x","type":"event.create","metadata":{open}{close},"payload":{{"event":{{"type":"message","actor":"user","content":[{{"type":"text","text":"deep"}}]}}}}}}"#
    );
    let frames = [nested(124), nested(128), beside];
    assert_rejected(frames.map(|frame| (frame, "x", "INVALID_PAYLOAD")).to_vec()).await;
}

#[tokio::test]
async fn nul_in_a_text_is_removed() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "he\u{0}llo\u{0}").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let events = appended(&frames);
    assert_eq!(texts(&events), ["hello", "You said: hello"]);
    // Behind an escaped backslash, the same letters are not an escape.
    client
        .send_text(message(&json!([{"type": "text", "text": "a\\u0000b"}])).to_string())
        .await;
    client.expect_ack("x").await;
    assert_eq!(texts(&appended(&client.read_turn().await))[0], "a\\u0000b");
    server.close([client]).await;
}

#[tokio::test]
async fn unknown_members_are_ignored_and_null_is_absent() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("say one").await;
    let frame = json!({
        "id": "x", "type": "event.create", "extra": [1, {"a": null}], "metadata": null,
        "payload": {
            "thread_id": thread_id, "client_event_id": null, "metadata": null, "extra": {},
            "event": {
                "type": "message", "actor": "user", "data": null, "extra": "x", "id": "mine", "seq": 77,
                "author": "somebody else", "created_at": "1970-01-01T00:00:00Z",
                "content": [{"type": "text", "text": "say two", "extra": 1}],
            },
        },
    });
    client.send_frame(&frame).await;
    client.expect_ack("x").await;
    let events = appended(&client.read_turn().await);
    assert_eq!(texts(&events), ["say two", "two"]);
    assert_eq!(events[0]["seq"], 3);
    assert_eq!(events[0]["author"], json!(null));
    assert_ne!(events[0]["id"], "mine");
    assert!(!string(&events[0]["created_at"]).starts_with("1970"));
    for frame in [
        json!({"id": "x", "type": "ping"}),
        json!({"id": "x", "type": "ping", "payload": null}),
        json!({"payload": {}, "type": "ping", "id": "x"}),
    ] {
        client.send_frame(&frame).await;
        client.expect("pong").await;
    }
    server.close([client]).await;
}

#[tokio::test]
async fn every_user_content_part_round_trips() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let content = json!([
        {"type": "text", "text": "größer 😀 \u{2028}"},
        {"type": "image", "url": "u", "mime_type": "image/png", "width": 1.5, "height": 2.0, "alt": "a", "filename": "f", "ref_id": "r"},
        {"type": "audio", "url": "u", "mime_type": "audio/mpeg", "duration": 3.25, "filename": "f", "ref_id": "r"},
        {"type": "document", "url": "u", "filename": "f", "mime_type": "m", "size_bytes": 4, "ref_id": "r"},
        {"type": "text", "text": ""},
    ]);
    client.send_frame(&message(&content)).await;
    client.expect_ack("x").await;
    assert_eq!(appended(&client.read_turn().await)[0]["content"], content);
    server.close([client]).await;
}
