//! The report of this process: a row of the database that is renewed while the process runs.

use super::leases::RENEWALS;
use super::server_state::ServerState;
use crate::store::{NodeReport, NodeState, StoreError};
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// The time for which dead processes are listed.
const LISTED_DEAD: Duration = Duration::from_secs(86_400);

/// The parts of the report that do not come from other parts of the server.
#[derive(Debug)]
pub(super) struct NodeStatus {
    state: watch::Sender<NodeState>,
    host: String,
    sockets: AtomicU64,
    /// The reason why this process cannot use the tables any more.
    overtaken: OnceLock<String>,
}

/// An open WebSocket. It is counted until this value is dropped.
#[derive(Debug)]
pub(super) struct CountedSocket<'a>(&'a NodeStatus);

impl Drop for CountedSocket<'_> {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

impl NodeStatus {
    /// The status of a process that starts.
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::new(NodeState::Starting),
            host: host(),
            sockets: AtomicU64::new(0),
            overtaken: OnceLock::new(),
        }
    }

    pub(super) fn state(&self) -> NodeState {
        *self.state.borrow()
    }

    /// Changes the state, and returns the earlier one. A change is reported at once.
    pub(super) fn set(&self, state: NodeState) -> NodeState {
        let mut before = state;
        self.state.send_if_modified(|now| {
            before = std::mem::replace(now, state);
            before != state
        });
        before
    }

    pub(super) fn count_socket(&self) -> CountedSocket<'_> {
        self.sockets.fetch_add(1, Ordering::Relaxed);
        CountedSocket(self)
    }

    /// The reason why this process had to stop, because a newer program has migrated the database.
    pub(super) fn overtaken(&self) -> Option<&str> {
        self.overtaken.get().map(String::as_str)
    }
}

impl ServerState {
    /// Reports this process for the first time, and removes processes that died long ago.
    pub(super) async fn begin_reports(&self) -> Result<(), StoreError> {
        self.store.remove_dead_nodes(LISTED_DEAD).await?;
        self.report().await
    }

    /// Reports this process when its state changes, and as often as leases are renewed, so that it counts as dead when its
    /// turns may be taken over. This is not part of the renewal, because a slow report must not delay it.
    pub(super) async fn keep_reporting(self: Arc<Self>) {
        self.stopped.run_until_cancelled(self.report_on()).await;
    }

    async fn report_on(&self) {
        let pause = self.config.lease / RENEWALS;
        let mut state = self.node.state.subscribe();
        let mut has_failed = false;
        loop {
            state.mark_unchanged();
            match self.report().await {
                Ok(()) => has_failed = false,
                Err(StoreError::Open(reason)) => self.give_way(reason),
                Err(error) if has_failed => {
                    tracing::debug!(target: "dooers::server", error = &error as &dyn Error, "this process could not report itself in the database");
                }
                Err(error) => {
                    has_failed = true;
                    tracing::warn!(target: "dooers::server", error = &error as &dyn Error, "this process could not report itself in the database; trying again");
                }
            }
            tokio::select! {
                () = sleep(pause) => {}
                // The sender lives as long as the server.
                _ = state.changed() => {}
            }
        }
    }

    async fn report(&self) -> Result<(), StoreError> {
        let node = &self.node;
        let report = NodeReport {
            id: self.runner.node().to_owned(),
            state: node.state(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            broker: self.broker.kind().to_owned(),
            is_connected: self.broker.is_connected(),
            malformed_messages: self.broker.malformed(),
            connections: node.sockets.load(Ordering::Relaxed),
            running_turns: u64::try_from(self.runner.running_count()).unwrap_or(u64::MAX),
            host: node.host.clone(),
            process_id: std::process::id(),
        };
        self.store.report_node(&report, self.config.lease).await
    }

    /// Stops serving, because the tables no longer fit this program. Its turns are dropped without another write. Other
    /// processes take them over.
    fn give_way(&self, reason: String) {
        if self.node.overtaken.get().is_none() {
            tracing::error!(target: "dooers::server", "this process stops: {reason}");
        }
        // Only the first reason is kept.
        let _ = self.node.overtaken.set(reason);
        self.runner.stop_claiming();
        self.runner.lose_all();
        self.node.set(NodeState::Draining);
        self.stopping.cancel();
    }

    /// Removes the report of a process that stops. An error is not important, because the process then counts as dead.
    pub(super) async fn end_reports(&self) {
        if let Err(error) = self.store.remove_node(self.runner.node()).await {
            tracing::debug!(target: "dooers::server", error = &error as &dyn Error, "the report of this process could not be removed");
        }
    }
}

/// The name of this machine, which is of interest if several processes share a database.
#[cfg(feature = "postgres")]
fn host() -> String {
    whoami::hostname().unwrap_or_default()
}

#[cfg(not(feature = "postgres"))]
fn host() -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_state_causes_no_report() {
        let status = NodeStatus::new();
        let reporter = status.state.subscribe();
        assert_eq!(status.set(NodeState::Starting), NodeState::Starting);
        assert!(!reporter.has_changed().unwrap());
        assert_eq!(status.set(NodeState::Serving), NodeState::Starting);
        assert!(reporter.has_changed().unwrap());
        assert_eq!(status.state(), NodeState::Serving);
    }

    #[test]
    fn sockets_are_counted_while_they_are_open() {
        let status = NodeStatus::new();
        let one = status.count_socket();
        let other = status.count_socket();
        assert_eq!(status.sockets.load(Ordering::Relaxed), 2);
        drop((one, other));
        assert_eq!(status.sockets.load(Ordering::Relaxed), 0);
    }
}
