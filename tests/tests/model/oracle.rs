//! The final content of a thread, read by a fresh client.

use crate::client::ModelClient;
use crate::registry::Person;
use dooers_tests::{Client, ThreadView};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The final content of a thread.
#[derive(Debug)]
pub(crate) struct Oracle {
    thread: Value,
    events: Vec<Value>,
    /// The runs of its newest events.
    runs: Vec<Value>,
    /// The run of the last message.
    last_run: String,
}

impl Oracle {
    /// Sends a last message to the thread, waits until its turn is over, which ends all earlier turns too, and
    /// reads the whole thread.
    pub(crate) async fn of(
        thread_id: &str,
        owner: Person,
        address: SocketAddr,
        number: u64,
    ) -> Self {
        let mut reader = Client::open(address, "/ws").await;
        reader.connect(owner.identity()).await;
        let says = format!("settled {number}");
        // A rejecting agent accepts the message once it has answered the previous one.
        loop {
            let id = reader
                .send_message(Some(thread_id), &format!("say {says}"))
                .await;
            let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id.as_str();
            let frames = reader.read_until("the ack", is_ack).await;
            let ack = &frames.last().unwrap()["payload"];
            if ack["error"]["code"] != "CONFLICT" {
                break;
            }
            tokio::task::yield_now().await;
        }
        let answer = |frame: &Value| {
            let event = &frame["payload"]["events"][0];
            event["actor"] == "assistant" && event["content"][0]["text"] == says.as_str()
        };
        let frames = reader.read_until("the last answer", answer).await;
        let answer = &frames.last().unwrap()["payload"]["events"][0];
        let last_run = answer["run_id"].as_str().unwrap().to_owned();
        let is_end = |frame: &Value| {
            let run = &frame["payload"]["run"];
            run["id"] == last_run.as_str() && run["status"] != "running"
        };
        reader.read_until("the end of the last run", is_end).await;
        // Concurrent turns may still be running.
        loop {
            let requests = json!({"thread_id": thread_id});
            let snapshot = ask(&mut reader, "thread.subscribe", requests, "thread.snapshot").await;
            let mut runs = snapshot["runs"].as_array().unwrap().iter();
            if runs.all(|run| run["status"] != "running") {
                break;
            }
            reader.read_turn().await;
        }

        let mut events = Vec::new();
        let mut before = Value::Null;
        loop {
            let requests = json!({"thread_id": thread_id, "before_event_id": before, "limit": 60});
            let page = ask(&mut reader, "event.list", requests, "event.list.result").await;
            let mut older = page["events"].as_array().unwrap().clone();
            older.append(&mut events);
            events = older;
            before = page["cursor"].clone();
            if before.is_null() {
                break;
            }
        }
        let requests = json!({"thread_id": thread_id});
        let snapshot = ask(&mut reader, "thread.subscribe", requests, "thread.snapshot").await;
        reader.disconnect().await;
        let newest = &events[events.len().saturating_sub(100)..];
        assert_eq!(snapshot["events"].as_array().unwrap(), newest);
        let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_u64()).collect();
        let expected: Vec<_> = (1..=events.len() as u64).map(Some).collect();
        assert_eq!(seqs, expected);
        Self {
            thread: snapshot["thread"].clone(),
            runs: snapshot["runs"].as_array().unwrap().clone(),
            events,
            last_run,
        }
    }

    /// Returns true if the view has received the last events, the ends of all texts and the ends of all runs. The end
    /// of a run that started before the client subscribed may arrive long after a pong if the client reads
    /// slowly.
    pub(crate) fn has_reached(&self, view: &ThreadView) -> bool {
        let last = self.events.last().and_then(|event| event["id"].as_str());
        let is_shown = |run: &Value| view.events.iter().any(|event| event["run_id"] == run["id"]);
        let has_ended = |run: &Value| {
            let known = run["id"].as_str().and_then(|id| view.runs.get(id));
            known.is_some_and(|run| run["status"] != "running")
        };
        view.last_event_id() == last
            && view.events.iter().all(|event| event["streaming"] != true)
            && view.runs.contains_key(&self.last_run)
            && view.runs.values().all(has_ended)
            && self.runs.iter().all(|run| !is_shown(run) || has_ended(run))
    }

    /// Checks that the view equals the thread or its end.
    pub(crate) fn assert_matches_view(&self, member: &ModelClient, thread_id: &str) {
        let view = &member.views[thread_id];
        let hidden = self.events.len().checked_sub(view.events.len());
        let Some(hidden) = hidden.filter(|_| !view.events.is_empty()) else {
            member.fail(&format!("the view has {} events", view.events.len()));
        };
        for (shown, event) in view.events.iter().zip(&self.events[hidden..]) {
            member.check(shown == event, "it shows another event than", event);
        }
        let is_same = view.thread == self.thread;
        member.check(is_same, "it shows another row than", &self.thread);
        for run in view.runs.values() {
            member.check(run["status"] != "running", "a run goes on", run);
        }
        let shown: Vec<_> = self.events[hidden..]
            .iter()
            .map(|event| &event["run_id"])
            .collect();
        for run in &self.runs {
            if shown.contains(&&run["id"]) {
                let id = run["id"].as_str().unwrap();
                let is_same = view.runs.get(id) == Some(run);
                member.check(is_same, "it shows another run than", run);
            }
        }
    }
}

/// Sends a request and returns its answer. Other frames are skipped.
async fn ask(reader: &mut Client, kind: &str, payload: Value, answer: &str) -> Value {
    reader.send(kind, payload).await;
    let mut frames = reader
        .read_until(answer, |frame| frame["type"] == answer)
        .await;
    frames.pop().unwrap()["payload"].take()
}
