//! Watching the changes of a worker's settings.

use futures::Stream;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

/// A change of a setting. The values of secrets are `null` here. Read them from the settings.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SettingsUpdate {
    /// The name of the agent.
    pub agent: String,
    /// The id of the worker.
    pub worker_id: String,
    /// The id of the field.
    pub field_id: String,
    /// The old value. For a change by another process: the value that this process last knew.
    pub old: Value,
    /// The new value.
    pub new: Value,
}

impl fmt::Debug for SettingsUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsUpdate")
            .field("agent", &self.agent)
            .field("worker_id", &self.worker_id)
            .field("field_id", &self.field_id)
            .finish_non_exhaustive()
    }
}

/// The watchers of settings.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Mutex<Vec<Weak<PendingUpdates>>>);

/// The updates that one watcher has not taken yet.
#[derive(Debug, Default)]
struct PendingUpdates(Mutex<WatchState>);

#[derive(Debug, Default)]
struct WatchState {
    updates: VecDeque<SettingsUpdate>,
    is_closed: bool,
    waker: Option<Waker>,
}

/// A stream of the changes of settings. It ends when the server stops.
///
/// If a field changes several times before the stream is polled, the stream returns one update from the oldest value
/// to the newest.
#[derive(Debug)]
#[must_use]
pub struct SettingsWatch(Arc<PendingUpdates>);

impl Watchers {
    pub(crate) fn watch(&self) -> SettingsWatch {
        let pending = Arc::new(PendingUpdates::default());
        let mut watchers = lock(&self.0);
        watchers.retain(|watcher| watcher.strong_count() > 0);
        watchers.push(Arc::downgrade(&pending));
        SettingsWatch(pending)
    }

    pub(super) fn notify(&self, update: &SettingsUpdate) {
        for pending in lock(&self.0).iter().filter_map(Weak::upgrade) {
            pending.push(update.clone());
        }
    }

    /// Closes the watches. Each stream ends after its pending updates.
    pub(super) fn close(&self) {
        for pending in lock(&self.0)
            .drain(..)
            .filter_map(|watcher| watcher.upgrade())
        {
            pending.close();
        }
    }

    /// Returns true if no watcher is left.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.0)
            .iter()
            .all(|watcher| watcher.strong_count() == 0)
    }
}

impl PendingUpdates {
    fn push(&self, update: SettingsUpdate) {
        let mut state = lock(&self.0);
        let place = |update: &SettingsUpdate| {
            let SettingsUpdate {
                agent,
                worker_id,
                field_id,
                ..
            } = update;
            (agent.clone(), worker_id.clone(), field_id.clone())
        };
        let own = place(&update);
        let same_field = |waiting: &&mut SettingsUpdate| place(waiting) == own;
        match state.updates.iter_mut().find(same_field) {
            Some(waiting) => waiting.new = update.new,
            None => state.updates.push_back(update),
        }
        state.wake();
    }

    fn close(&self) {
        let mut state = lock(&self.0);
        state.is_closed = true;
        state.wake();
    }
}

impl WatchState {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Stream for SettingsWatch {
    type Item = SettingsUpdate;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SettingsUpdate>> {
        let mut state = lock(&self.0.0);
        match state.updates.pop_front() {
            Some(update) => Poll::Ready(Some(update)),
            None if state.is_closed => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
