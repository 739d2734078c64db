//! Stopping a server in a bounded time.
//!
//! Whatever clients, handlers and the database do, all of it has one deadline: the time for draining and
//! [`OVERTIME`]. Work that is not done by then is logged and dropped. Nothing that was acknowledged is lost by that: a
//! message is stored, and its turn is left to its lease or to the next start.

use super::running::Running;
use crate::store::Store;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The time by which a stop may exceed the time for draining.
pub(super) const OVERTIME: Duration = Duration::from_secs(3);

/// The part of the overtime in which turns that took too long are recorded as interrupted, and in which the last sessions
/// close their sockets, which takes them 2 s.
const RECORDING: Duration = Duration::from_millis(2100);

/// The same with the time in which work that is given up ends.
const GIVING_UP: Duration = Duration::from_millis(2300);

/// The part of the overtime by whose end callbacks of the program and the server's own tasks have ended.
const TASKS: Duration = Duration::from_millis(2500);

/// The part of the overtime by whose end the store is closed.
const CLOSING: Duration = Duration::from_millis(2850);

/// The longest time for draining: deadlines are points in time that must exist.
const LONGEST_DRAIN: Duration = Duration::from_secs(365 * 86_400);

/// The result of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Everything has ended.
    Whole,
    /// A handler blocks its thread, and would keep the process alive.
    HandlerLeft,
}

impl Running {
    /// Closes sessions, lets turns finish, and closes the store. `turns_left` is called with the number of turns that
    /// are waited for.
    pub(super) async fn stop(&self, turns_left: impl FnOnce(usize)) -> Stopped {
        let drained = Instant::now() + self.config.drain_timeout.min(LONGEST_DRAIN);
        self.stopping.cancel();
        self.runner.leave_waiting();
        turns_left(self.runner.running_count());
        let mut stopped = Stopped::Whole;
        if !self.is_over_by(drained).await {
            self.runner.interrupt();
            if !self.is_over_by(drained + RECORDING).await {
                tracing::warn!(target: "dooers::server", "answers and ends of turns could not be stored in time and are dropped; such a turn ends with its lease, or at the next start");
                self.give_up();
                if !self.is_over_by(drained + GIVING_UP).await {
                    tracing::warn!(target: "dooers::turn", "a handler blocks its thread and is left behind");
                    stopped = Stopped::HandlerLeft;
                }
            }
        }
        self.give_up();
        self.settings.close();
        self.tasks.close();
        let tasks = async {
            self.tasks.wait().await;
            self.hub.close().await;
        };
        if timeout_at(drained + TASKS, tasks).await.is_err() {
            tracing::warn!(target: "dooers::settings", "the program's callback for changed settings did not end in time and is dropped");
        }
        self.abandoned.cancel();
        let closing = timeout_at(drained + CLOSING, self.store.close());
        if closing.await.is_err() {
            tracing::warn!(target: "dooers::store", "the store could not be closed in time, as the database does not answer");
        }
        stopped
    }

    /// Drops work that waits, for the database most of all.
    fn give_up(&self) {
        self.runner.give_up();
        self.stopped.cancel();
    }

    /// Waits for the end of all work. `false` if it does not come in time.
    async fn is_over_by(&self, end: Instant) -> bool {
        timeout_at(end, self.work_over()).await.is_ok()
    }

    /// Waits until no session answers a frame, no change of the program is on its way, and no turn runs.
    async fn work_over(&self) {
        self.sessions.close();
        loop {
            // A message that is being answered may begin a turn, and a handler may begin a change.
            self.sessions.wait().await;
            self.runner.over().await;
            if self.sessions.is_empty() {
                return;
            }
        }
    }
}

/// Closes the store of a server that does not start.
pub(super) async fn close(store: &dyn Store) {
    // There is nothing in it that must be written.
    let _ = timeout(OVERTIME, store.close()).await;
}
