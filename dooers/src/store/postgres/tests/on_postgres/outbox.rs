//! Tests of the outbox that several processes share.

use super::{open, place, session};
use crate::protocol::{AnalyticsEvent, timestamp};
use crate::store::postgres::connect::statement::execute_script;
use crate::store::postgres::statements::render;
use crate::store::tests::{first_message, next_message, scope, start};
use crate::store::{
    AnalyticsFilter, BatchClaim, ClaimOptions, OnBusy, OutboxBatch, OutboxStore, PostgresOptions,
    PostgresStore, Store,
};
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

async fn open_with_outbox(options: &PostgresOptions) -> PostgresStore {
    let store = open(options).await;
    store.keep_outbox(Some(AnalyticsFilter::default()));
    store
}

async fn claim(store: &PostgresStore, age: Duration) -> Option<OutboxBatch> {
    let claim = BatchClaim {
        node: "n".to_owned(),
        batch_id: "b".to_owned(),
        lease: HOUR,
        events: 1000,
        bytes: usize::MAX,
        age,
    };
    store.claim_batch(&claim).await.unwrap()
}

/// The processes write in the same thread at the same time, so that many statements are refused and repeated.
#[tokio::test]
async fn each_message_of_many_processes_is_one_event() {
    let Some(options) = place() else { return };
    let stores = join_all((0..3).map(|_| open_with_outbox(&options))).await;
    let first = first_message("t", "e");
    let begun = stores[0].begin_turn(&scope(), first, &start("r")).await;
    begun.unwrap();
    let all = (0..60).map(|number: usize| {
        let store = &stores[number % stores.len()];
        async move {
            let new = next_message("t", &format!("e{number}"));
            let start = ClaimOptions {
                on_busy: OnBusy::Concurrent,
                ..start(&format!("r{number}"))
            };
            store.begin_turn(&scope(), new, &start).await.unwrap();
        }
    });
    join_all(all).await;
    let batch = claim(&stores[1], Duration::ZERO).await.unwrap();
    let counted = |name: &str| {
        let name = format!("\"event\":\"{name}\"");
        let events = batch.events.iter();
        events.filter(|event| event.contains(&name)).count()
    };
    assert_eq!((counted("thread.created"), counted("message.c2s")), (1, 61));
    assert_eq!(batch.events.len(), 62);
}

#[tokio::test]
async fn times_of_a_clock_that_was_ahead_delay_nothing() {
    let Some(options) = place() else { return };
    let store = open_with_outbox(&options).await;
    let append = async || {
        let event = AnalyticsEvent::new("a", "w", timestamp::now());
        store.append_outbox(vec![event]).await.unwrap();
    };
    let set = async |script: &str| {
        let script: Arc<str> = render(script, &options.table_prefix).into();
        let mut session = session(&options).await;
        execute_script(&mut session, &script).await.unwrap();
    };
    append().await;
    assert_eq!(claim(&store, HOUR).await, None);
    set("UPDATE {prefix}outbox SET stored_at = now() + INTERVAL '1 day'").await;
    assert!(claim(&store, HOUR).await.is_some());
    store.retry_batch("n", "b", HOUR).await.unwrap();
    append().await;
    assert_eq!(claim(&store, Duration::ZERO).await, None);
    set("UPDATE {prefix}batches SET not_before = now() + INTERVAL '1 day'").await;
    assert_eq!(claim(&store, HOUR).await.unwrap().attempt, 2);
}
