//! Separate tables in the database that all tests share.

use super::cluster::{Cluster, ClusterOptions};
use dooers::store::PostgresOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// The variable with the URL of the shared database.
pub const URL: &str = "DOOERS_TEST_POSTGRES_URL";

/// The variable with the URL of a pooler in front of it, in transaction mode.
pub const POOLER_URL: &str = "DOOERS_TEST_POSTGRES_POOLER_URL";

/// Options for an empty store in the shared database. Its table prefix is unique and is also the application name
/// of its connections. Returns `None`, and prints a line, if no database is configured. The test then returns
/// early.
///
/// # Panics
///
/// Under `CI`, if no database is configured.
#[must_use]
pub fn shared() -> Option<PostgresOptions> {
    Some(fresh_options(&url()?))
}

/// Options for an empty store through the pooler, with a direct URL for migrations. Returns `None`, and prints a
/// line, if no pooler is configured.
///
/// # Panics
///
/// Under `CI`, if no pooler is configured.
#[must_use]
pub fn pooled() -> Option<PostgresOptions> {
    let direct = url()?;
    Some(pooled_only()?.direct_url(&direct).expect("a URL"))
}

/// Options for an empty store through the pooler, without a direct URL. Returns `None`, and prints a line, if no
/// pooler is configured.
///
/// # Panics
///
/// Under `CI`, if no pooler is configured.
#[must_use]
pub fn pooled_only() -> Option<PostgresOptions> {
    Some(fresh_options(&variable(POOLER_URL)?).statement_cache(0))
}

/// A dedicated cluster. Returns `None`, and prints a line, if PostgreSQL is not installed. The test then returns
/// early.
///
/// # Panics
///
/// Under `CI`, if PostgreSQL is not installed.
#[must_use]
pub fn dedicated(setup: ClusterOptions) -> Option<Cluster> {
    is_installed().then(|| Cluster::with(setup))
}

/// Returns whether PostgreSQL is installed, and prints a line if it is not. The test then returns early.
///
/// # Panics
///
/// Under `CI`, if PostgreSQL is not installed.
#[must_use]
pub fn is_installed() -> bool {
    let is_installed = Cluster::programs().is_some();
    if !is_installed {
        report_skip("PostgreSQL's programs are not installed");
    }
    is_installed
}

/// Opens a connection for the test itself, directly or through a pooler.
///
/// # Errors
///
/// The server's error, if the connection fails.
pub async fn connect(url: &str) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    // PgBouncer rejects this parameter, which sqlx sets by default.
    PgConnection::connect_with(&options.extra_float_digits(None)).await
}

/// The number of connections with this application name.
pub async fn connections(url: &str, application_name: &str) -> i64 {
    let mut admin = connect(url).await.expect("the server is running");
    sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1")
        .bind(application_name)
        .fetch_one(&mut admin)
        .await
        .expect("a count")
}

/// Terminates up to `at_most` random connections with this application name. Returns the number of terminated
/// connections.
pub async fn kill_connections(url: &str, application_name: &str, at_most: i64) -> usize {
    let mut admin = connect(url).await.expect("the server is running");
    let killed: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid) FROM (
            SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY random() LIMIT $2
        ) AS chosen",
    )
    .bind(application_name)
    .bind(at_most)
    .fetch_all(&mut admin)
    .await
    .expect("the connections are terminated");
    killed.into_iter().filter(|killed| *killed).count()
}

/// The URL of the shared database. Returns `None`, and prints a line, if no database is configured.
///
/// # Panics
///
/// Under `CI`, if no database is configured.
#[must_use]
pub fn url() -> Option<String> {
    variable(URL)
}

/// An unused table prefix.
#[must_use]
pub fn fresh_prefix() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("t{random:016x}_")
}

fn fresh_options(url: &str) -> PostgresOptions {
    let prefix = fresh_prefix();
    PostgresOptions::from_url(url)
        .unwrap_or_else(|error| panic!("{URL} and {POOLER_URL} must be URLs: {error}"))
        .application_name(&prefix)
        .table_prefix(prefix.parse().expect("a prefix"))
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        report_skip(&format!(
            "{name} is not set; `tests/run pg` starts a database and sets it"
        ));
    }
    value
}

/// Prints why a test is skipped. Panics in continuous integration.
fn report_skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "under CI: {why}");
    eprintln!("skipped: {why}");
}
