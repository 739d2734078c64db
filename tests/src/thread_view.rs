//! A client's view of a thread.

use serde_json::Value;
use std::collections::BTreeMap;

/// A client's view of one thread, built from its frames as clients with `agent_id` do.
///
/// A new event is appended and a known event is replaced. The view does not sort, so each new event must have a
/// higher `seq` than the one before it.
#[derive(Debug, Default, Clone)]
pub struct ThreadView {
    /// The latest thread row; null if none was received.
    pub thread: Value,
    /// Its events, in the order of arrival.
    pub events: Vec<Value>,
    /// Its runs, by id.
    pub runs: BTreeMap<String, Value>,
    indexes: BTreeMap<String, usize>,
}

/// The effect of an event on the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendOutcome {
    /// The event is new.
    New,
    /// The event is known and has changed.
    Changed,
    /// The event is known and its text has lost its end.
    Shortened,
    /// The event is known and unchanged.
    Same,
}

impl ThreadView {
    /// The id of the last event.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.events.last().and_then(|event| event["id"].as_str())
    }

    /// Applies a snapshot. Returns the effect of each event.
    pub fn snapshot(&mut self, payload: &Value) -> Vec<AppendOutcome> {
        self.thread = payload["thread"].clone();
        let events = payload["events"].as_array().expect("a snapshot has events");
        let seen = events.iter().map(|event| self.append(event)).collect();
        for run in payload["runs"].as_array().expect("a snapshot has runs") {
            self.run(run);
        }
        seen
    }

    /// Applies an event.
    pub fn append(&mut self, event: &Value) -> AppendOutcome {
        let id = text(event, "id");
        if let Some(place) = self.indexes.get(&id) {
            let known = &mut self.events[*place];
            assert_eq!(known["seq"], event["seq"], "an event changed its seq");
            if known == event {
                return AppendOutcome::Same;
            }
            assert_eq!(
                known["streaming"], true,
                "an event changed after its text had ended: {known} became {event}"
            );
            let (before, after) = (first_text(known), first_text(event));
            assert!(
                before.starts_with(after) || after.starts_with(before),
                "a text changed before its end: {known} became {event}"
            );
            let is_shortened = after.len() < before.len();
            *known = event.clone();
            return if is_shortened {
                AppendOutcome::Shortened
            } else {
                AppendOutcome::Changed
            };
        }
        if let Some(last) = self.events.last() {
            let (before, behind) = (last["seq"].as_u64(), event["seq"].as_u64());
            assert!(
                before < behind,
                "out of order: {event} arrived after {last}"
            );
        }
        self.indexes.insert(id, self.events.len());
        self.events.push(event.clone());
        AppendOutcome::New
    }

    /// Applies a piece of a streaming text, which must be the next one.
    pub fn delta(&mut self, delta: &Value) {
        let id = text(delta, "event_id");
        let Some(&place) = self.indexes.get(&id) else {
            panic!("delta of an unknown event: {delta}");
        };
        let event = &mut self.events[place];
        assert_eq!(event["streaming"], true, "{delta} was sent for {event}");
        assert_eq!(
            event["delta_seq"], delta["delta_seq"],
            "not the next piece: {delta} was sent for {event}"
        );
        let next = delta["delta_seq"].as_u64().map(|number| number + 1);
        let whole = text(&event["content"][0], "text") + &text(delta, "text");
        event["delta_seq"] = next.into();
        event["content"][0]["text"] = whole.into();
    }

    /// Applies a run, which must neither restart nor continue after its end.
    pub fn run(&mut self, run: &Value) {
        if let Some(known) = self.runs.get(&text(run, "id")) {
            assert_eq!(
                known["started_at"], run["started_at"],
                "a run started again: {known} became {run}"
            );
            assert!(
                known["status"] == "running" || known == run,
                "a run changed after its end: {known} became {run}"
            );
        }
        self.runs.insert(text(run, "id"), run.clone());
    }
}

/// The text of a streamed event.
fn first_text(event: &Value) -> &str {
    event["content"][0]["text"].as_str().unwrap_or_default()
}

fn text(value: &Value, member: &str) -> String {
    match value[member].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("no `{member}` in {value}"),
    }
}
