//! The processes that share a database.

use crate::broker::Broker;
use dooers_tests::postgres::fresh_prefix;
use dooers_tests::{Client, Identity, Process, get, within};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::block_in_place;

const PROGRAM: &str = "bench-node";

/// Longer than the benchmark, so that no renewal of a lease hides a missing message.
const LEASE: Duration = Duration::from_secs(3600);

/// Nodes on tables of their own. They are killed on drop.
pub(crate) struct Nodes {
    pub(crate) processes: Vec<Process>,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) prefix: String,
}

impl Nodes {
    /// Starts nodes, and waits until they can reach each other.
    pub(crate) async fn start(url: &str, broker: &Broker, count: usize) -> Self {
        Self::with_lease(url, broker, count, LEASE).await
    }

    /// Starts nodes that take over turns after this time.
    pub(crate) async fn with_lease(
        url: &str,
        broker: &Broker,
        count: usize,
        lease: Duration,
    ) -> Self {
        let prefix = fresh_prefix();
        let mut nodes = Self {
            processes: Vec::new(),
            addresses: Vec::new(),
            prefix,
        };
        for _ in 0..count {
            let mut process = start(url, broker, &nodes.prefix, lease);
            nodes.addresses.push(block_in_place(|| process.address()));
            nodes.processes.push(process);
        }
        for address in &nodes.addresses {
            let ready = async { while get(*address, "/readyz").await.1 != "ready\n" {} };
            within("the node to reach the others", ready).await;
        }
        nodes
    }

    /// The error of a node that does not start with this broker.
    pub(crate) fn refusal(url: &str, broker: &Broker) -> Option<String> {
        let mut process = start(url, broker, &fresh_prefix(), LEASE);
        if process.try_address().is_some() {
            return None;
        }
        Some(process.wait().2)
    }

    /// A client of a node. Each user has a worker of its own, so that clients do not receive the rows of each other's
    /// threads.
    pub(crate) async fn client(&self, node: usize, worker: &str, user: &str) -> Client {
        let mut client = Client::open(self.addresses[node], "/ws").await;
        let identity = Identity::of(user).with_deltas().with("agent_id", worker);
        client.connect(identity).await;
        client
    }
}

fn start(url: &str, broker: &Broker, prefix: &str, lease: Duration) -> Process {
    let lease = lease.as_secs().to_string();
    let variables = [
        ("DATABASE_URL", url),
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_BROKER", &broker.variable),
        ("WORKER_DATABASE_TABLE_PREFIX", prefix),
        ("WORKER_LEASE", &lease),
    ];
    Process::start(PROGRAM, &variables)
}
