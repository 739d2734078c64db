//! Random and mutated frames: each one is answered, and the connection stays open.

use crate::agents::quiet;
use dooers_tests::{Client, Server};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const CASES: usize = 300;

/// Frame types, including some that clients may not send.
const KINDS: &[&str] = &[
    "connect",
    "ping",
    "thread.list",
    "thread.subscribe",
    "thread.unsubscribe",
    "thread.update",
    "thread.delete",
    "event.create",
    "event.list",
    "feedback",
    "analytics.subscribe",
    "analytics.unsubscribe",
    "settings.patch",
    "run.cancel",
    "ack",
    "",
    "event.creat",
];

/// Member names of real frames, so that random frames often match.
const MEMBERS: &[&str] = &[
    "id",
    "type",
    "payload",
    "thread_id",
    "event",
    "content",
    "text",
    "actor",
    "limit",
    "cursor",
    "query",
    "title",
    "user",
    "user_id",
    "worker_id",
    "metadata",
    "after_event_id",
    "before_event_id",
    "client_event_id",
    "data",
    "values",
    "target_type",
    "target_id",
    "feedback",
    "reason",
];

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(KINDS).prop_map(Value::from),
        Just(json!("message")),
        Just(json!("like")),
        Just(json!("event")),
        Just(json!("user")),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let member = (
            proptest::sample::select(MEMBERS).prop_map(str::to_owned),
            inner.clone(),
        );
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(Value::from),
            proptest::collection::vec(member, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A frame with valid or almost valid outer members.
fn frame() -> impl Strategy<Value = String> {
    let kind = proptest::sample::select(KINDS);
    let good = proptest::sample::select(vec![
        json!({"worker_id": "w1", "user_id": "ada"}),
        json!({"event": {"type": "message", "actor": "user", "content": [{"type": "text", "text": "hello"}]}}),
        json!({"thread_id": "t", "limit": 5, "query": "t", "title": "t"}),
    ]);
    let payload = prop_oneof![good, json_value()];
    (kind, payload).prop_map(|(kind, payload)| {
        json!({"id": "x", "type": kind, "payload": payload}).to_string()
    })
}

/// A text with some characters removed, repeated or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<proptest::sample::Index>(), 0..4_u8, any::<char>());
    (frame(), proptest::collection::vec(change, 1..4)).prop_map(|(text, changes)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (index, what, character) in changes {
            if characters.is_empty() {
                break;
            }
            let at = index.index(characters.len());
            match what {
                0 => drop(characters.remove(at)),
                1 => characters.insert(at, character),
                2 => characters[at] = character,
                _ => characters.truncate(at),
            }
        }
        characters.into_iter().collect()
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => frame(),
        4 => mutated(),
        1 => json_value().prop_map(|value| value.to_string()),
        1 => any::<String>(),
    ]
}

/// Sends a text and a ping. The answer must arrive before the pong, and every other frame must be well-formed.
async fn is_answered(client: &mut Client, text: &str) {
    client.send_text(text).await;
    client
        .send_frame(&json!({"id": "after", "type": "ping"}))
        .await;
    let mut answers = 0;
    let mut pongs = 0;
    loop {
        let frame = client.next().await;
        match frame["type"].as_str() {
            Some("pong") => pongs += 1,
            Some("ack" | "thread.list.result" | "event.list.result" | "thread.snapshot") => {
                answers += 1;
            }
            // An earlier text may have subscribed to analytics.
            Some(
                "thread.upsert" | "event.append" | "run.upsert" | "thread.deleted"
                | "analytics.event",
            ) => {}
            _ => panic!("{text:?} was answered by {frame}"),
        }
        // A text that is itself a ping is answered by a pong.
        if answers + pongs == 2 {
            assert!(pongs > 0, "{text:?}");
            return;
        }
    }
}

#[tokio::test]
async fn random_texts_are_answered_and_connection_stays() {
    let server = Server::of::<quiet>().await;
    let mut client = server.client("ada").await;
    // A fixed seed, so that failures can be reproduced.
    let mut runner = TestRunner::deterministic();
    let texts = any_text();
    for _ in 0..CASES {
        let text = texts.new_tree(&mut runner).unwrap().current();
        is_answered(&mut client, &text).await;
    }
    client.connect("ada").await;
    client.start_thread("hello").await;
    server.close([client]).await;
}

#[tokio::test]
async fn randomly_seeded_texts_are_answered() {
    let server = Server::of::<quiet>().await;
    let mut client = server.client("ada").await;
    let mut runner = TestRunner::new(Config::default());
    let texts = any_text();
    for _ in 0..CASES {
        // The panic message contains the failing text.
        let text = texts.new_tree(&mut runner).unwrap().current();
        is_answered(&mut client, &text).await;
    }
    server.close([client]).await;
}
