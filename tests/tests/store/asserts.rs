//! Helpers to read a store and to inspect its responses.

use crate::backends::AnyStore;
use crate::fixtures::scope;
use dooers::protocol::{Run, Thread, ThreadEvent};
use dooers::store::{
    Change, ChangeBody, FeedbackQuery, PageLimit, Position, Scope, Snapshot, SnapshotFrom,
    StoreError, TurnState,
};
use dooers_tests::with;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The state of the turn of an event in this thread.
pub(crate) async fn turn_state(store: &AnyStore, thread_id: &str, event_id: &str) -> TurnState {
    let state = store.turn_state(&scope(), thread_id, event_id).await;
    state.expect("an event of the thread")
}

/// The kind of each change.
pub(crate) fn kinds(changes: &[Change]) -> Vec<&'static str> {
    changes
        .iter()
        .map(|change| match &change.body {
            ChangeBody::Thread(_) => "thread",
            ChangeBody::Event(_) => "event",
            ChangeBody::Run(_) => "run",
            ChangeBody::Deleted(_) => "deleted",
            other => panic!("an unknown change: {other:?}"),
        })
        .collect()
}

pub(crate) fn revs(changes: &[Change]) -> Vec<u64> {
    changes.iter().map(|change| change.rev).collect()
}

pub(crate) fn events_of(changes: &[Change]) -> Vec<ThreadEvent> {
    changes
        .iter()
        .filter_map(|change| match &change.body {
            ChangeBody::Event(event) => Some((**event).clone()),
            _ => None,
        })
        .collect()
}

pub(crate) fn runs_of(changes: &[Change]) -> Vec<Run> {
    changes
        .iter()
        .filter_map(|change| match &change.body {
            ChangeBody::Run(run) => Some(run.clone()),
            _ => None,
        })
        .collect()
}

pub(crate) fn threads_of(changes: &[Change]) -> Vec<Thread> {
    changes
        .iter()
        .filter_map(|change| match &change.body {
            ChangeBody::Thread(record) => Some(record.thread.clone()),
            _ => None,
        })
        .collect()
}

pub(crate) fn ids(events: &[ThreadEvent]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

pub(crate) fn seqs(events: &[ThreadEvent]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

/// The position of a reader that has received nothing.
pub(crate) fn start_position() -> Position {
    Position {
        first_seq: 1,
        last_seq: 0,
        sent_from: 1,
        rev: 0,
        known: None,
    }
}

/// Reads all changes after a position. Returns them with the position after them.
pub(crate) async fn catch_up_fully(
    store: &AnyStore,
    scope: &Scope,
    thread_id: &str,
    mut position: Position,
    limit: impl Into<PageLimit>,
) -> (Vec<Change>, Position) {
    let limit = limit.into();
    let mut changes = Vec::new();
    for _ in 0..1_000 {
        let page = store
            .catch_up(scope, thread_id, &position, limit)
            .await
            .expect("the thread is visible");
        let new_events = page.position.last_seq - position.last_seq;
        assert!(
            new_events <= limit.items as u64,
            "{new_events} events in a page"
        );
        changes.extend(page.changes);
        position = page.position;
        if page.is_complete {
            return (changes, position);
        }
    }
    panic!("the reader never becomes complete");
}

/// All events and runs of a thread.
pub(crate) async fn events_and_runs(
    store: &AnyStore,
    scope: &Scope,
    thread_id: &str,
) -> (Vec<ThreadEvent>, Vec<Run>) {
    let (changes, _) = catch_up_fully(store, scope, thread_id, start_position(), 1_000).await;
    (events_of(&changes), runs_of(&changes))
}

/// The run with this id.
pub(crate) async fn run_named(store: &AnyStore, scope: &Scope, thread_id: &str, id: &str) -> Run {
    let (_, runs) = events_and_runs(store, scope, thread_id).await;
    let found = runs.into_iter().find(|run| run.id == id);
    found.unwrap_or_else(|| panic!("no run {id}"))
}

/// The output of every read method for a scope, to compare before and after an operation.
pub(crate) async fn dump(store: &AnyStore, scope: &Scope) -> Vec<String> {
    let page = store
        .threads(scope, None, 1_000.into())
        .await
        .expect("a list");
    let every = FeedbackQuery::newest(1_000);
    let feedback = store.find_feedback(scope, &every).await.expect("a list");
    let mut lines = vec![format!("{page:?}"), format!("{feedback:?}")];
    for thread in &page.threads {
        let record = store.thread(scope, &thread.id).await.expect("in the list");
        let snapshot = store.snapshot(scope, &thread.id, &SnapshotFrom::Newest, usize::MAX);
        let events = store.events(scope, &thread.id, None, 1_000.into());
        let beginning = start_position();
        let all = store.catch_up(scope, &thread.id, &beginning, 1_000.into());
        lines.push(format!("{record:?}"));
        lines.push(format!("{:?}", snapshot.await.expect("in the list")));
        lines.push(format!("{:?}", events.await.expect("in the list")));
        lines.push(format!("{:?}", all.await.expect("in the list")));
    }
    lines
}

pub(crate) async fn newest(store: &AnyStore, scope: &Scope, thread_id: &str) -> Snapshot {
    store
        .snapshot(scope, thread_id, &SnapshotFrom::Newest, usize::MAX)
        .await
        .expect("the thread is visible")
}

#[track_caller]
pub(crate) fn assert_not_found<T: Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::NotFound(_)) => {}
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn assert_conflict<T: Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::Conflict(_)) => {}
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn assert_stale<T: Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::StaleFence) => {}
        other => panic!("{other:?}"),
    }
}

/// The text of an `Invalid` error.
#[track_caller]
pub(crate) fn invalid<T: Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Invalid(text)) => text,
        other => panic!("not rejected as invalid: {other:?}"),
    }
}

/// The event without the members that change while its text streams.
fn without_streaming_state(event: &ThreadEvent) -> ThreadEvent {
    let mut event = event.clone();
    if event.streaming.is_some() {
        event.content = None;
        event.delta_seq = None;
    }
    event
}

/// A client that keeps everything it has received of a thread.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) thread: Thread,
    pub(crate) events: BTreeMap<u64, ThreadEvent>,
    pub(crate) runs: BTreeMap<String, Run>,
    pub(crate) position: Position,
}

impl Reader {
    /// A reader with the newest snapshot.
    pub(crate) async fn fresh(store: &AnyStore, scope: &Scope, thread_id: &str) -> Self {
        let snapshot = newest(store, scope, thread_id).await;
        assert!(snapshot.is_complete);
        let mut reader = Self {
            thread: snapshot.thread.thread.clone(),
            events: BTreeMap::new(),
            runs: BTreeMap::new(),
            position: snapshot.position.clone(),
        };
        reader.apply_snapshot(snapshot);
        reader
    }

    fn apply_snapshot(&mut self, snapshot: Snapshot) {
        self.thread = snapshot.thread.thread;
        self.position = snapshot.position;
        for event in snapshot.events {
            self.events.insert(event.seq, event);
        }
        for run in snapshot.runs {
            self.runs.insert(run.id.clone(), run);
        }
    }

    /// Reads all changes after its position.
    pub(crate) async fn advance(
        &mut self,
        store: &AnyStore,
        scope: &Scope,
        limit: impl Into<PageLimit>,
    ) {
        let id = self.thread.id.clone();
        let (changes, position) =
            catch_up_fully(store, scope, &id, self.position.clone(), limit).await;
        self.position = position;
        self.apply(changes);
    }

    fn apply(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            match change.body {
                ChangeBody::Thread(record) => self.thread = record.thread,
                ChangeBody::Event(event) => {
                    self.events.insert(event.seq, *event);
                }
                ChangeBody::Run(run) => {
                    self.runs.insert(run.id.clone(), run);
                }
                other => panic!("a reader received {other:?}"),
            }
        }
    }

    /// Reconnects, and reads at most this many changes. Returns whether it has received everything.
    pub(crate) async fn advance_partially(
        &mut self,
        store: &AnyStore,
        scope: &Scope,
        limit: impl Into<PageLimit>,
        changes: usize,
    ) -> bool {
        let limit = limit.into();
        let id = self.thread.id.clone();
        let mut position = self.resume(store, scope, limit.bytes).await;
        let mut left = changes;
        loop {
            let page = store.catch_up(scope, &id, &position, limit).await;
            let page = page.expect("the thread is visible");
            let enough = page.changes.len() > left;
            self.apply(page.changes.iter().take(left).cloned());
            if enough || page.is_complete {
                return !enough;
            }
            left -= page.changes.len();
            position = page.position;
        }
    }

    /// Reconnects and resumes from its last event.
    pub(crate) async fn reconnect(
        &mut self,
        store: &AnyStore,
        scope: &Scope,
        limit: impl Into<PageLimit>,
    ) {
        let limit = limit.into();
        self.resume(store, scope, limit.bytes).await;
        self.advance(store, scope, limit).await;
    }

    /// Applies the snapshot after its last event. Returns the new position.
    async fn resume(&mut self, store: &AnyStore, scope: &Scope, bytes: usize) -> Position {
        let (_, last) = self.events.last_key_value().expect("the thread has events");
        let from = SnapshotFrom::After(last.id.clone());
        let snapshot = store
            .snapshot(scope, &self.thread.id, &from, bytes)
            .await
            .expect("the thread is visible");
        assert!(snapshot.recovered);
        self.apply_snapshot(snapshot);
        self.position.clone()
    }

    /// Checks that it has everything that a fresh reader has, and nothing outdated. The content of a streaming
    /// text is ignored, as it grows without changes.
    pub(crate) async fn assert_up_to_date(&self, store: &AnyStore, scope: &Scope) {
        let fresh = Self::fresh(store, scope, &self.thread.id).await;
        for (seq, event) in &fresh.events {
            assert_eq!(
                self.events.get(seq).map(without_streaming_state),
                Some(without_streaming_state(event))
            );
        }
        for (id, run) in &fresh.runs {
            assert_eq!(self.runs.get(id), Some(run));
        }
        let (events, runs) = events_and_runs(store, scope, &self.thread.id).await;
        for event in self.events.values() {
            assert_eq!(
                without_streaming_state(event),
                without_streaming_state(&events[event.seq as usize - 1])
            );
        }
        for run in self.runs.values() {
            assert!(runs.contains(run), "out of date: {run:?}");
        }
        // `last_event_at` is published once per turn.
        let published = with!(Thread {
            last_event_at: fresh.thread.last_event_at,
            ..self.thread.clone()
        });
        assert_eq!(published, fresh.thread);
    }
}
