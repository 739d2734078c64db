//! Connection errors and their texts.

use dooers::store::{PostgresOptions, PostgresStore, SslMode, Store};
use dooers_tests::postgres::{ClusterOptions, connect, dedicated, pooled_only, shared};
use dooers_tests::within;
use std::error::Error;
use std::fmt::Write;
use std::net::TcpListener;
use std::time::Duration;

const PASSWORD: &str = "hunter2";

/// The full text of an error: `Display`, `Debug` and all sources.
fn full_text(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error:?}");
    let mut cause = Some(error);
    while let Some(error) = cause {
        write!(text, "\n{error}").unwrap();
        cause = error.source();
    }
    text
}

/// The error of opening a store.
async fn open_error(options: PostgresOptions) -> String {
    let error = PostgresStore::open(options).await.unwrap_err();
    full_text(&error)
}

#[tokio::test]
async fn wrong_password_error_hides_the_password() {
    let rules = "local all all trust\nhost all ada 127.0.0.1/32 scram-sha-256\n\
                 host all postgres 127.0.0.1/32 trust\n";
    let Some(cluster) = dedicated(ClusterOptions::default().file("pg_hba.conf", rules)) else {
        return;
    };
    let mut admin = connect(&cluster.url()).await.unwrap();
    let create = "CREATE ROLE ada SUPERUSER LOGIN PASSWORD 'a:b/c?d#e@f%g h'";
    sqlx::query(create).execute(&mut admin).await.unwrap();
    let options = cluster.options().user("ada");

    let by_parts = options.clone().password("a:b/c?d#e@f%g h");
    PostgresStore::open(by_parts).await.unwrap().close().await;
    let encoded = "postgres://ada:a%3Ab%2Fc%3Fd%23e%40f%25g%20h@127.0.0.1";
    let by_url = options.clone().url(encoded).unwrap();
    PostgresStore::open(by_url).await.unwrap().close().await;

    let wrong = open_error(options.clone().password(PASSWORD)).await;
    assert!(wrong.contains("password authentication failed"), "{wrong}");
    assert!(wrong.contains("check WORKER_DATABASE_USER"), "{wrong}");
    assert!(!wrong.contains(PASSWORD), "{wrong}");
    let missing = options.database("missing").password("a:b/c?d#e@f%g h");
    let missing = open_error(missing).await;
    assert!(missing.contains("create it"), "{missing}");
    assert!(!missing.contains("a:b"), "{missing}");
}

#[tokio::test]
async fn unreachable_server_error_hides_the_password() {
    if shared().is_none() {
        return;
    }
    // Binds a free port and closes it again.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let options = PostgresOptions::new()
        .host("127.0.0.1")
        .port(port)
        .user("ada")
        .password(PASSWORD)
        .connect_timeout(Duration::from_millis(200));
    let why = open_error(options.clone()).await;
    assert!(why.contains("127.0.0.1"), "{why}");
    assert!(
        why.contains("set its address (WORKER_DATABASE_HOST"),
        "{why}"
    );
    assert!(!why.contains(PASSWORD), "{why}");
    let socket = open_error(options.host("/nowhere")).await;
    assert!(socket.contains("/nowhere"), "{socket}");
    assert!(!socket.contains(PASSWORD), "{socket}");
}

#[tokio::test]
async fn unix_socket_directory_is_a_valid_host() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let socket = cluster.socket().to_str().unwrap();
    let options = PostgresOptions::new()
        .host(socket)
        .port(cluster.port())
        .user("postgres")
        .database("postgres")
        // As in URLs of Cloud SQL. The mode has no effect on a Unix socket.
        .ssl_mode(SslMode::Require);
    PostgresStore::open(options).await.unwrap().close().await;
    let url = format!(
        "postgresql://postgres@/postgres?host={socket}&port={}",
        cluster.port()
    );
    let by_url = PostgresOptions::from_url(&url).unwrap();
    PostgresStore::open(by_url).await.unwrap().close().await;
}

#[tokio::test]
async fn pooler_used_as_server_fails_with_the_remedy() {
    let Some(options) = pooled_only() else {
        return;
    };
    let options = options.statement_cache(100);
    let why = open_error(options.connect_timeout(Duration::from_secs(3600)));
    let why = within("an error", why).await;
    assert!(why.contains("WORKER_DATABASE_STATEMENT_CACHE=0"), "{why}");
}

#[tokio::test]
async fn stores_reopen_through_a_pooler_alone() {
    let Some(options) = pooled_only() else {
        return;
    };
    for _ in 0..3 {
        let [one, other] = [options.clone(), options.clone()].map(PostgresStore::open);
        let (one, other) = tokio::join!(one, other);
        one.unwrap().close().await;
        other.unwrap().close().await;
    }
}
