//! Turns in a conversation with an example.

use dooers_tests::{Client, ThreadView};
use serde_json::{Value, json};

/// The events of an agent and the final run of a turn.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) events: Vec<Value>,
    pub(crate) run: Value,
}

/// Sends a message to a thread, or to a new one, and waits for the end of the turn.
pub(crate) async fn ask(client: &mut Client, thread_id: Option<&str>, text: &str) -> Turn {
    let id = client.send_message(thread_id, text).await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    Turn::of(&frames)
}

/// Answers a form and waits for the end of the turn.
pub(crate) async fn answer(client: &mut Client, form: &Value, cancelled: bool) -> Turn {
    let id = client.send("event.create", reply_to(form, cancelled)).await;
    let mut frames = Vec::new();
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == *id;
    frames.extend(client.read_until("the ack", is_ack).await);
    assert_eq!(frames.last().unwrap()["payload"]["ok"], true, "{frames:?}");
    frames.extend(client.read_turn().await);
    Turn::of(&frames)
}

/// The payload that answers a form without changing a value.
pub(crate) fn reply_to(form: &Value, cancelled: bool) -> Value {
    let data = json!({
        "form_event_id": form["id"], "cancelled": cancelled, "values": {},
    });
    let event = json!({"type": "form.response", "actor": "user", "data": data});
    json!({"thread_id": form["thread_id"], "event": event})
}

impl Turn {
    /// Collects the events of the agent. The last frame is the end of the run.
    fn of(frames: &[Value]) -> Self {
        let mut view = ThreadView::default();
        let appended = frames
            .iter()
            .filter(|frame| frame["type"] == "event.append");
        for event in appended.flat_map(|frame| frame["payload"]["events"].as_array().unwrap()) {
            view.append(event);
        }
        view.events.retain(|event| event["actor"] != "user");
        Self {
            events: view.events,
            run: frames.last().unwrap()["payload"]["run"].clone(),
        }
    }

    /// The id of the thread.
    pub(crate) fn thread_id(&self) -> &str {
        self.run["thread_id"].as_str().unwrap()
    }

    /// The types of the events.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        let kinds = self.events.iter().map(|event| event["type"].as_str());
        kinds.map(Option::unwrap).collect()
    }

    /// The results of the tools, in their order.
    pub(crate) fn results(&self) -> Vec<&Value> {
        let results = self
            .events
            .iter()
            .filter(|event| event["type"] == "tool.result");
        results.map(|event| &event["data"]["result"]).collect()
    }

    /// The text of the last message.
    pub(crate) fn last_text(&self) -> &str {
        let last = self.events.last().unwrap();
        last["content"][0]["text"].as_str().unwrap()
    }
}
