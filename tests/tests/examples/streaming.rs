//! The streaming example.

use dooers_tests::{Client, Identity, Process, ThreadView};
use serde_json::{Value, json};

/// Sends a message. Returns the events of its answer, built from the frames, and its final run.
async fn answer(client: &mut Client, text: &str) -> (Vec<Value>, Value) {
    let id = client.send_message(None, text).await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let (mut view, mut deltas) = (ThreadView::default(), 0);
    for frame in &frames {
        let payload = &frame["payload"];
        match frame["type"].as_str() {
            Some("event.append") => {
                for event in payload["events"].as_array().unwrap() {
                    view.append(event);
                }
            }
            Some("event.delta") => {
                view.delta(payload);
                deltas += 1;
            }
            _ => {}
        }
    }
    // A busy machine merges words.
    assert!(deltas > 0, "it grows: {frames:?}");
    let run = frames.last().unwrap()["payload"]["run"].clone();
    (view.events.split_off(1), run)
}

fn text(event: &Value) -> &str {
    event["content"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn streaming_example_streams_retries_and_keeps_text() {
    let mut example = Process::start("example-streaming", &[("WORKER_BIND", "127.0.0.1:0")]);
    let mut client = Client::open(example.address(), "/ws").await;
    client.connect(Identity::of("ada").with_deltas()).await;

    let (events, run) = answer(&mut client, "hello").await;
    assert_eq!(run["status"], "succeeded");
    let cost = json!([{"amount": "0.00015", "currency": "USD"}]);
    let used = &run["usage"][0];
    assert_eq!(
        (&used["output_tokens"], &used["costs"]),
        (&json!(10), &cost)
    );
    assert_eq!(events[0]["type"], "reasoning");
    assert_eq!(text(&events[0]), "They ask me something.");
    assert_eq!(
        text(&events[1]),
        "You said: hello. That reminds me of a long story."
    );
    assert!(events.iter().all(|event| event["finalized"] == true));

    let (events, run) = answer(&mut client, "busy").await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(events.len(), 3, "it thinks twice: {events:?}");

    let (events, run) = answer(&mut client, "break off").await;
    assert_eq!(run["status"], "failed");
    assert_eq!(text(&events[1]), "It all began when");
    assert_eq!(run["usage"][0]["output_tokens"], 4);
    assert_eq!(events[1]["finalized"], true);

    client.send_message(None, "go on").await;
    let goes_on = |frame: &Value| frame["payload"]["text"] == "and on ";
    let frames = client.read_until("more", goes_on).await;
    let run = frames.iter().find(|frame| frame["type"] == "run.upsert");
    let run_id = &run.unwrap()["payload"]["run"]["id"];
    client.send("run.cancel", json!({"run_id": run_id})).await;
    let frames = client.read_turn().await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "canceled"
    );
    client.disconnect().await;
    example.terminate();
    assert_eq!(example.wait().0, Some(0));
}
