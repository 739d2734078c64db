//! Random input.

use crate::fixtures::{ServerFixture, cases, create, scope};
use crate::nul_characters::has_nul;
use dooers::{DispatchError, DispatchEvent};
use dooers_tests::{Client, within};
use futures::StreamExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const CASES: usize = 150;

cases![
    random_bytes_leave_no_nul,
    nesting_within_the_limit_round_trips
];

/// Byte sequences from which strings with escapes are built.
const PIECES: &[&str] = &[
    r"\u0000",
    r"\u00",
    r"\u",
    r"\",
    r"\\",
    r"\n",
    r#"\""#,
    r"\ud83d",
    r"\ude00",
    "u0000",
    "00",
    "0",
    "a",
    "é",
    "\0",
    "\u{200b}",
    "\"",
    "{",
    "}",
    ":1,",
    "9223372036854775808",
];

/// Strings built from the pieces.
fn inside() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..6)
        .prop_map(|pieces| pieces.concat())
}

/// Frames with such a string in one place.
fn frame() -> impl Strategy<Value = String> {
    (inside(), 0..8_u8).prop_map(|(inside, place)| match place {
        0 | 1 => create("", "").replace("hello", &inside),
        2 => create(&format!(r#","data":{{"a":1,"{inside}":"{inside}"}}"#), ""),
        3 => create("", &format!(r#","metadata":["{inside}"]"#)),
        4 => create("", &format!(r#","client_event_id":"{inside}""#)),
        5 => create("", "").replacen(r#""id":"x""#, &format!(r#""id":"{inside}""#), 1),
        6 => create("", "").replacen("event.create", &inside, 1),
        _ => create("", &format!(r#","{inside}":"{inside}""#)),
    })
}

/// Sends a text and a ping. Returns the frames before the pong, after checking that none contains U+0000.
async fn answers(client: &mut Client, text: &str) -> Vec<Value> {
    client.send_text(text).await;
    client
        .send_frame(&json!({"id": "after", "type": "ping"}))
        .await;
    let mut frames = Vec::new();
    loop {
        let answer = client.next_text().await;
        assert!(!has_nul(&answer), "{text:?} brought {answer}");
        let frame: Value = serde_json::from_str(&answer).unwrap();
        if frame["type"] == "pong" {
            return frames;
        }
        frames.push(frame);
    }
}

async fn random_bytes_leave_no_nul(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    let mut accepted = 0;
    for mut runner in [
        TestRunner::deterministic(),
        TestRunner::new(Config::default()),
    ] {
        for _ in 0..CASES {
            let text = frame().new_tree(&mut runner).unwrap().current();
            let frames = answers(&mut client, &text).await;
            if frames
                .iter()
                .any(|frame| frame["type"] == "ack" && frame["payload"]["ok"] == true)
            {
                accepted += 1;
                // A number of any size is valid JSON, and ignored members may contain numbers that
                // no Rust type can represent.
                if let Err(error) = serde_json::from_str::<Value>(&text) {
                    let reason = error.to_string();
                    assert!(
                        reason.starts_with("number out of range"),
                        "{text:?}: {reason}"
                    );
                }
            }
        }
    }
    assert!(accepted > CASES / 10, "{accepted}");
    client.disconnect().await;
    let threads = fixture
        .repository
        .threads(&scope())
        .limit(1000)
        .await
        .unwrap()
        .items;
    assert!(!has_nul(&serde_json::to_string(&threads).unwrap()));
    for thread in threads {
        let events = fixture
            .repository
            .events(&scope(), &thread.id)
            .await
            .unwrap()
            .items;
        assert!(!has_nul(&serde_json::to_string(&events).unwrap()));
    }
}

/// A value of this shape, with other values beside the deepest one.
fn value_of(shape: &[bool]) -> Value {
    shape.iter().fold(json!("inside"), |inner, is_array| {
        if *is_array {
            Value::Array(vec![json!("beside"), inner, json!(null)])
        } else {
            let members = [("b".to_owned(), inner), ("a".to_owned(), json!(1))];
            Value::Object(members.into_iter().collect())
        }
    })
}

async fn nesting_within_the_limit_round_trips(fixture: &ServerFixture) {
    for mut runner in [
        TestRunner::deterministic(),
        TestRunner::new(Config::default()),
    ] {
        for _ in 0..20 {
            let shape = proptest::collection::vec(any::<bool>(), 110..130);
            let shape = shape.new_tree(&mut runner).unwrap().current();
            let value = value_of(&shape);
            let sent = fixture
                .dispatch()
                .message("hello")
                .data(value.clone())
                .metadata(value.clone());
            match sent.send().await {
                Ok(mut turn) => {
                    assert!(shape.len() <= 120, "{}", shape.len());
                    let (thread, event) = (turn.thread_id().to_owned(), turn.event_id().to_owned());
                    let mut published = Vec::new();
                    while let Some(event) = within("an event", turn.next()).await {
                        if let DispatchEvent::Thread(thread) = event.unwrap() {
                            published.push(thread.metadata.unwrap());
                        }
                    }
                    assert!(!published.is_empty());
                    assert!(published.iter().all(|metadata| *metadata == value));
                    let event = fixture
                        .repository
                        .event(&scope(), &thread, &event)
                        .await
                        .unwrap();
                    assert_eq!(event.data, Some(value));
                }
                Err(refusal) => {
                    assert!(matches!(refusal, DispatchError::Invalid(_)), "{refusal}");
                    assert!(shape.len() > 120, "{}", shape.len());
                }
            }
        }
    }
}
