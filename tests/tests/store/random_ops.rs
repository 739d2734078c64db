//! Random operations of several tenants, compared with the model.

use crate::backends::{AnyStore, cases};
use crate::model::Model;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

cases![random_operations_match_the_model];

/// A random operation. Numbers select one of the existing items.
#[derive(Debug, Clone)]
enum Step {
    Begin {
        tenant: usize,
        user: usize,
    },
    Say {
        thread: usize,
        user: usize,
    },
    SendAgain {
        message: usize,
        is_same: bool,
    },
    Claim {
        thread: usize,
    },
    Write {
        thread: usize,
        events: usize,
        ends: bool,
    },
    Stream {
        thread: usize,
        ends: bool,
    },
    WriteLate {
        thread: usize,
    },
    Delete {
        thread: usize,
    },
    Intrude {
        thread: usize,
        user: usize,
    },
    Recover,
    Arrive {
        thread: usize,
    },
    ReadOn {
        reader: usize,
        limit: usize,
        was_away: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let pick = 0..12_usize;
    let user = 0..2_usize;
    prop_oneof![
        4 => (pick.clone(), user.clone()).prop_map(|(tenant, user)| Step::Begin { tenant, user }),
        8 => (pick.clone(), user.clone()).prop_map(|(thread, user)| Step::Say { thread, user }),
        3 => (pick.clone(), any::<bool>())
            .prop_map(|(message, is_same)| Step::SendAgain { message, is_same }),
        2 => pick.clone().prop_map(|thread| Step::Claim { thread }),
        10 => (pick.clone(), 0..5_usize, any::<bool>())
            .prop_map(|(thread, events, ends)| Step::Write { thread, events, ends }),
        8 => (pick.clone(), any::<bool>()).prop_map(|(thread, ends)| Step::Stream { thread, ends }),
        1 => pick.clone().prop_map(|thread| Step::WriteLate { thread }),
        1 => pick.clone().prop_map(|thread| Step::Delete { thread }),
        1 => (pick.clone(), user).prop_map(|(thread, user)| Step::Intrude { thread, user }),
        1 => Just(Step::Recover),
        4 => pick.clone().prop_map(|thread| Step::Arrive { thread }),
        4 => (pick, 1..6_usize, any::<bool>())
            .prop_map(|(reader, limit, was_away)| Step::ReadOn { reader, limit, was_away }),
    ]
}

async fn take(model: &mut Model<'_>, step: Step) {
    match step {
        Step::Begin { tenant, user } => model.begin(tenant, user).await,
        Step::Say { thread, user } => model.say(thread, user).await,
        Step::SendAgain { message, is_same } => model.send_again(message, is_same).await,
        Step::Claim { thread } => model.claim(thread).await,
        Step::Write {
            thread,
            events,
            ends,
        } => model.write(thread, events, ends).await,
        Step::Stream { thread, ends } => model.stream(thread, ends).await,
        Step::WriteLate { thread } => model.write_late(thread).await,
        Step::Delete { thread } => model.delete(thread).await,
        Step::Intrude { thread, user } => model.intrude(thread, user).await,
        Step::Recover => model.recover().await,
        Step::Arrive { thread } => model.arrive(thread).await,
        Step::ReadOn {
            reader,
            limit,
            was_away,
        } => model.read_on(reader, limit, was_away).await,
    }
}

async fn random_operations_match_the_model(store: &AnyStore) {
    // All cases share the store. Each has its own ids and tenants.
    let cases = AtomicUsize::new(0);
    let config = Config {
        cases: 64,
        max_shrink_iters: 256,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = proptest::collection::vec(step(), 1..60);
    let runtime = Handle::current();
    let outcome = block_in_place(|| {
        TestRunner::new(config).run(&steps, |steps| {
            let case = cases.fetch_add(1, Ordering::Relaxed);
            runtime.block_on(async {
                let mut model = Model::new(store, format!("case-{case}"));
                for step in steps {
                    take(&mut model, step).await;
                }
                model.check().await;
            });
            Ok(())
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
