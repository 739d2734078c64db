//! The status of this process, which it reports in the database.

use crate::store::NodeState;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

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

    /// Watches the state.
    pub(super) fn watch(&self) -> watch::Receiver<NodeState> {
        self.state.subscribe()
    }

    /// The name of this machine. Empty if it is unknown.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The number of open WebSockets.
    pub(super) fn sockets(&self) -> u64 {
        self.sockets.load(Ordering::Relaxed)
    }

    /// Notes the reason why this process cannot use the tables any more. Returns `false` if one is known.
    pub(super) fn overtake(&self, reason: String) -> bool {
        self.overtaken.set(reason).is_ok()
    }

    /// The reason why this process had to stop, because a newer program has migrated the database.
    pub(super) fn overtaken(&self) -> Option<&str> {
        self.overtaken.get().map(String::as_str)
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
        let reporter = status.watch();
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
        assert_eq!(status.sockets(), 2);
        drop((one, other));
        assert_eq!(status.sockets(), 0);
    }
}
