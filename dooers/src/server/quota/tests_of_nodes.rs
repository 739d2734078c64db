//! Rates of users who send to several nodes.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use super::{Meter, Quotas, Starts};
use crate::auth::Identity;
use crate::broker::{BrokerFaults, LocalBus};
use crate::handler::AgentDefinition;
use crate::protocol::ErrorBody;
use crate::server::broker_kind::BrokerChoice;
use crate::server::{Database, WorkerConfig, WorkerServer};
use crate::store::MemoryStore;
use crate::throttle::Quota;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const NODES: usize = 3;

/// The quota of messages: this many at once, and one each second.
const BURST: u32 = 20;

/// More than the window of the broker.
const HEARD: Duration = Duration::from_millis(50);

const MINUTE: Duration = Duration::from_secs(60);

/// A node, and the connection of a user to it.
struct Node {
    server: WorkerServer,
    meter: Meter,
}

/// Starts nodes on one bus. A user is connected to each of them.
async fn nodes(faults: BrokerFaults, change: fn(&mut Quotas)) -> Vec<Node> {
    let (store, bus) = (Arc::new(MemoryStore::new()), LocalBus::with(faults));
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        let config = WorkerConfig::new().database(Database::Custom(store.clone()));
        let mut config = config.quotas(|quotas| {
            quotas.messages_per_minute = Quota::at_most(60);
            quotas.message_burst = BURST;
            change(quotas);
        });
        config.broker = BrokerChoice::Given(bus.broker());
        let agent = AgentDefinition::from_fn("echo", async || "Hello!");
        let server = WorkerServer::new(config).add_agent(agent);
        let meter = connect(&server, "ana").await;
        nodes.push(Node { server, meter });
    }
    nodes
}

/// A connection of a user from an address of its own.
async fn connect(server: &WorkerServer, user: &str) -> Meter {
    let address = IpAddr::from(Ipv4Addr::new(192, 0, 2, 7));
    let state = server.start().await.unwrap();
    let meter = Meter::new(state.accounts.as_ref().unwrap(), Some(address));
    let identity = Identity::new(user).organization("o");
    meter.set(meter.enter(&identity).unwrap());
    meter
}

impl Node {
    fn say(&self) -> Result<(), ErrorBody> {
        self.meter.message(None::<u64>, Starts::Turn)
    }
}

async fn close(nodes: Vec<Node>) {
    for node in nodes {
        node.server.close().await;
    }
}

/// The number of messages that are admitted within a minute by nodes that are asked in turns.
async fn admitted_in_turns(nodes: &[Node]) -> u32 {
    let start = Instant::now();
    let mut admitted = 0;
    for node in nodes.iter().cycle() {
        if start.elapsed() >= MINUTE {
            break;
        }
        admitted += u32::from(node.say().is_ok());
        sleep(HEARD).await;
    }
    admitted
}

#[tokio::test(start_paused = true)]
async fn nodes_in_turns_admit_one_burst_and_the_rate() {
    let nodes = nodes(BrokerFaults::new(), |_| {}).await;
    let admitted = admitted_in_turns(&nodes).await;
    assert!((BURST + 59..=BURST + 60).contains(&admitted), "{admitted}");
    // Another user has spent nothing.
    let bob = connect(&nodes[0].server, "bob").await;
    assert_eq!(bob.message(None::<u64>, Starts::Turn), Ok(()));
    close(nodes).await;
}

#[tokio::test(start_paused = true)]
async fn repeated_and_reordered_news_count_once() {
    let faults = BrokerFaults::new().doubled(50).reordered(50);
    let nodes = nodes(faults, |_| {}).await;
    let admitted = admitted_in_turns(&nodes).await;
    // A held message is delivered with the next one, so a node may learn late what was spent.
    assert!((BURST + 55..=BURST + 65).contains(&admitted), "{admitted}");
    close(nodes).await;
}

#[tokio::test(start_paused = true)]
async fn dead_bus_admits_the_quota_on_each_node() {
    let faults = BrokerFaults::new().lost(100);
    let nodes = nodes(faults, |_| {}).await;
    let all = NODES as u32 * (BURST + 60);
    let admitted = admitted_in_turns(&nodes).await;
    assert!((all - 9..=all).contains(&admitted), "{admitted} of {all}");
    close(nodes).await;
}

#[tokio::test(start_paused = true)]
async fn bursts_at_the_same_time_are_earned_first() {
    let nodes = nodes(BrokerFaults::new(), |_| {}).await;
    let start = Instant::now();
    let mut admitted = 0;
    for node in &nodes {
        while node.say().is_ok() {
            admitted += 1;
        }
    }
    assert_eq!(admitted, NODES as u32 * BURST);
    sleep(HEARD).await;
    // Each node knows the whole debt.
    for node in &nodes {
        let wait = Duration::from_millis(node.say().unwrap_err().retry_after_ms.unwrap());
        let earned = Duration::from_secs((NODES as u64 - 1) * u64::from(BURST) + 1);
        assert!((earned - 2 * HEARD..=earned).contains(&wait), "{wait:?}");
    }
    while start.elapsed() < 5 * MINUTE {
        admitted += nodes
            .iter()
            .map(|node| u32::from(node.say().is_ok()))
            .sum::<u32>();
        sleep(HEARD).await;
    }
    let most = NODES as u32 * BURST + 300;
    assert!(admitted <= most, "{admitted} of {most}");
    close(nodes).await;
}

#[tokio::test(start_paused = true)]
async fn each_rate_is_spent_on_all_nodes() {
    fn spend(meter: &Meter, rate: usize) -> Result<(), ErrorBody> {
        match rate {
            0 => meter.message(None::<u64>, Starts::Thread),
            1 => meter.settings_patch(),
            2 => meter.thread_update(),
            _ => meter.failed_authentication(),
        }
    }
    let nodes = nodes(BrokerFaults::new(), |quotas| {
        quotas.threads_per_day = Quota::at_most(3);
        quotas.settings_patches_per_minute = Quota::at_most(3);
        quotas.thread_updates_per_minute = Quota::at_most(3);
        quotas.failed_authentications_per_minute = Quota::at_most(3);
    })
    .await;
    for rate in 0..4 {
        for node in &nodes {
            assert_eq!(spend(&node.meter, rate), Ok(()), "{rate}");
            sleep(HEARD).await;
        }
        for node in &nodes {
            assert!(spend(&node.meter, rate).is_err(), "{rate}");
        }
        // A connection that is made later is of the same user.
        let later = connect(&nodes[0].server, "ana").await;
        assert!(spend(&later, rate).is_err(), "{rate}");
    }
    close(nodes).await;
}

#[tokio::test(start_paused = true)]
async fn address_has_one_account_on_all_nodes() {
    let nodes = nodes(BrokerFaults::new(), |quotas| {
        quotas.failed_authentications_per_minute = Quota::at_most(NODES as u32);
    })
    .await;
    let mut meters = Vec::new();
    for node in &nodes {
        let state = node.server.start().await.unwrap();
        let accounts = state.accounts.as_ref().unwrap();
        let address = IpAddr::from(Ipv4Addr::new(192, 0, 2, 8));
        let meter = Meter::new(accounts, Some(address));
        assert_eq!(meter.failed_authentication(), Ok(()));
        meters.push((meter, Meter::new(accounts, None)));
        sleep(HEARD).await;
    }
    for (meter, unknown) in &meters {
        assert!(meter.failed_authentication().is_err());
        assert_eq!(unknown.failed_authentication(), Ok(()));
    }
    close(nodes).await;
}
