//! Nodes that are alive in the database, but that this node does not hear, although both are connected to a broker: for
//! example because their brokers are different servers, or because the login may not use the subjects.

use crate::store::NodeInfo;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The nodes that this node should hear.
#[derive(Debug, Default)]
pub(super) struct SilentNodes(Mutex<HashMap<String, Hearing>>);

/// How long another node has been silent.
#[derive(Debug)]
struct Hearing {
    /// The time since which nothing was heard.
    silent_since: Instant,
    is_silent: bool,
}

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Unchanged,
    /// These nodes are silent now, and some of them were not before.
    Silent(Vec<String>),
    /// All nodes are heard again.
    AllHeard,
}

impl SilentNodes {
    /// Notes that a node was heard.
    pub(super) fn heard(&self, id: &str) {
        if let Some(hearing) = self.nodes().get_mut(id) {
            hearing.silent_since = Instant::now();
        }
    }

    /// Returns `true` if a node was silent at the last comparison.
    pub(super) fn any(&self) -> bool {
        self.nodes().values().any(|hearing| hearing.is_silent)
    }

    /// Forgets all nodes, because this node hears nobody.
    pub(super) fn forget(&self) {
        self.nodes().clear();
    }

    /// Compares the nodes that should be heard with those that were. A node that was not heard for longer than `patience` is
    /// silent.
    pub(super) fn compare(&self, expected: &[&NodeInfo], patience: Duration) -> Found {
        let mut nodes = self.nodes();
        let was_silent = nodes.values().any(|hearing| hearing.is_silent);
        nodes.retain(|id, _| expected.iter().any(|node| node.id == *id));
        let (mut silent, mut is_new) = (Vec::new(), false);
        for node in expected {
            let hearing = nodes.entry(node.id.clone()).or_insert_with(|| Hearing {
                silent_since: Instant::now(),
                is_silent: false,
            });
            let is_silent = hearing.silent_since.elapsed() > patience;
            is_new |= is_silent && !hearing.is_silent;
            hearing.is_silent = is_silent;
            if is_silent {
                silent.push(node.id.clone());
            }
        }
        if is_new {
            Found::Silent(silent)
        } else if was_silent && silent.is_empty() {
            Found::AllHeard
        } else {
            Found::Unchanged
        }
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<String, Hearing>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn node_that_is_not_heard_for_long_is_silent() {
        let silent = SilentNodes::default();
        let (one, two) = (
            NodeInfo::serving("one", "nats"),
            NodeInfo::serving("two", "nats"),
        );
        let both = [&one, &two];
        let names = |ids: &[&str]| Found::Silent(ids.iter().map(|id| (*id).to_owned()).collect());
        // A node has time for its first announcement.
        assert_eq!(silent.compare(&both, PATIENCE), Found::Unchanged);
        advance(PATIENCE).await;
        assert_eq!(silent.compare(&both, PATIENCE), Found::Unchanged);
        silent.heard("one");
        advance(Duration::from_secs(1)).await;
        assert_eq!(silent.compare(&both, PATIENCE), names(&["two"]));
        assert!(silent.any());
        assert_eq!(silent.compare(&both, PATIENCE), Found::Unchanged);
        advance(PATIENCE).await;
        assert_eq!(silent.compare(&both, PATIENCE), names(&["one", "two"]));
        silent.heard("two");
        silent.heard("unknown");
        assert_eq!(silent.compare(&both, PATIENCE), Found::Unchanged);
        assert!(silent.any());
        // A node that has died is not expected any more.
        assert_eq!(silent.compare(&[&two], PATIENCE), Found::AllHeard);
        assert!(!silent.any());
        assert_eq!(silent.compare(&both, PATIENCE), Found::Unchanged);
        // What was missed while nobody was heard does not count.
        advance(2 * PATIENCE).await;
        silent.forget();
        assert_eq!(silent.compare(&both, PATIENCE), Found::Unchanged);
        assert!(!silent.any());
    }
}
