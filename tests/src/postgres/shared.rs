//! Places in the database that all tests share.

use super::cluster::{Cluster, ClusterOptions};
use dooers::store::PostgresOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// The variable that says where the shared database is.
pub const URL: &str = "DOOERS_TEST_POSTGRES_URL";

/// The variable that says where a pooler before it is, which lends connections for one transaction at a time.
pub const POOLER_URL: &str = "DOOERS_TEST_POSTGRES_POOLER_URL";

/// A place for an empty store in the shared database: tables with a prefix of their own, which is the name of the
/// connections, too. None where there is no such database: then the test has nothing to do, and a line says so.
///
/// # Panics
///
/// Under `CI`, which must have the database.
#[must_use]
pub fn shared() -> Option<PostgresOptions> {
    Some(fresh_options(&url()?))
}

/// The same through the pooler, with migrations past it.
///
/// # Panics
///
/// Under `CI`, which must have the pooler.
#[must_use]
pub fn pooled() -> Option<PostgresOptions> {
    let direct = url()?;
    Some(pooled_only()?.direct_url(&direct).expect("a URL"))
}

/// The same with nothing past the pooler.
///
/// # Panics
///
/// Under `CI`, which must have the pooler.
#[must_use]
pub fn pooled_only() -> Option<PostgresOptions> {
    Some(fresh_options(&variable(POOLER_URL)?).statement_cache(0))
}

/// A cluster of the test's own. None where PostgreSQL is not installed: then the test has nothing to do, and a line
/// says so.
///
/// # Panics
///
/// Under `CI`, which must have the programs.
#[must_use]
pub fn dedicated(setup: ClusterOptions) -> Option<Cluster> {
    if Cluster::programs().is_none() {
        report_skip("PostgreSQL's programs are not installed");
        return None;
    }
    Some(Cluster::with(setup))
}

/// A connection for the test itself, straight or through a pooler.
///
/// # Errors
///
/// What the server says, if it lets nobody in.
pub async fn connect(url: &str) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    // PgBouncer refuses what sqlx sets there by itself.
    PgConnection::connect_with(&options.extra_float_digits(None)).await
}

/// How many connections of this name the server has.
pub async fn connections(url: &str, application_name: &str) -> i64 {
    let mut admin = connect(url).await.expect("the server is there");
    sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1")
        .bind(application_name)
        .fetch_one(&mut admin)
        .await
        .expect("a count")
}

/// Cuts connections of this name off, whatever they do at the moment: so many at the most, by chance. The result is how
/// many these were.
pub async fn kill_connections(url: &str, application_name: &str, at_most: i64) -> usize {
    let mut admin = connect(url).await.expect("the server is there");
    let killed: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid) FROM (
            SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY random() LIMIT $2
        ) AS chosen",
    )
    .bind(application_name)
    .bind(at_most)
    .fetch_all(&mut admin)
    .await
    .expect("they are killed");
    killed.into_iter().filter(|killed| *killed).count()
}

/// The URL of the shared database. None where there is no such database: then the test has nothing to do, and a line
/// says so.
///
/// # Panics
///
/// Under `CI`, which must have the database.
#[must_use]
pub fn url() -> Option<String> {
    variable(URL)
}

/// A prefix that no tables have yet.
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

/// Says that a test does nothing, and why. In continuous integration that is a failure.
fn report_skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "under CI: {why}");
    eprintln!("skipped: {why}");
}
