//! The stored state, read over the protocol and from the database.

use crate::client::{Message, ResilientClient};
use crate::database::{Database, Run};
use dooers_tests::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The verb of messages that are answered until they are cancelled.
pub(crate) const COUNTS: &str = " counts ";

/// All stored events and runs.
#[derive(Debug)]
pub(crate) struct Oracle {
    /// The events of each thread, as returned by `event.list`.
    threads: BTreeMap<String, Vec<Value>>,
    /// The runs, by the message that they answer.
    runs: BTreeMap<String, Vec<Run>>,
}

/// The number of messages per thread, which equals the number of runs once all turns are over.
pub(crate) async fn totals(
    observer: &mut Client,
    threads: &BTreeSet<String>,
) -> BTreeMap<String, usize> {
    let mut totals = BTreeMap::new();
    for thread_id in threads {
        let events = events_of(observer, thread_id).await;
        let messages = events.iter().filter(|event| event["actor"] == "user");
        totals.insert(thread_id.clone(), messages.count());
    }
    totals
}

/// Sends a request and returns its result. Other frames are skipped, as the observer receives all thread rows.
pub(crate) async fn ask(observer: &mut Client, kind: &str, payload: Value) -> Value {
    observer.send(kind, payload).await;
    let answer = format!("{kind}.result");
    let mut frames = observer
        .read_until(&answer, |frame| frame["type"] == answer)
        .await;
    frames.pop().unwrap()["payload"].take()
}

/// All events of a thread, read page by page.
async fn events_of(observer: &mut Client, thread_id: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let mut before = Value::Null;
    loop {
        let payload = json!({"thread_id": thread_id, "before_event_id": before, "limit": 200});
        let page = ask(observer, "event.list", payload).await;
        let mut older = page["events"].as_array().unwrap().clone();
        older.append(&mut events);
        events = older;
        before = page["cursor"].clone();
        assert_eq!(page["has_more"] == true, !before.is_null());
        if before.is_null() {
            return events;
        }
    }
}

impl Oracle {
    pub(crate) async fn read(
        observer: &mut Client,
        threads: &BTreeSet<String>,
        database: &Database,
    ) -> Self {
        let mut stored = BTreeMap::new();
        for thread_id in threads {
            let events = events_of(observer, thread_id).await;
            stored.insert(thread_id.clone(), events);
        }
        let mut runs: BTreeMap<String, Vec<Run>> = BTreeMap::new();
        for run in database.runs().await {
            runs.entry(run.event_id.clone()).or_default().push(run);
        }
        Self {
            threads: stored,
            runs,
        }
    }

    /// The name and the id of each analytics event that follows from the stored threads, in order.
    pub(crate) fn analytics(&self) -> Vec<String> {
        let mut all: Vec<_> = self
            .threads
            .keys()
            .map(|id| format!("thread.created {id}"))
            .collect();
        for event in self.threads.values().flatten() {
            let side = if event["actor"] == "user" {
                "c2s"
            } else {
                "s2c"
            };
            all.push(format!("message.{side} {}", event["id"].as_str().unwrap()));
        }
        for run in self.runs.values().flatten() {
            all.push(format!("run.finished {}", run.id));
            if run.status == "succeeded" {
                all.push(format!("tracked.once {}", run.id));
            }
            if run.status == "failed" {
                all.push(format!("error.occurred {}", run.id));
            }
        }
        all.sort_unstable();
        all
    }

    /// Checks that every acknowledged message is stored once and is answered or marked as interrupted.
    pub(crate) fn assert_complete<'a>(&self, acked: impl Iterator<Item = &'a Message>) {
        let mut sent = BTreeMap::new();
        for (thread_id, events) in &self.threads {
            let seqs: Vec<_> = events
                .iter()
                .map(|event| event["seq"].as_u64().unwrap())
                .collect();
            let expected: Vec<_> = (1..=events.len() as u64).collect();
            assert_eq!(seqs, expected, "the sequence numbers of {thread_id}");
            for event in events {
                assert_eq!(
                    event["streaming"],
                    Value::Null,
                    "a text is still streaming: {event}"
                );
                if let Some(id) = event["client_event_id"].as_str() {
                    let other = sent.insert(id.to_owned(), event);
                    assert!(other.is_none(), "{id} is stored twice");
                }
                if event["actor"] == "user" {
                    self.assert_answered(event, events);
                }
            }
        }
        for message in acked {
            let id = &message.client_event_id;
            let Some(event) = sent.get(id) else {
                panic!("{id} was acknowledged but is not stored");
            };
            assert_eq!(event["content"][0]["text"], message.text);
            if let Some(thread_id) = &message.thread_id {
                assert_eq!(event["thread_id"], *thread_id);
            }
        }
    }

    /// Checks that exactly one run answers the message, and that the answer is complete or marked as
    /// interrupted or cancelled.
    fn assert_answered(&self, message: &Value, events: &[Value]) {
        let text = message["content"][0]["text"].as_str().unwrap();
        let [run] = self.runs_of(message) else {
            panic!("expected one run of {message}: {:?}", self.runs_of(message));
        };
        let of_run = |event: &&Value| event["run_id"] == run.id;
        let mut answers: Vec<_> = events.iter().filter(of_run).collect();
        // The run shows what the ledger contains.
        assert_eq!(run.shown_calls(), run.calls, "{run:?}");
        match run.status.as_str() {
            "succeeded" | "canceled" => {}
            "failed" => {
                assert_eq!(run.error.as_deref(), Some("interrupted"));
                let last = answers.pop().map(|last| &last["actor"]);
                assert!(
                    last.is_some_and(|actor| *actor == "system"),
                    "no event reports that the answer to {message} was interrupted"
                );
            }
            status => panic!("the run of {message} is {status}"),
        }
        let texts: Vec<_> = answers
            .iter()
            .map(|event| event["content"][0]["text"].as_str().unwrap())
            .collect();
        if text.contains(COUNTS) {
            assert_ne!(run.status, "succeeded", "{message} cannot be answered");
            assert!(texts.len() <= 1, "{texts:?}");
            texts.iter().for_each(|text| assert_is_count(text));
            assert_eq!(run.calls, 0, "{run:?}");
            return;
        }
        let number: u64 = text.rsplit(' ').next().unwrap().parse().unwrap();
        let parts = (0..number % 3).map(|part| format!("You said: {text} ({part})"));
        let whole: Vec<_> = parts.chain([format!("You said: {text}")]).collect();
        if run.status == "succeeded" {
            assert_eq!(texts, whole, "the answer to {message}");
            assert_eq!(run.calls, whole.len() as i64, "{run:?}");
            return;
        }
        // A text that broke off keeps its stored part. The usage of a text is stored with its end.
        let least = texts.len().saturating_sub(1) as i64;
        assert!(
            (least..=texts.len() as i64).contains(&run.calls),
            "{} texts: {run:?}",
            texts.len()
        );
        if let Some((last, before)) = texts.split_last() {
            let at = before.len();
            if *last != whole[at] {
                assert_eq!(run.calls, least, "{run:?}");
            }
            assert_eq!(*before, whole[..at]);
            assert!(whole[at].starts_with(last), "{texts:?}");
        }
        assert!(
            texts != whole || run.status == "canceled",
            "an interrupted answer must be incomplete"
        );
    }

    /// Checks that the client's view equals the stored state.
    pub(crate) fn assert_matches_view(&self, member: &ResilientClient) {
        for (thread_id, view) in &member.views {
            let events = &self.threads[thread_id];
            for (shown, event) in view.events.iter().zip(events) {
                assert_eq!(shown, event, "an event of {thread_id}\n{}", member.state());
            }
            assert_eq!(view.events.len(), events.len(), "{}", member.state());
            let mut runs = 0;
            for event in events {
                for run in self.runs_of(event) {
                    let shown = view.runs.get(&run.id);
                    let shown = shown.unwrap_or_else(|| panic!("{run:?}\n{}", member.state()));
                    assert_eq!(shown["status"], run.status);
                    let calls = shown["usage"][0]["output_tokens"].as_i64();
                    assert_eq!(calls.unwrap_or_default(), run.calls, "{shown}");
                    assert_eq!(shown["error"].as_str(), run.error.as_deref());
                    assert_eq!(micros(&shown["started_at"]), run.started_at, "{shown}");
                    runs += 1;
                }
            }
            assert_eq!(view.runs.len(), runs, "{}", member.state());
        }
    }

    /// The number of interrupted answers.
    pub(crate) fn interrupted(&self) -> usize {
        self.runs_with("failed")
    }

    /// The number of runs with this status.
    pub(crate) fn runs_with(&self, status: &str) -> usize {
        let runs = self.runs.values().flatten();
        runs.filter(|run| run.status == status).count()
    }

    fn runs_of(&self, message: &Value) -> &[Run] {
        let id = message["id"].as_str().unwrap();
        self.runs.get(id).map_or(&[], Vec::as_slice)
    }
}

impl Run {
    /// The number of calls that the run shows. Each has one output token.
    fn shown_calls(&self) -> i64 {
        let usage = self.usage.as_deref().unwrap_or("[]");
        let usage: Value = serde_json::from_str(usage).unwrap();
        usage[0]["output_tokens"].as_i64().unwrap_or_default()
    }
}

/// Checks that a text is the beginning of all numbers.
fn assert_is_count(text: &str) {
    for (place, number) in text.split_terminator(' ').enumerate() {
        assert_eq!(number, (place + 1).to_string(), "{text}");
    }
}

fn micros(time: &Value) -> i64 {
    let time = chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap());
    time.unwrap().timestamp_micros()
}
