//! The nodes of a database.

use super::bus::{Bus, BusKind};
use crate::database::Database;
use crate::until;
use dooers_tests::{Process, get};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::block_in_place;

/// The time between two words of an answer, in milliseconds.
const PACE: &str = "10";

/// The share of messages between nodes that are lost, doubled and reordered, in percent.
const FAULTS: &str = "20";

/// Maximum duration of a stop.
const STOP: Duration = Duration::from_secs(60);

/// The nodes of a database, and the list of those that accept clients, as a load balancer keeps it.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) database: Database,
    pub(crate) bus: Bus,
    /// The duration of leases in seconds. A third of it is the time after which a node finds a request to cancel that the
    /// broker has lost.
    lease: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) available: watch::Sender<Vec<SocketAddr>>,
}

/// A node as a process.
#[derive(Debug)]
pub(crate) struct Node {
    process: Process,
    pub(crate) address: SocketAddr,
}

impl Fleet {
    /// Starts nodes on an empty database. `None`, after printing a line, if no database is configured.
    pub(crate) async fn start(kind: BusKind, nodes: usize, lease: u64) -> Option<Self> {
        let database = Database::postgres()?;
        let bus = Bus::start(kind, &database).await?;
        let mut fleet = Self {
            database,
            bus,
            lease: lease.to_string(),
            nodes: Vec::new(),
            available: watch::Sender::new(Vec::new()),
        };
        for _ in 0..nodes {
            fleet.add_node().await;
        }
        Some(fleet)
    }

    /// Starts a node, and sends clients to it once it is ready.
    pub(crate) async fn add_node(&mut self) {
        let mut variables = self.database.variables();
        variables.extend(self.bus.variables.iter().cloned());
        let mut all: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        all.extend([
            ("WORKER_BIND", "127.0.0.1:0"),
            ("WORKER_LEASE", &self.lease),
            ("DOOERS_TEST_PACE", PACE),
            ("DOOERS_TEST_FAULTS", FAULTS),
        ]);
        let mut process = Process::start("crash-server", &all);
        let address = block_in_place(|| process.address());
        self.nodes.push(Node { process, address });
        self.wait_until_connected(address).await;
        self.available.send_modify(|all| all.push(address));
    }

    /// Sends no new clients to this node.
    pub(crate) fn withdraw(&self, address: SocketAddr) {
        self.available
            .send_modify(|all| all.retain(|available| *available != address));
    }

    /// Waits until `/readyz` of all nodes reports the loss of the other nodes.
    pub(crate) async fn wait_until_separated(&self) {
        for node in &self.nodes {
            until("a node to report its loss", async || {
                let (status, text) = get(node.address, "/readyz").await;
                assert_eq!(status, 200, "{text}");
                text.starts_with("ready; ")
            })
            .await;
        }
    }

    /// Waits until `/readyz` of all nodes reports no problem.
    pub(crate) async fn wait_until_reunited(&self) {
        for node in &self.nodes {
            self.wait_until_connected(node.address).await;
        }
    }

    async fn wait_until_connected(&self, address: SocketAddr) {
        until("a node to be ready", async || {
            get(address, "/readyz").await == (200, "ready\n".to_owned())
        })
        .await;
    }

    /// Removes a node from the list, and kills it.
    pub(crate) fn kill(&mut self, number: usize) {
        let node = self.nodes.remove(number);
        self.withdraw(node.address);
        node.process.signal("KILL");
    }

    /// Stops a node as a service manager does. It must end without an error.
    pub(crate) async fn stop(&mut self, number: usize) {
        let node = self.nodes.remove(number);
        self.withdraw(node.address);
        node.process.terminate();
        let (status, _, errors) = block_in_place(|| node.process.wait_timeout(STOP));
        assert_eq!(status, Some(0), "{errors}");
        assert_eq!(errors, "");
    }
}

impl Node {
    /// Stops the process without a word. Clients should not be sent to it in the meantime.
    pub(crate) fn freeze(&self) {
        self.process.signal("STOP");
    }

    /// Continues the process.
    pub(crate) fn thaw(&self) {
        self.process.signal("CONT");
    }
}
