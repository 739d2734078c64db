//! A server that is killed while clients use it, and the state after its restart.
//!
//! The server is the binary `crash-server`, which kills itself when it passes a crash point for the N-th time. The
//! clients reconnect, resume their threads and resend unacknowledged messages. Afterwards the database and the view
//! of every client must agree, and every acknowledged message must be stored. The module `cluster` does the same with several
//! servers of one database.
#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod client;
mod cluster;
mod connection;
mod database;
mod member;
mod oracle;
mod outbox;
mod passwords;
mod receiver;
mod server;

use connection::Disconnected;
use database::Database;
use dooers_tests::Client;
use member::Member;
use oracle::Oracle;
use serde_json::json;
use server::CrashServer;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const MEMBERS: usize = 32;

/// Number of threads that the clients share.
const SHARED: usize = 4;

/// Timeout for any wait. It is long because 32 clients and their server share a machine with other tests: storing,
/// answering and publishing a thousand messages takes seconds, and messages keep arriving until the server dies.
const TIMEOUT: Duration = Duration::from_secs(180);

/// The time between two questions to another process, which reports nothing by itself.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(20);

/// Maximum silence of a server that still has frames to send.
const SILENCE: Duration = Duration::from_secs(20);

/// Generates one test per crash point and database.
macro_rules! points {
    ($($name:ident: $point:literal, $lives:expr;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                check_crash_point(Database::sqlite(), $point, &$lives).await;
            }
        )+

        mod on_postgres {
            use super::{Database, check_crash_point};

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(database) = Database::postgres() {
                        check_crash_point(database, $point, &$lives).await;
                    }
                }
            )+
        }
    };
}

points! {
    // A commit may contain many messages, and all of them are answered after it.
    crash_between_commit_and_response_loses_nothing: "after-writer-commit", [1, 25, 60];
    crash_after_a_message_is_stored_loses_nothing: "after-commit", [1, 33, 200];
    crash_after_the_ack_is_queued_loses_nothing: "after-ack", [1, 64, 200];
    crash_after_a_message_is_published_loses_nothing: "after-publish", [1, 50, 201];
    crash_after_frames_are_sent_loses_nothing: "after-flush", [130, 400, 1000];
    crash_before_a_run_ends_loses_nothing: "before-run-end", [1, 32, 150];
}

/// Kills the server at the crash point in each of its lives, and checks the whole state after each one.
async fn check_crash_point(database: Database, point: &str, lives: &[u64]) {
    let mut threads = BTreeSet::new();
    {
        let program = CrashServer::start(&database, None).await;
        let mut founder = Client::open(program.address.unwrap(), "/ws").await;
        founder.connect("founder").await;
        for _ in 0..SHARED {
            threads.insert(founder.start_thread("founder says 0").await);
        }
    }
    let shared: Vec<_> = threads.iter().cloned().collect();
    let member = |number| Member::new(number, &shared[number % SHARED]);
    let mut members: Vec<_> = (0..MEMBERS).map(member).collect();
    let mut interrupted = 0;
    for at in lives {
        let crash_at = format!("{point}:{at}");
        let program = CrashServer::start(&database, Some(&crash_at)).await;
        // The server may die before it listens.
        if let Some(address) = program.address {
            members = send_until_crash(members, address).await;
        }
        program.wait_for_crash(&crash_at).await;
        (members, interrupted) = restart_and_check(members, &database, &mut threads).await;
    }
    // Each crash of this kind interrupts a running turn.
    assert!(point != "before-run-end" || interrupted >= lives.len());
}

/// Sends messages from all clients until the server dies.
async fn send_until_crash(members: Vec<Member>, address: SocketAddr) -> Vec<Member> {
    for_each_client(members, "the server to die", move |mut member| async move {
        // The server may die before all clients are connected.
        if member.client.connect(address).await.is_ok() {
            let Err(Disconnected) = member.send_messages().await else {
                unreachable!("a member talks until the server is gone");
            };
        }
        member
    })
    .await
}

/// Restarts the server, reconnects the clients and checks the whole state.
async fn restart_and_check(
    members: Vec<Member>,
    database: &Database,
    threads: &mut BTreeSet<String>,
) -> (Vec<Member>, usize) {
    let program = CrashServer::start(database, None).await;
    let address = program.address.expect("the server starts again");
    let members = for_each_client(members, "acks", move |mut member| async move {
        let outcome = async {
            member.client.connect(address).await?;
            member.resend().await
        };
        let outcome = outcome.await;
        assert!(
            outcome.is_ok(),
            "the server left\n{}",
            member.client.state()
        );
        member
    })
    .await;
    threads.extend(
        members
            .iter()
            .flat_map(|member| member.client.views.keys().cloned()),
    );

    let mut observer = Client::open(address, "/ws").await;
    observer.connect("observer").await;
    let totals = Arc::new(oracle::totals(&mut observer, threads).await);
    let members = for_each_client(members, "the turns to end", move |mut member| {
        let totals = Arc::clone(&totals);
        async move {
            // A missing frame is reported below, where the view is compared with the store.
            let _ = member.client.catch_up(&totals, &BTreeMap::new()).await;
            member
        }
    })
    .await;

    let list = oracle::ask(&mut observer, "thread.list", json!({})).await;
    assert_eq!(list["total_count"], threads.len(), "a thread began twice");
    let stored = Oracle::read(&mut observer, threads, database).await;
    stored.assert_complete(members.iter().flat_map(|member| &member.client.acked));
    for member in &members {
        stored.assert_matches_view(&member.client);
    }
    let interrupted = stored.interrupted();
    (members, interrupted)
}

/// Runs an action for each client concurrently.
async fn for_each_client<C, F>(members: Vec<C>, what: &str, act: impl Fn(C) -> F) -> Vec<C>
where
    C: Send + 'static,
    F: Future<Output = C> + Send + 'static,
{
    let acting: JoinSet<C> = members.into_iter().map(act).collect();
    within(what, acting.join_all()).await
}

/// Awaits a future with a timeout. `what` describes it in the failure message.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(TIMEOUT, future).await {
        Ok(value) => value,
        Err(_) => panic!(
            "timed out after {} s while waiting for {what}",
            TIMEOUT.as_secs()
        ),
    }
}

/// Repeats a question about another process until the answer is yes.
async fn until(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    let mut pauses = tokio::time::interval(BETWEEN_QUESTIONS);
    let asking = async {
        while !is_true().await {
            pauses.tick().await;
        }
    };
    within(what, asking).await;
}
