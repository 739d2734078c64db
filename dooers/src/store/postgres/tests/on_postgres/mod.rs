//! Tests of the store on a database.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod batching;
mod differential;
mod foreign_ids;
mod forgetting;
mod migrating;
mod outbox;
mod queries;
mod sharing;

use crate::store::{PostgresOptions, PostgresStore, TablePrefix};
use sqlx::PgConnection;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// The environment variable with the URL of the test database.
const URL: &str = "DOOERS_TEST_POSTGRES_URL";

/// Returns options for an empty store with its own prefix. Without a database, prints a line and returns `None`, and
/// the test is skipped.
fn place() -> Option<PostgresOptions> {
    let url = std::env::var(URL).ok().filter(|url| !url.is_empty());
    let Some(url) = url else {
        let why = format!("{URL} is not set; `tests/run pg` starts a database and sets it");
        assert!(std::env::var_os("CI").is_none(), "under CI: {why}");
        eprintln!("skipped: {why}");
        return None;
    };
    let options = PostgresOptions::from_url(&url).unwrap().pool_size(2);
    Some(options.table_prefix(prefix()))
}

/// Returns a unique prefix.
fn prefix() -> TablePrefix {
    let random = RandomState::new().build_hasher().finish();
    format!("t{random:016x}_").parse().unwrap()
}

/// Opens a connection for the test itself, with the options of the store.
async fn session(options: &PostgresOptions) -> PgConnection {
    let connect = super::super::connect::connection::connect_options(options);
    connect.connect().await.unwrap()
}

async fn open(options: &PostgresOptions) -> PostgresStore {
    PostgresStore::open(options.clone()).await.unwrap()
}
