//! A rolling restart under load.

use super::bus::BusKind;
use super::fleet::Fleet;
use super::scenario::{Load, NODES};

/// The duration of leases in seconds. It is so long that no turn is taken over because the machine is busy.
const LEASE: u64 = 60;

mod on_postgres {
    use super::{BusKind, check_rolling_restart};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn rolling_restart_without_broker_is_invisible() {
        check_rolling_restart(BusKind::None).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn rolling_restart_with_notify_is_invisible() {
        check_rolling_restart(BusKind::Postgres).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn rolling_restart_with_nats_is_invisible() {
        check_rolling_restart(BusKind::Nats).await;
    }
}

/// Replaces one node after the other. Clients notice nothing but the end of their connections.
async fn check_rolling_restart(kind: BusKind) {
    let Some(mut fleet) = Fleet::start(kind, NODES, LEASE).await else {
        return;
    };
    // Without a broker, a node finds a request to cancel only when it renews its leases.
    let mut load = Load::start(&fleet, kind != BusKind::None).await;
    for _ in 0..NODES {
        // The nodes that were started last are behind.
        fleet.stop(0).await;
        fleet.add_node().await;
        load.progress(1).await;
    }
    let stored = load.check(&fleet).await;
    assert_eq!(stored.interrupted(), 0, "a turn was interrupted");
}
