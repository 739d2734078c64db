//! What readers see: helpers that look at a store, or at what it answered.

use crate::stores::AnyStore;
use dooers::protocol::{Run, Thread, ThreadEvent};
use dooers::store::{
    Change, ChangeBody, PageLimit, Position, Scope, Snapshot, SnapshotFrom, StoreError,
};
use dooers_tests::with;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// What kind of thing each of these changes is of.
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

/// What reads everything of a thread.
pub(crate) fn from_the_beginning() -> Position {
    Position {
        first_seq: 1,
        last_seq: 0,
        sent_from: 1,
        rev: 0,
        known: None,
    }
}

/// All changes that a reader at this position has not got, and where it stands then.
pub(crate) async fn caught_up(
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
            .expect("the thread is seen");
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
    panic!("the reader never has all");
}

/// The events and runs of a thread, all of them.
pub(crate) async fn all_of(
    store: &AnyStore,
    scope: &Scope,
    thread_id: &str,
) -> (Vec<ThreadEvent>, Vec<Run>) {
    let (changes, _) = caught_up(store, scope, thread_id, from_the_beginning(), 1_000).await;
    (events_of(&changes), runs_of(&changes))
}

/// The run of this id as it stands.
pub(crate) async fn run_named(store: &AnyStore, scope: &Scope, thread_id: &str, id: &str) -> Run {
    let (_, runs) = all_of(store, scope, thread_id).await;
    let found = runs.into_iter().find(|run| run.id == id);
    found.unwrap_or_else(|| panic!("no run {id}"))
}

/// Everything that reading shows of a scope, to compare before and after.
pub(crate) async fn picture(store: &AnyStore, scope: &Scope) -> Vec<String> {
    let page = store
        .threads(scope, None, 1_000.into())
        .await
        .expect("a list");
    let mut lines = vec![format!("{page:?}")];
    for thread in &page.threads {
        let record = store.thread(scope, &thread.id).await.expect("in the list");
        let snapshot = store.snapshot(scope, &thread.id, &SnapshotFrom::Newest, usize::MAX);
        let events = store.events(scope, &thread.id, None, 1_000.into());
        let beginning = from_the_beginning();
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
        .expect("the thread is seen")
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

/// The text of an `Invalid`.
#[track_caller]
pub(crate) fn invalid<T: Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Invalid(text)) => text,
        other => panic!("not refused as invalid: {other:?}"),
    }
}

/// The event without what changes while its text grows.
fn settled(event: &ThreadEvent) -> ThreadEvent {
    let mut event = event.clone();
    if event.streaming.is_some() {
        event.content = None;
        event.delta_seq = None;
    }
    event
}

/// A client that keeps what it was sent of a thread.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) thread: Thread,
    pub(crate) events: BTreeMap<u64, ThreadEvent>,
    pub(crate) runs: BTreeMap<String, Run>,
    pub(crate) position: Position,
}

impl Reader {
    /// One that comes for the first time.
    pub(crate) async fn fresh(store: &AnyStore, scope: &Scope, thread_id: &str) -> Self {
        let snapshot = newest(store, scope, thread_id).await;
        assert!(snapshot.is_complete);
        let mut reader = Self {
            thread: snapshot.thread.thread.clone(),
            events: BTreeMap::new(),
            runs: BTreeMap::new(),
            position: snapshot.position.clone(),
        };
        reader.take(snapshot);
        reader
    }

    fn take(&mut self, snapshot: Snapshot) {
        self.thread = snapshot.thread.thread;
        self.position = snapshot.position;
        for event in snapshot.events {
            self.events.insert(event.seq, event);
        }
        for run in snapshot.runs {
            self.runs.insert(run.id.clone(), run);
        }
    }

    /// Goes on from where it is.
    pub(crate) async fn go_on(
        &mut self,
        store: &AnyStore,
        scope: &Scope,
        limit: impl Into<PageLimit>,
    ) {
        let id = self.thread.id.clone();
        let (changes, position) = caught_up(store, scope, &id, self.position.clone(), limit).await;
        self.position = position;
        self.see(changes);
    }

    fn see(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            match change.body {
                ChangeBody::Thread(record) => self.thread = record.thread,
                ChangeBody::Event(event) => {
                    self.events.insert(event.seq, *event);
                }
                ChangeBody::Run(run) => {
                    self.runs.insert(run.id.clone(), run);
                }
                other => panic!("a reader is never sent {other:?}"),
            }
        }
    }

    /// Comes back, and goes again after so many changes. The result is whether it was sent all.
    pub(crate) async fn go_after(
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
            let page = page.expect("the thread is seen");
            let enough = page.changes.len() > left;
            self.see(page.changes.iter().take(left).cloned());
            if enough || page.is_complete {
                return !enough;
            }
            left -= page.changes.len();
            position = page.position;
        }
    }

    /// Went away, and comes back with what it has.
    pub(crate) async fn come_back(
        &mut self,
        store: &AnyStore,
        scope: &Scope,
        limit: impl Into<PageLimit>,
    ) {
        let limit = limit.into();
        self.resume(store, scope, limit.bytes).await;
        self.go_on(store, scope, limit).await;
    }

    /// Takes the snapshot that begins with what it has. The result is where it stands then.
    async fn resume(&mut self, store: &AnyStore, scope: &Scope, bytes: usize) -> Position {
        let (_, last) = self.events.last_key_value().expect("no thread is empty");
        let from = SnapshotFrom::After(last.id.clone());
        let snapshot = store
            .snapshot(scope, &self.thread.id, &from, bytes)
            .await
            .expect("the thread is seen");
        assert!(snapshot.recovered);
        self.take(snapshot);
        self.position.clone()
    }

    /// Whether it has what one that comes now has, and nothing that is out of date. How far a text has grown is not
    /// told by changes.
    pub(crate) async fn assert_up_to_date(&self, store: &AnyStore, scope: &Scope) {
        let fresh = Self::fresh(store, scope, &self.thread.id).await;
        for (seq, event) in &fresh.events {
            assert_eq!(self.events.get(seq).map(settled), Some(settled(event)));
        }
        for (id, run) in &fresh.runs {
            assert_eq!(self.runs.get(id), Some(run));
        }
        let (events, runs) = all_of(store, scope, &self.thread.id).await;
        for event in self.events.values() {
            assert_eq!(settled(event), settled(&events[event.seq as usize - 1]));
        }
        for run in self.runs.values() {
            assert!(runs.contains(run), "out of date: {run:?}");
        }
        // `last_event_at` is told once a turn only.
        let told = with!(Thread {
            last_event_at: fresh.thread.last_event_at,
            ..self.thread.clone()
        });
        assert_eq!(told, fresh.thread);
    }
}
