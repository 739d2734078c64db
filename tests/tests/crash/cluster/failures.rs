//! A node that dies, a node that freezes, and a broker that fails, all under load.

use super::bus::BusKind;
use super::fleet::Fleet;
use super::scenario::{Load, NODES, client};
use dooers_tests::Client;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// The duration of the separation of the nodes.
const CUT: Duration = Duration::from_secs(10);

/// The duration of leases in seconds.
const LEASE: u64 = 3;

mod on_postgres {
    use super::{BusKind, check_failures};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn failures_without_a_broker_lose_nothing() {
        check_failures(BusKind::None).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn failures_with_postgres_as_broker_lose_nothing() {
        check_failures(BusKind::Postgres).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn failures_with_nats_as_broker_lose_nothing() {
        check_failures(BusKind::Nats).await;
    }
}

async fn check_failures(kind: BusKind) {
    let Some(mut fleet) = Fleet::start(kind, NODES, LEASE).await else {
        return;
    };
    let mut load = Load::start(&fleet, true).await;
    let is_separated = kind != BusKind::None;
    let separation = tokio::time::sleep(CUT);
    if is_separated {
        fleet.bus.cut();
        fleet.wait_until_separated().await;
    }

    let (thread, message) = begin_to_count(fleet.nodes[0].address).await;
    load.threads.insert(thread);
    fleet.kill(0);
    let database = &fleet.database;
    database.wait_for_end_of_turns(Some(&message)).await;

    let frozen = &fleet.nodes[0];
    let (thread, message) = begin_to_count(frozen.address).await;
    load.threads.insert(thread);
    fleet.withdraw(frozen.address);
    frozen.freeze();
    // The lease of the frozen node ends, and the other node takes its turns over.
    database.wait_for_end_of_turns(Some(&message)).await;
    frozen.thaw();
    let address = frozen.address;
    fleet.available.send_modify(|all| all.push(address));

    if is_separated {
        separation.await;
        fleet.bus.restore();
        fleet.wait_until_reunited().await;
    }
    fleet.add_node().await;
    load.progress(2).await;
    let stored = load.check(&fleet).await;
    assert!(stored.interrupted() >= 2, "a dead node ran a turn");
    assert!(stored.runs_with("canceled") > 0, "no turn was canceled");
    assert!(stored.runs_with("succeeded") > 0, "no turn has ended");
}

/// Starts a thread and a turn that does not end, and waits for its text. Returns the ids of the thread and of the message.
async fn begin_to_count(address: SocketAddr) -> (String, String) {
    let mut witness: Client = client(address, "witness").await;
    let id = witness.send_message(None, "witness counts 0").await;
    let is_text = |frame: &Value| frame["payload"]["events"][0]["actor"] == "assistant";
    let frames = witness.read_until("the first number", is_text).await;
    let acks = frames.iter().filter(|frame| frame["type"] == "ack");
    assert!(
        acks.map(|ack| &ack["payload"])
            .any(|ack| ack["ack_id"] == id && ack["ok"] == true)
    );
    let event = frames
        .iter()
        .map(|frame| &frame["payload"]["events"][0])
        .find(|event| event["actor"] == "user")
        .unwrap();
    let text = |member: &str| event[member].as_str().unwrap().to_owned();
    (text("thread_id"), text("id"))
}
