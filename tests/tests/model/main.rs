//! Random clients of several tenants against the real server on a real database, and a model that says what each of
//! them must show.
//!
//! They write, repeat themselves, cancel, subscribe in the middle of a text, go and come back, read slowly or not at
//! all, while threads are deleted and the server is restarted or ends at once, so that turns are tried again. Its agent
//! lets messages wait, refuses them, interrupts itself or answers several at once. Whenever all is quiet, and at the end, what each client shows of its
//! threads is what is stored. No client ever hears of what it may not see, gets an event twice or out of order, or
//! sees a run begin again.
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
use server::{Ground, Policy, Setup};
use simulation::{Step, World};
use std::time::Duration;
use tokio::runtime::Builder;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lets worlds go by on this ground, as many as there are cases.
fn what_each_client_shows_is_what_is_stored(cases: u32, ground: impl Fn() -> Ground) {
    let policy = prop_oneof![
        3 => Just(Policy::Queue),
        1 => Just(Policy::Reject),
        1 => Just(Policy::Interrupt),
        1 => Just(Policy::Concurrent),
    ];
    let steps = proptest::collection::vec(Step::any(), 20..60);
    let world = (policy, any::<bool>(), any::<bool>(), steps);
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        // A race seldom comes back in a smaller one.
        max_shrink_iters: 16,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&world, |(policy, is_private, is_small, steps)| {
        let setup = Setup {
            policy,
            is_private,
            is_small,
        };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(setup, ground()).await;
            for step in steps {
                world.step(step).await;
            }
            world.end().await;
        });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn what_each_client_shows_is_what_is_stored_in_a_file() {
    what_each_client_shows_is_what_is_stored(64, Ground::sqlite);
}

mod on_postgres {
    use super::{Ground, what_each_client_shows_is_what_is_stored};

    #[test]
    fn what_each_client_shows_is_what_is_stored_in_tables() {
        if Ground::postgres().is_some() {
            what_each_client_shows_is_what_is_stored(16, || Ground::postgres().unwrap());
        }
    }
}

/// Waits, but not for ever; `what` says for what.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} s in vain for {what}", PATIENCE.as_secs()),
    }
}
