//! Random clients of several tenants against a real server and database, compared with a model of their views.
//!
//! The clients write, resend, cancel, subscribe in the middle of a text, connect and disconnect, and read slowly or
//! not at all. Meanwhile threads are deleted, and the server is restarted or killed, so that turns are retried. The
//! agents queue messages, reject them, let them interrupt the running turn, or answer several concurrently.
//! Whenever the system is idle, and at the end, the view of each client equals the stored threads. No client ever
//! receives a thread that it may not see, an event twice or out of order, or a run that starts again.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod agent;
mod client;
mod oracle;
mod registry;
mod server;
mod simulation;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use server::{Policy, Setup, TestDatabase};
use simulation::{Simulation, Step};
use std::time::Duration;
use tokio::runtime::Builder;

/// The timeout of every wait.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Runs this many random simulations, each on its own database.
fn client_views_match_the_store(cases: u32, database: impl Fn() -> TestDatabase) {
    let policy = prop_oneof![
        3 => Just(Policy::Queue),
        1 => Just(Policy::Reject),
        1 => Just(Policy::Interrupt),
        1 => Just(Policy::Concurrent),
    ];
    let steps = proptest::collection::vec(Step::any(), 20..60);
    let simulation = (policy, any::<bool>(), any::<bool>(), steps);
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        // A race rarely recurs in a shorter run.
        max_shrink_iters: 16,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&simulation, |(policy, is_private, is_small, steps)| {
        let setup = Setup {
            policy,
            is_private,
            is_small,
        };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut simulation = Simulation::new(setup, database()).await;
            for step in steps {
                simulation.step(step).await;
            }
            simulation.end().await;
        });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn client_views_match_the_store_on_sqlite() {
    client_views_match_the_store(64, TestDatabase::sqlite);
}

mod on_postgres {
    use super::{TestDatabase, client_views_match_the_store};

    #[test]
    fn client_views_match_the_store_on_postgres() {
        if TestDatabase::postgres().is_some() {
            client_views_match_the_store(16, || TestDatabase::postgres().unwrap());
        }
    }
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
