//! Tests of the test harness itself.

use dooers_tests::postgres::{
    ClusterOptions, POOLER_URL, Pooler, URL, connect, connections, dedicated, kill_connections,
};
use sqlx::{Connection, PgConnection, Row};

/// Runs a query and returns its only value.
async fn query(connection: &mut PgConnection, sql: &'static str) -> String {
    // A single message: through the pooler, two messages could reach two servers.
    let row = sqlx::raw_sql(sql).fetch_one(connection).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn cluster_keeps_commits_after_a_crash() {
    let Some(mut cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let mut one = connect(&cluster.url()).await.unwrap();
    assert_eq!(query(&mut one, "SHOW fsync").await, "on");
    let create = "CREATE TABLE kept AS SELECT 'yes' AS kept";
    sqlx::query(create).execute(&mut one).await.unwrap();
    cluster.crash();
    assert!(one.ping().await.is_err());
    assert!(connect(&cluster.url()).await.is_err());
    cluster.restart();
    let mut one = connect(&cluster.url()).await.unwrap();
    assert_eq!(query(&mut one, "SELECT kept FROM kept").await, "yes");
    cluster.stop();
    assert!(one.ping().await.is_err());
    cluster.restart();
    let mut one = connect(&cluster.url()).await.unwrap();
    assert_eq!(query(&mut one, "SELECT kept FROM kept").await, "yes");
}

#[tokio::test]
async fn only_connections_of_a_given_name_are_killed() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let named = format!("{}?application_name=named", cluster.url());
    let mut one = connect(&named).await.unwrap();
    let mut other = connect(&cluster.url()).await.unwrap();
    assert_eq!(connections(&cluster.url(), "named").await, 1);
    assert_eq!(kill_connections(&cluster.url(), "named", 9).await, 1);
    assert!(one.ping().await.is_err());
    assert!(other.ping().await.is_ok());
}

#[tokio::test]
async fn pooler_lends_connections_per_transaction() {
    if Pooler::program().is_none() && std::env::var_os("CI").is_none() {
        eprintln!("skipped: PgBouncer is not installed");
        return;
    }
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let pooler = Pooler::start(&cluster);
    let mut one = connect(&pooler.url()).await.unwrap();
    let mut other = connect(&pooler.url()).await.unwrap();
    let pid = "SELECT pg_backend_pid()::text";
    assert_eq!(query(&mut one, pid).await, query(&mut other, pid).await);
    sqlx::raw_sql("BEGIN").execute(&mut one).await.unwrap();
    let inside = query(&mut one, pid).await;
    assert_ne!(inside, query(&mut other, pid).await);
    assert_eq!(inside, query(&mut one, pid).await);
}

#[test]
fn shared_database_and_pooler_are_reachable() {
    for variable in [URL, POOLER_URL] {
        let is_set = std::env::var(variable).is_ok_and(|url| url.starts_with("postgres://"));
        let is_needed = std::env::var_os("CI").is_some();
        assert!(is_set || !is_needed, "{variable} is not set");
        if !is_set {
            eprintln!("skipped: {variable} is not set");
        }
    }
}
