//! Random clients of several tenants against the real server on a SQLite file, and a model that says what each of
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
mod host;
mod member;
mod registry;
mod truth;
mod world;

use host::{Policy, Setup};
use proptest::prelude::*;
use std::time::Duration;
use world::{Step, World};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        // A race seldom comes back in a smaller one.
        max_shrink_iters: 16,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_each_client_shows_is_what_is_stored(
        policy in prop_oneof![
            3 => Just(Policy::Queue),
            1 => Just(Policy::Reject),
            1 => Just(Policy::Interrupt),
            1 => Just(Policy::Concurrent),
        ],
        is_private in any::<bool>(),
        is_small in any::<bool>(),
        steps in proptest::collection::vec(Step::any(), 20..60),
    ) {
        let setup = Setup { policy, is_private, is_small };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(setup).await;
            for step in steps {
                world.step(step).await;
            }
            world.end().await;
        });
    }
}

/// Waits, but not for ever; `what` says for what.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} s in vain for {what}", PATIENCE.as_secs()),
    }
}
