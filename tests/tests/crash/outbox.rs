//! A server that is killed while it sends analytics events to a webhook.

use crate::database::Database;
use crate::for_each_client;
use crate::member::Member;
use crate::oracle::{self, Oracle};
use crate::receiver::Receiver;
use crate::server::CrashServer;
use dooers_tests::Client;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

const MEMBERS: usize = 3;

/// The points at which the server dies, one after the other: before and after a batch is confirmed, and while changes
/// with their events are committed.
const POINTS: [&str; 4] = [
    "webhook-claimed:1",
    "webhook-confirmed:1",
    "after-writer-commit:40",
    "webhook-confirmed:2",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_delivered_despite_crashes() {
    check_outbox(Database::sqlite()).await;
}

mod on_postgres {
    use super::{Database, check_outbox};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_event_is_delivered_despite_crashes() {
        if let Some(database) = Database::postgres() {
            check_outbox(database).await;
        }
    }
}

/// Kills the server at each point, and compares the delivered events with the stored threads.
async fn check_outbox(database: Database) {
    let mut receiver = Receiver::start().await;
    let variables = receiver.variables();
    let mut threads = BTreeSet::new();
    {
        let program = CrashServer::start_with(&database, None, &variables).await;
        let mut founder = Client::open(program.address.unwrap(), "/ws").await;
        founder.connect("founder").await;
        threads.insert(founder.start_thread("founder says 0").await);
    }
    let shared = threads.first().unwrap().clone();
    let members = (0..MEMBERS).map(|number| Member::new(number, &shared));
    let mut members: Vec<_> = members.collect();
    for crash_at in POINTS {
        let program = CrashServer::start_with(&database, Some(crash_at), &variables).await;
        if let Some(address) = program.address {
            members = resend_and_send_until_crash(members, address).await;
        }
        program.wait_for_crash(crash_at).await;
    }
    let program = CrashServer::start_with(&database, None, &variables).await;
    let address = program.address.expect("the server starts again");
    let members = for_each_client(members, "acks", move |mut member| async move {
        let connected = member.client.connect(address).await.is_ok();
        assert!(
            connected && member.resend().await.is_ok(),
            "the server left"
        );
        member
    });
    let members = members.await;
    threads.extend(
        members
            .iter()
            .flat_map(|member| member.client.views.keys().cloned()),
    );
    let mut observer = Client::open(address, "/ws").await;
    observer.connect("observer").await;
    let totals = Arc::new(oracle::totals(&mut observer, &threads).await);
    let ended = for_each_client(members, "the turns to end", move |mut member| {
        let totals = Arc::clone(&totals);
        async move {
            let _ = member.client.catch_up(&totals, &BTreeMap::new()).await;
            member
        }
    });
    ended.await;
    let stored = Oracle::read(&mut observer, &threads, &database).await;
    let expected = stored.analytics();
    assert_eq!(receiver.delivered(expected.len()).await, expected);
}

/// Sends messages from all clients until the server dies. Messages that an earlier server did not acknowledge come first.
async fn resend_and_send_until_crash(members: Vec<Member>, address: SocketAddr) -> Vec<Member> {
    let send = move |mut member: Member| async move {
        // The server may die at any time.
        let _ = async {
            member.client.connect(address).await?;
            member.resend().await?;
            member.send_messages().await
        }
        .await;
        member
    };
    for_each_client(members, "the server to die", send).await
}
