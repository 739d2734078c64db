//! Shared parts of this store's tests.

mod batching;
mod differential;
mod files;
mod foreign_ids;
mod full;
mod opening;
mod queries;
mod secrets;
mod trouble;

use super::{SqliteOptions, SqliteStore};
use crate::protocol::{ContentPart, EventType, User};
pub(super) use crate::store::tests::{at, first_message, next_message, report, said, scope, start};
use crate::store::{
    NewMessage, Participant, Scope, Store, ThreadTarget, TurnChange, TurnKey, Viewer,
};
use std::time::Duration;
use tempfile::TempDir;

/// A store in a temporary directory.
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

    /// Closes and reopens the store.
    pub(super) async fn reopen(self) -> Self {
        self.store.close().await;
        let store = SqliteStore::open(self.options.clone()).await.unwrap();
        Self { store, ..self }
    }
}

/// Begins a thread. Returns the key of its running turn.
pub(super) async fn begun(store: &SqliteStore, thread_id: &str) -> TurnKey {
    let event_id = format!("{thread_id}-first");
    let new = first_message(thread_id, &event_id);
    let run = start(&format!("{thread_id}-run"));
    let begun = store.begin_turn(&scope(), new, &run).await.unwrap();
    begun.claim.unwrap().key
}
