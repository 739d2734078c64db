//! Stopping a server within a time limit.
//!
//! A stop begins after the drain delay. From then on it has one deadline: the drain time plus [`OVERTIME`], whatever clients, handlers and the database do. Work that
//! is not done by then is logged and dropped. No acknowledged message is lost: it is stored, and its turn ends when its
//! lease expires, or at the next start.

use super::server_state::ServerState;
use crate::store::{NodeState, Store};
use futures::future::join;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// The time by which a stop may exceed the drain time.
pub(super) const OVERTIME: Duration = Duration::from_secs(3);

/// The time after the drain time by which turns that took too long are recorded as interrupted, and by which the last
/// sessions have closed their sockets, which takes them 2 s.
const RECORDING: Duration = Duration::from_millis(2100);

/// The time after the drain time by which dropped work has ended.
const GIVING_UP: Duration = Duration::from_millis(2300);

/// The time after the drain time by which the program's callbacks and the server's own tasks have ended. One of them
/// sends the last analytics events to the webhook.
const TASKS: Duration = Duration::from_millis(2500);

/// The time after the drain time by which the report of this process is removed, and the longest time that this takes.
const REMOVING: Duration = Duration::from_millis(2700);
const REMOVAL: Duration = Duration::from_secs(1);

/// The time after the drain time by which the store is closed.
const CLOSING: Duration = Duration::from_millis(2850);

/// The longest drain time. It keeps deadlines within the range of `Instant`.
const LONGEST_DRAIN: Duration = Duration::from_secs(365 * 86_400);

/// The result of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Everything has ended.
    Whole,
    /// A handler blocks its thread and would keep the process alive.
    HandlerLeft,
}

impl ServerState {
    /// Closes sessions, lets turns finish, and closes the store. `turns_left` is called with the number of turns that
    /// are still running.
    pub(super) async fn stop(&self, turns_left: impl FnOnce(usize)) -> Stopped {
        if self.node.set(NodeState::Draining) != NodeState::Starting {
            let delay = sleep(self.config.drain_delay);
            self.stopping.run_until_cancelled(delay).await;
        }
        let drained = Instant::now() + self.config.drain_timeout.min(LONGEST_DRAIN);
        self.stopping.cancel();
        self.runner.stop_claiming();
        turns_left(self.runner.running_count());
        let mut stopped = Stopped::Whole;
        if !self.is_over_by(drained).await {
            self.runner.interrupt();
            if !self.is_over_by(drained + RECORDING).await {
                tracing::warn!(target: "dooers::server", "answers and ends of turns could not be stored in time and are dropped; such a turn ends when its lease expires, or at the next start");
                self.give_up();
                if !self.is_over_by(drained + GIVING_UP).await {
                    tracing::warn!(target: "dooers::turn", "a handler blocks its thread and is left behind");
                    stopped = Stopped::HandlerLeft;
                }
            }
        }
        self.give_up();
        self.settings.close();
        self.feedback.close();
        self.tasks.close();
        let tasks = async {
            self.tasks.wait().await;
            self.hub.close().await;
        };
        if timeout_at(drained + TASKS, tasks).await.is_err() {
            tracing::warn!(target: "dooers::server", "a callback of the program, for changed settings or for feedback, or the last request to the webhook did not end in time and is dropped");
        }
        self.abandoned.cancel();
        let closing = join(self.broker.close(), async {
            let removed_by = (drained + REMOVING).min(Instant::now() + REMOVAL);
            // Otherwise the process counts as dead when its lease ends.
            let _ = timeout_at(removed_by, self.end_reports()).await;
            self.store.close().await;
        });
        let closing = timeout_at(drained + CLOSING, closing);
        if closing.await.is_err() {
            tracing::warn!(target: "dooers::store", "the store could not be closed in time because the database does not answer");
        }
        stopped
    }

    /// Drops all unfinished work. Most of it is waiting for the database.
    fn give_up(&self) {
        self.runner.give_up();
        self.stopped.cancel();
    }

    /// Waits for the end of all work. Returns `false` if the deadline passes first.
    async fn is_over_by(&self, end: Instant) -> bool {
        timeout_at(end, self.work_over()).await.is_ok()
    }

    /// Waits until no session is answering a frame, no change of the program is in progress, and no turn is running.
    async fn work_over(&self) {
        self.sessions.close();
        loop {
            // A session may start a turn, and a handler may start a change.
            self.sessions.wait().await;
            self.runner.over().await;
            if self.sessions.is_empty() {
                return;
            }
        }
    }
}

/// Closes the store of a server that could not start.
pub(super) async fn close(store: &dyn Store) {
    // The server has written nothing that could be lost.
    let _ = timeout(OVERTIME, store.close()).await;
}
