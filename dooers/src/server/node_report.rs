//! The report of this process: a row of the database that is renewed while the process runs. The reports of the others say who
//! should be heard.

use super::server_state::ServerState;
use super::silent_nodes::Found;
use crate::broker::News;
use crate::store::{NodeInfo, NodeReport, NodeState, StoreError};
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The time for which dead processes are listed.
const LISTED_DEAD: Duration = Duration::from_secs(86_400);

impl ServerState {
    /// Reports this process for the first time, and removes processes that died long ago. Warns if the other processes use
    /// another broker, because they then do not notify each other, although each is connected to its own broker.
    pub(super) async fn begin_reports(&self) -> Result<(), StoreError> {
        self.store.remove_dead_nodes(LISTED_DEAD).await?;
        self.report().await?;
        let nodes = self.store.nodes().await?;
        let own = self.broker.kind();
        let others = other_brokers(&nodes, own);
        if !others.is_empty() {
            tracing::warn!(target: "dooers::broker", broker = own, ?others, "other processes of this database use another broker, so they and this process do not notify each other; set the same WORKER_BROKER for all of them");
        }
        Ok(())
    }

    /// Reports this process when its state changes, and as often as leases are renewed, so that it counts as dead when its
    /// turns may be taken over. This is not part of the renewal, because a slow report must not delay it.
    pub(super) async fn keep_reporting(self: Arc<Self>) {
        self.stopped.run_until_cancelled(self.report_on()).await;
    }

    async fn report_on(&self) {
        let pause = self.config.renewal_pause();
        let mut state = self.node.watch();
        let mut has_failed = false;
        loop {
            state.mark_unchanged();
            match self.report_and_compare().await {
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

    /// Reports this process, and compares the reports of the others with those that are heard.
    async fn report_and_compare(&self) -> Result<(), StoreError> {
        self.report().await?;
        if self.broker.has_others() {
            self.find_silent().await?;
        }
        Ok(())
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
            connections: node.sockets(),
            running_turns: u64::try_from(self.runner.running_count()).unwrap_or(u64::MAX),
            host: node.host().to_owned(),
            process_id: std::process::id(),
        };
        self.store.report_node(&report, self.config.lease).await?;
        self.broker.publish(News::Alive(report.id));
        Ok(())
    }

    /// Returns `true` if the changes of all other nodes arrive through the broker, as far as this node knows.
    pub(super) fn hears_all(&self) -> bool {
        self.broker.is_connected() && !self.silent.any()
    }

    /// Finds nodes that are not heard, and logs a warning. A node announces itself with each report, so several announcements
    /// of a silent node were lost.
    async fn find_silent(&self) -> Result<(), StoreError> {
        // The loss of a connection is reported without this.
        if !self.broker.is_connected() {
            self.silent.forget();
            return Ok(());
        }
        let nodes = self.store.nodes().await?;
        let own = self.runner.node();
        let should_be_heard =
            |node: &&NodeInfo| node.is_alive && node.broker.is_connected && node.id != own;
        let expected: Vec<_> = nodes.iter().filter(should_be_heard).collect();
        let patience = self.config.lease.saturating_mul(2);
        match self.silent.compare(&expected, patience) {
            Found::Unchanged => {}
            Found::Silent(nodes) => {
                tracing::warn!(target: "dooers::broker", ?nodes, "nothing arrives from some of the other nodes; check that all nodes use the same broker, the same server or cluster of it, and logins that may use it; their changes are found in the database, only later");
            }
            Found::AllHeard => {
                tracing::info!(target: "dooers::broker", "all other nodes are heard again");
            }
        }
        Ok(())
    }

    /// Stops serving, because the tables no longer fit this program. Its turns are dropped without another write. Other
    /// processes take them over.
    fn give_way(&self, reason: String) {
        let text = format!("this process stops: {reason}");
        if self.node.overtake(reason) {
            tracing::error!(target: "dooers::server", "{text}");
        }
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

/// The kinds of the brokers that running processes use instead of this one.
fn other_brokers<'a>(nodes: &'a [NodeInfo], own: &str) -> BTreeSet<&'a str> {
    let alive = nodes.iter().filter(|node| node.is_alive);
    let kinds = alive.map(|node| node.broker.kind.as_str());
    kinds.filter(|kind| *kind != own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_of_other_running_processes_are_found() {
        let nodes = [
            NodeInfo::serving("1", "postgres"),
            NodeInfo::serving("2", "nats"),
            NodeInfo {
                is_alive: false,
                ..NodeInfo::serving("3", "none")
            },
        ];
        let others: Vec<_> = other_brokers(&nodes, "postgres").into_iter().collect();
        assert_eq!(others, ["nats"]);
        assert!(other_brokers(&nodes[..1], "postgres").is_empty());
    }
}
