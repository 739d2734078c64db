//! The stored events of a thread, read by a client.

use dooers_tests::Client;
use serde_json::{Value, json};

/// All events of a thread, which must fit on one page.
pub(crate) async fn events(client: &mut Client, thread_id: &str) -> Vec<Value> {
    let payload = json!({"thread_id": thread_id, "limit": 200});
    let id = client.send("event.list", payload).await;
    // Frames of running turns may arrive first.
    let frames = client.read_until("the page", |frame| {
        assert_ne!(frame["payload"]["ack_id"], id, "the page is refused");
        frame["type"] == "event.list.result"
    });
    let page = frames.await.pop().unwrap();
    assert_eq!(page["payload"]["has_more"], false);
    page["payload"]["events"].as_array().unwrap().clone()
}

/// The speaker (`user`, `assistant` or `system`) and the text of each event.
pub(crate) fn speakers_and_texts(events: &[Value]) -> Vec<(&str, &str)> {
    events
        .iter()
        .map(|event| {
            let text = event["content"][0]["text"].as_str().unwrap_or_default();
            (event["actor"].as_str().unwrap(), text)
        })
        .collect()
}
