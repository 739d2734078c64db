//! The load on the nodes, and the checks after it.

use super::bus::BusKind;
use super::fleet::Fleet;
use super::progress::Progress;
use super::roaming::{RoamingClient, World, acked};
use crate::oracle::{self, Oracle};
use crate::{for_each_client, within};
use dooers::CancellationToken;
use dooers_tests::Client;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The number of nodes.
pub(crate) const NODES: usize = 3;

const CLIENTS: usize = 60;
const THREADS: usize = 20;

/// The threads of each client, as distances from its own number.
const OFFSETS: [usize; 3] = [0, 7, 13];

/// Clients that write to shared threads.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) world: World,
    pub(crate) threads: BTreeSet<String>,
    roaming: JoinSet<RoamingClient>,
}

impl Load {
    /// Creates the threads, and starts the clients. Each client has sent a message when this returns. With `counts`, some
    /// messages are answered until they are cancelled.
    pub(crate) async fn start(fleet: &Fleet, counts: bool) -> Self {
        let mut founder = client(fleet.nodes[0].address, "founder").await;
        let mut threads = Vec::new();
        for _ in 0..THREADS {
            threads.push(founder.start_thread("founder says 0").await);
        }
        founder.disconnect().await;
        let world = World {
            available: fleet.available.subscribe(),
            counts,
            progress: Progress::of(CLIENTS),
            stop: CancellationToken::new(),
            end: CancellationToken::new(),
        };
        let mut roaming = JoinSet::new();
        for number in 0..CLIENTS {
            let own = OFFSETS.map(|offset| threads[(number + offset) % THREADS].clone());
            roaming.spawn(RoamingClient::new(number, own.to_vec()).roam(world.clone()));
        }
        let mut load = Self {
            world,
            threads: threads.into_iter().collect(),
            roaming,
        };
        load.progress(1).await;
        load
    }

    /// Waits until this number of messages of each client are acknowledged from now on.
    pub(crate) async fn progress(&mut self, messages: usize) {
        let progress = self.world.progress.clone();
        let acks = progress.wait(messages);
        self.roam_until("acks of all clients", acks).await;
    }

    /// Waits for something that the clients cause. Fails if a client does.
    async fn roam_until(&mut self, what: &str, happened: impl Future<Output = ()>) {
        let either = async {
            tokio::select! {
                () = happened => {}
                ended = self.roaming.join_next() => match ended {
                    Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                    ended => panic!("a client has left: {ended:?}"),
                },
            }
        };
        within(what, either).await;
    }

    /// Ends the load, and checks the store and the views of all clients. Returns the store.
    pub(crate) async fn check(mut self, fleet: &Fleet) -> Oracle {
        self.world.stop.cancel();
        let progress = self.world.progress.clone();
        let over = async {
            progress.wait_for_end().await;
            fleet.database.wait_for_end_of_turns(None).await;
        };
        self.roam_until("the end of all turns", over).await;
        self.world.end.cancel();
        let mut clients = within("the clients to end", self.roaming.join_all()).await;
        if fleet.bus.kind == BusKind::None {
            // Without a broker, clients receive the changes of other nodes when they subscribe again.
            let world = self.world.clone();
            clients = for_each_client(clients, "the clients to connect", move |mut roamer| {
                let mut world = world.clone();
                async move {
                    roamer.move_on(&mut world).await;
                    roamer
                }
            })
            .await;
        }
        let mut observer = client(fleet.nodes[0].address, "observer").await;
        let totals = Arc::new(oracle::totals(&mut observer, &self.threads).await);
        let settings = Arc::new(fleet.database.settings().await);
        let expected = Arc::clone(&settings);
        let clients = for_each_client(clients, "the views", move |mut roamer| {
            let (totals, expected) = (Arc::clone(&totals), Arc::clone(&expected));
            async move {
                // A missing frame is reported below, where the view is compared with the store.
                let _ = roamer.client.catch_up(&totals, &expected).await;
                roamer
            }
        })
        .await;
        let list = oracle::ask(&mut observer, "thread.list", json!({})).await;
        assert_eq!(
            list["total_count"],
            self.threads.len(),
            "a thread began twice"
        );
        let stored = Oracle::read(&mut observer, &self.threads, &fleet.database).await;
        stored.assert_complete(acked(&clients));
        for roamer in &clients {
            stored.assert_matches_view(&roamer.client);
            let state = || roamer.client.state();
            assert_eq!(roamer.client.settings, *settings, "{}", state());
        }
        stored
    }
}

/// A client of a node.
pub(crate) async fn client(address: SocketAddr, user: &str) -> Client {
    let mut client = Client::open(address, "/ws").await;
    client.connect(user).await;
    client
}
