//! What the tests of this store share.

mod batching;
mod like_memory;
mod opening;
mod queries;
mod trouble;

use super::{SqliteOptions, SqliteStore};
use crate::policy::OnBusy;
use crate::protocol::{ContentPart, EventType, ThreadEvent, User, timestamp};
use crate::store::{
    NewMessage, NewThread, Participant, Scope, Start, Store, ThreadTarget, TurnChange, TurnKey,
    Viewer,
};
use chrono::{DateTime, Utc};
use std::time::Duration;
use tempfile::TempDir;

/// A store in a directory of its own, which goes away with it.
pub(super) struct TestStore {
    pub(super) store: SqliteStore,
    pub(super) options: SqliteOptions,
    pub(super) directory: TempDir,
}

impl TestStore {
    pub(super) async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("worker.db"));
        let store = SqliteStore::open(options.clone()).await.unwrap();
        Self {
            store,
            options,
            directory,
        }
    }

    /// Closes the store and opens it again.
    pub(super) async fn reopen(self) -> Self {
        self.store.close().await;
        let store = SqliteStore::open(self.options.clone()).await.unwrap();
        Self { store, ..self }
    }
}

pub(super) fn scope() -> Scope {
    Scope {
        agent: "echo".to_owned(),
        worker_id: "w".to_owned(),
        organization_id: "o".to_owned(),
        workspace_id: "s".to_owned(),
        viewer: Viewer::Everyone,
    }
}

/// A moment: the second one is a microsecond after the first.
pub(super) fn at(micros: i64) -> DateTime<Utc> {
    timestamp::from_micros(1_700_000_000_000_000 + micros)
}

pub(super) fn start(run_id: &str) -> Start {
    Start {
        node: "n".to_owned(),
        run_id: Some(run_id.to_owned()),
        at: at(1),
        lease: Duration::ZERO,
        retries: 0,
        on_busy: OnBusy::Queue { limit: u32::MAX },
    }
}

/// A message that begins this thread.
pub(super) fn first_message(thread_id: &str, event_id: &str) -> NewMessage {
    let thread = ThreadTarget::New(NewThread::new(thread_id));
    message(thread, event_id)
}

/// A message in a thread that is there.
pub(super) fn next_message(thread_id: &str, event_id: &str) -> NewMessage {
    message(ThreadTarget::Existing(thread_id.to_owned()), event_id)
}

fn message(thread: ThreadTarget, event_id: &str) -> NewMessage {
    let user = User::new("ann");
    NewMessage {
        thread,
        event_id: event_id.to_owned(),
        kind: EventType::Message,
        content: vec![ContentPart::text("hello")],
        data: None,
        client_event_id: Some(format!("client-{event_id}")),
        participant: Participant::user(&user),
        user,
        at: at(0),
    }
}

/// An event of the agent.
pub(super) fn said(thread_id: &str, event_id: &str, text: &str) -> TurnChange {
    TurnChange::Event(Box::new(ThreadEvent {
        id: event_id.to_owned(),
        thread_id: thread_id.to_owned(),
        run_id: Some("r".to_owned()),
        kind: EventType::Message,
        actor: crate::protocol::Actor::Assistant,
        author: Some("echo".to_owned()),
        user: None,
        content: Some(vec![ContentPart::text(text)]),
        data: None,
        created_at: at(2),
        streaming: None,
        finalized: None,
        delta_seq: None,
        client_event_id: None,
        seq: 0,
    }))
}

/// Begins a thread. The result is the key of its running turn.
pub(super) async fn begun(store: &SqliteStore, thread_id: &str) -> TurnKey {
    let event_id = format!("{thread_id}-first");
    let new = first_message(thread_id, &event_id);
    let run = start(&format!("{thread_id}-run"));
    let begun = store.begin_turn(&scope(), new, &run).await.unwrap();
    begun.claim.unwrap().key
}
