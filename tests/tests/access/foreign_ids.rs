//! Requests that name an id outside of the caller's scope.
//!
//! Each request is sent with ids that do not exist, and with ids of threads that the caller must not see. The answers are
//! equal, and on PostgreSQL so are the statements and the number of round trips.

use crate::calls;
use crate::fixtures::{Ids, Measured, Places};
use crate::verbs;
use dooers::store::{MemoryStore, PostgresStore, SqliteOptions, SqliteStore, Store};
use dooers_tests::postgres::{StatementLog, url};
use std::sync::Arc;

/// Compares the answers to all requests on a store, and their statements if there is a log.
async fn compare(store: Arc<dyn Store>, log: Option<&StatementLog>) {
    let mut places = Places::start(store, log).await;
    let mut differences = Vec::new();
    for number in 0..verbs::COUNT {
        let missing = verbs::ask(&mut places, &Ids::missing(), number).await;
        for (place, ids) in places.foreign.clone() {
            // The second request finds what the first one left in caches.
            let times = if place == "another user" { 2 } else { 1 };
            for _ in 0..times {
                let foreign = verbs::ask(&mut places, &ids, number).await;
                differences.extend(difference(place, &missing, &foreign));
            }
        }
        let again = verbs::ask(&mut places, &Ids::missing(), number).await;
        differences.extend(difference("nowhere", &missing, &again));
    }
    for number in 0..calls::COUNT {
        let missing = calls::ask(&places, &Ids::missing(), number).await;
        for (place, ids) in &places.foreign {
            let foreign = calls::ask(&places, ids, number).await;
            differences.extend(difference(place, &missing, &foreign));
        }
    }
    places.check_unchanged().await;
    places.close().await;
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Describes the difference between a missing id and one of this place, if there is any.
fn difference(place: &str, missing: &Measured, foreign: &Measured) -> Option<String> {
    let is_equal = missing == foreign;
    (!is_equal).then(|| format!("missing: {missing:?}\nof {place}: {foreign:?}"))
}

#[tokio::test]
async fn memory() {
    compare(Arc::new(MemoryStore::new()), None).await;
}

#[tokio::test]
async fn sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    let store = SqliteStore::open(options).await.unwrap();
    compare(Arc::new(store), None).await;
}

#[tokio::test]
async fn on_postgres() {
    let Some(url) = url() else { return };
    let (log, options) = StatementLog::start(&url).await;
    let store = PostgresStore::open(options).await.unwrap();
    compare(Arc::new(store), Some(&log)).await;
}
