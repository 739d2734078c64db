//! The file of a SQLite database, and the processes that open it.
//!
//! Each server here is a separate `crash-server` process without a crash point.
#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod full_disk;
mod locking;
mod moved_file;
mod permissions;
mod user_cleanup;

use dooers_tests::{Client, Process, get, within};
use std::net::SocketAddr;
use std::path::Path;

/// The environment variables of a server with this database.
fn variables(database: &Path) -> [(&'static str, &str); 2] {
    [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_DATABASE_NAME", database.to_str().unwrap()),
    ]
}

/// Starts a server with this database.
fn server(database: &Path) -> Process {
    Process::start("crash-server", &variables(database))
}

/// The error output of a server that cannot open this database. The server must exit by itself.
fn startup_error(database: &Path) -> String {
    let (status, output, errors) = server(database).wait_timeout(dooers_tests::TIMEOUT);
    assert_eq!(status, Some(1), "{output}{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors
}

async fn client(address: SocketAddr) -> Client {
    let mut client = Client::open(address, "/ws").await;
    client.connect("ada").await;
    client
}

/// Waits until the server is ready or, for `false`, not ready.
async fn wait_ready(address: SocketAddr, is_ready: bool) {
    let wanted = if is_ready { 200 } else { 503 };
    within("`/readyz` to change", async {
        while get(address, "/readyz").await.0 != wanted {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
