//! A conversation as a client shows it.

use crate::protocol::{
    Actor, ContentPart, EventType, FeedbackValue, Run, RunStatus, Thread, ThreadEvent,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A thread as a client shows it, built from the frames that the client received.
///
/// `Display` prints one line per event. Failed assertions print this output.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    thread_id: String,
    thread: Option<Thread>,
    events: Vec<ThreadEvent>,
    runs: Vec<Run>,
    feedback: BTreeMap<String, FeedbackValue>,
    has_older: bool,
    is_deleted: bool,
}

impl Conversation {
    pub(super) fn new(thread_id: String) -> Self {
        Self {
            thread_id,
            thread: None,
            events: Vec::new(),
            runs: Vec::new(),
            feedback: BTreeMap::new(),
            has_older: false,
            is_deleted: false,
        }
    }

    /// The id of the thread.
    #[must_use]
    pub fn thread_id(&self) -> &str {
        &self.thread_id
    }

    /// The thread's own row, if the client has received it.
    #[must_use]
    pub fn thread(&self) -> Option<&Thread> {
        self.thread.as_ref()
    }

    /// The title of the thread.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.thread()?.title.as_deref()
    }

    /// The events, the oldest first, in their latest version.
    #[must_use]
    pub fn events(&self) -> &[ThreadEvent] {
        &self.events
    }

    /// The texts of all messages, of users and agents.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let messages = self.events.iter();
        messages
            .filter(|event| event.kind == EventType::Message)
            .map(ThreadEvent::text)
            .collect()
    }

    /// The runs, in the order in which the client received them.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The feedback of the client's user on an event, if the user has given it with this client, or a snapshot showed
    /// it.
    #[must_use]
    pub fn feedback(&self, event_id: &str) -> Option<FeedbackValue> {
        self.feedback.get(event_id).copied()
    }

    /// Returns true if there are older events, which [`TestClient::older`](super::TestClient::older) loads.
    #[must_use]
    pub fn has_older(&self) -> bool {
        self.has_older
    }

    /// Returns true if the thread was deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// The last run that answers this message.
    pub(super) fn run_of(&self, event_id: &str) -> Option<&Run> {
        let answers = |run: &&Run| run.event_id.as_deref() == Some(event_id);
        self.runs.iter().rev().find(answers)
    }

    /// The newest form whose answer a running turn waits for.
    #[must_use]
    pub fn asked_form(&self) -> Option<&ThreadEvent> {
        let is_open = |form: &&ThreadEvent| {
            let is_asked = form.asked().is_some_and(|asked| !asked.closed);
            let mut events = self.events.iter();
            is_asked && events.all(|event| event.answered_form() != Some(&form.id))
        };
        self.events.iter().rev().find(is_open)
    }

    /// Returns true if an event is a user's message that has a turn. The answer to a form that a running turn waits for has
    /// none.
    pub(super) fn has_turn(&self, event: &ThreadEvent) -> bool {
        let form = event.answered_form().and_then(|id| self.event(id));
        event.actor == Actor::User && form.is_none_or(|form| form.asked().is_none())
    }

    pub(super) fn event(&self, event_id: &str) -> Option<&ThreadEvent> {
        self.events.iter().find(|event| event.id == event_id)
    }

    /// The user's event that a client sent with this client event id.
    pub(super) fn sent_as(&self, client_event_id: &str) -> Option<&ThreadEvent> {
        let is_it = |event: &&ThreadEvent| {
            event.actor == Actor::User && event.client_event_id.as_deref() == Some(client_event_id)
        };
        self.events.iter().find(is_it)
    }

    /// Applies the snapshot of a subscription. If `keeps` is false, or if events may be missing in between, the
    /// snapshot replaces all events.
    pub(super) fn take_snapshot(&mut self, snapshot: ThreadSnapshot, keeps: bool) {
        if !(keeps && snapshot.recovered) {
            self.events.clear();
            self.feedback.clear();
            self.has_older = snapshot.has_more;
        }
        self.thread = Some(snapshot.thread);
        self.take_events(snapshot.events);
        for run in snapshot.runs {
            self.take_run(run);
        }
        for shown in snapshot.feedback {
            self.take_feedback(shown.target_id, shown.feedback);
        }
    }

    pub(super) fn take_feedback(&mut self, event_id: String, value: FeedbackValue) {
        self.feedback.insert(event_id, value);
    }

    /// Adds new or older events, and replaces changed ones.
    pub(super) fn take_events(&mut self, events: impl IntoIterator<Item = ThreadEvent>) {
        for event in events {
            match self.events.iter_mut().find(|known| known.id == event.id) {
                Some(known) => *known = event,
                None => {
                    let place = self.events.partition_point(|known| known.seq < event.seq);
                    self.events.insert(place, event);
                }
            }
        }
    }

    /// Adds a page of older events.
    pub(super) fn take_page(&mut self, events: Vec<ThreadEvent>, has_more: bool) {
        self.take_events(events);
        self.has_older = has_more;
    }

    /// Appends a piece to a text. The error means that a piece is missing.
    pub(super) fn take_delta(&mut self, delta: &Delta) -> Result<(), String> {
        let known = self
            .events
            .iter_mut()
            .find(|event| event.id == delta.event_id);
        let Some(event) = known else {
            return Err(format!(
                "a piece of a text arrived for the unknown event {}",
                delta.event_id
            ));
        };
        let next = event.delta_seq.unwrap_or_default();
        if event.streaming != Some(true) || delta.delta_seq < next {
            // The text already contains this piece.
            return Ok(());
        }
        if delta.delta_seq > next {
            return Err(format!(
                "piece {} of a text arrived, but piece {next} was expected",
                delta.delta_seq
            ));
        }
        event.delta_seq = Some(next + 1);
        match event.content.as_mut().and_then(|parts| parts.first_mut()) {
            Some(ContentPart::Text { text }) => text.push_str(&delta.text),
            _ => event.content = Some(vec![ContentPart::text(&delta.text)]),
        }
        Ok(())
    }

    pub(super) fn take_run(&mut self, run: Run) {
        match self.runs.iter_mut().find(|known| known.id == run.id) {
            Some(known) => *known = run,
            None => self.runs.push(run),
        }
    }

    pub(super) fn take_thread(&mut self, thread: Thread) {
        self.thread = Some(thread);
    }

    pub(super) fn delete(&mut self) {
        self.is_deleted = true;
    }
}

/// The snapshot of a subscription.
#[derive(Debug, Deserialize)]
pub(super) struct ThreadSnapshot {
    pub(super) thread: Thread,
    events: Vec<ThreadEvent>,
    runs: Vec<Run>,
    has_more: bool,
    recovered: bool,
    #[serde(default)]
    feedback: Vec<ShownFeedback>,
}

/// The feedback of the client's user on an event.
#[derive(Debug, Deserialize)]
struct ShownFeedback {
    target_id: String,
    feedback: FeedbackValue,
}

/// A piece of a streamed text.
#[derive(Debug, Deserialize)]
pub(super) struct Delta {
    pub(super) thread_id: String,
    event_id: String,
    delta_seq: u64,
    text: String,
}

/// Returns true if the run has not ended.
pub(super) fn is_open(run: &Run) -> bool {
    run.status == RunStatus::Running
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn growing(text: &str, delta_seq: u64) -> ThreadEvent {
        let event = json!({
            "id": "e", "thread_id": "t", "run_id": "r", "type": "message", "actor": "assistant", "author": null,
            "content": [{"type": "text", "text": text}], "created_at": "2026-02-11T05:49:09.123456Z",
            "streaming": true, "delta_seq": delta_seq, "seq": 1,
        });
        serde_json::from_value(event).unwrap()
    }

    fn delta(delta_seq: u64, text: &str) -> Delta {
        let delta =
            json!({"thread_id": "t", "event_id": "e", "delta_seq": delta_seq, "text": text});
        serde_json::from_value(delta).unwrap()
    }

    #[test]
    fn delta_is_appended_only_once() {
        let mut conversation = Conversation::new("t".to_owned());
        conversation.take_events([growing("one ", 3)]);
        for (number, text) in [(2, "one "), (3, "two "), (3, "two "), (4, "three")] {
            conversation.take_delta(&delta(number, text)).unwrap();
        }
        assert_eq!(conversation.texts(), ["one two three"]);
    }

    #[test]
    fn missing_delta_is_an_error() {
        let mut conversation = Conversation::new("t".to_owned());
        let unknown = conversation.take_delta(&delta(0, "one")).unwrap_err();
        assert_eq!(unknown, "a piece of a text arrived for the unknown event e");
        conversation.take_events([growing("", 0)]);
        let hole = conversation.take_delta(&delta(1, "two")).unwrap_err();
        assert_eq!(hole, "piece 1 of a text arrived, but piece 0 was expected");
    }
}
