//! Messages without visible content.

use crate::fixtures::{ServerFixture, cases, create, scope};
use dooers::DispatchError;
use dooers::prelude::*;
use dooers::protocol::ContentPart;
use serde_json::{Value, json};

cases![
    blank_client_message_is_rejected,
    blank_dispatch_message_is_rejected,
    message_with_visible_content_is_accepted,
    form_response_may_be_blank,
    unanswered_message_may_be_blank,
];

const BLANK: &[&str] = &[
    "",
    " ",
    "\t\r\n",
    "\0",
    "\u{1}\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{1680}",
    "\u{2003}",
    "\u{2028}",
    "\u{202f}",
    "\u{3000}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{180e}",
    "\u{3164}",
    " \u{a0}\u{200b}\u{feff}\n",
    "\u{202e}",
    "\u{fe0f}",
    "\u{e0020}",
    "\u{2800}",
    "\u{1d173}",
    "\u{115f}\u{2064}",
];

/// Contents without anything visible.
fn blank_contents() -> Vec<Value> {
    let mut contents: Vec<Value> = BLANK
        .iter()
        .map(|text| json!([{"type": "text", "text": text}]))
        .collect();
    contents.extend([
        json!([]),
        json!([{"type": "text", "text": ""}, {"type": "text", "text": "\u{a0}"}]),
        json!([{"type": "image"}]),
        json!([{"type": "image", "url": "", "alt": "a cat", "filename": "cat.png"}]),
        json!([{"type": "audio", "url": " "}]),
        json!([{"type": "image", "url": "\u{200b}", "width": 7}]),
        json!([{"type": "text", "text": " ".repeat(100_000)}]),
        json!([{"type": "document", "filename": "report.pdf", "size_bytes": 7}]),
        json!([{"type": "document", "url": null, "ref_id": ""}, {"type": "text", "text": " "}]),
    ]);
    contents
}

async fn blank_client_message_is_rejected(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    for content in blank_contents() {
        let event =
            json!({"type": "message", "actor": "user", "content": content, "data": {"a": 1}});
        let id = client.send("event.create", json!({"event": event})).await;
        let (code, message) = client.expect_error(&id).await;
        assert_eq!(code, "INVALID_PAYLOAD", "{content}");
        assert_eq!(
            message,
            "`payload.event.content` is blank; a message needs a text with a visible character, or an image, audio or document with a `url`",
            "{content}"
        );
    }
    client.expect_nothing().await;
    let list = client
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["threads"], json!([]));
    client.disconnect().await;
}

async fn blank_dispatch_message_is_rejected(fixture: &ServerFixture) {
    for content in blank_contents() {
        let content: Vec<ContentPart> = serde_json::from_value(content).unwrap();
        let refusal = fixture.dispatch().content(content.clone()).send().await;
        assert!(
            matches!(&refusal, Err(DispatchError::Invalid(text)) if text.starts_with("`content` is blank")),
            "{content:?}: {refusal:?}"
        );
    }
}

async fn message_with_visible_content_is_accepted(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    for content in [
        json!([{"type": "text", "text": "\u{200b}."}]),
        json!([{"type": "text", "text": "👨\u{200d}👩\u{200d}👧"}]),
        json!([{"type": "text", "text": ""}, {"type": "image", "url": "u"}]),
        json!([{"type": "audio", "url": "u"}, {"type": "text", "text": " "}]),
        json!([{"type": "text", "text": "\u{301}"}]),
        json!([{"type": "text", "text": format!("{}.", "\u{feff}".repeat(1000))}]),
    ] {
        let event = json!({"type": "message", "actor": "user", "content": content});
        client
            .send_expecting_ack("event.create", json!({"event": event}))
            .await;
        client.read_turn().await;
    }
    client.disconnect().await;
}

async fn form_response_may_be_blank(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    client
        .send_text(create("", "").replace("hello", "nul"))
        .await;
    client.expect_ack("x").await;
    let frames = client.read_turn().await;
    let events = frames
        .iter()
        .filter(|frame| frame["type"] == "event.append");
    let mut events = events.flat_map(|frame| frame["payload"]["events"].as_array().unwrap());
    let form = events.find(|event| event["type"] == "form").unwrap();
    let data = json!({"form_event_id": form["id"], "cancelled": true, "values": {}});
    let event = json!({"type": "form.response", "actor": "user", "content": [{"type": "text", "text": " "}], "data": data});
    let payload = json!({"thread_id": form["thread_id"], "event": event});
    client.send_expecting_ack("event.create", payload).await;
    client.read_turn().await;
    client.disconnect().await;
}

async fn unanswered_message_may_be_blank(fixture: &ServerFixture) {
    let repository = &fixture.repository;
    let thread = repository.create_thread(&scope()).await.unwrap().id;
    for text in ["", " ", "\0"] {
        let event = repository.create_event(&scope(), &thread, Reply::text(text));
        let event = event.user("ada").await.unwrap();
        assert_eq!(event.content.unwrap().len(), 1, "{text:?}");
    }
}
