//! The cost of dispatching a message compared to calling the handler: the message is stored, its turn runs, and its
//! answer is stored and read from the stream.
//!
//! Run with: `cargo bench -p dooers-tests --bench dispatch`. No socket is involved. The SQLite file is in the
//! system's directory for temporary files.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use dooers::prelude::*;
use dooers::store::SqliteOptions;
use dooers::{Database, WorkerServer};
use futures::future::join_all;
use std::time::{Duration, Instant};

// The allocator of the examples.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages per measured line.
const MESSAGES: u32 = 4_000;

/// Echoes the message.
#[dooers::agent]
async fn echo(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    response
        .text(format!("You said: {}", request.message))
        .await?;
    Ok(())
}

/// Dispatches messages in this many threads concurrently. Returns the duration of each dispatch.
async fn dispatch(server: &WorkerServer, threads: u32) -> Vec<Duration> {
    let thread = |number: u32| async move {
        let mut took = Vec::new();
        for _ in 0..MESSAGES / threads {
            let begun = Instant::now();
            let turn = server
                .dispatch::<echo>()
                .worker("w")
                .user("ada")
                .thread(format!("{threads}-{number}"))
                .message("hello");
            let said = turn.send().await.unwrap().text().await.unwrap();
            assert_eq!(said, "You said: hello");
            took.push(begun.elapsed());
        }
        took
    };
    join_all((0..threads).map(thread)).await.concat()
}

async fn call() -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..MESSAGES {
        let begun = Instant::now();
        let (response, sent) = WorkerResponse::recorder();
        echo(WorkerRequest::new("hello"), response).await.unwrap();
        assert_eq!(sent.texts(), ["You said: hello"]);
        took.push(begun.elapsed());
    }
    took
}

fn print(what: &str, began: Instant, mut took: Vec<Duration>) {
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    let micros = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1e6;
    println!(
        "{what:<34} p50 {:>8.1} µs  p99 {:>8.1} µs  {rate:>9.0} a second",
        micros(50),
        micros(99)
    );
}

#[tokio::main]
async fn main() {
    let began = Instant::now();
    print("plain call, recorded", began, call().await);
    let file = tempfile::tempdir().unwrap();
    let databases = [
        ("memory", Database::Memory),
        (
            "SQLite",
            Database::Sqlite(SqliteOptions::new(file.path().join("worker.db"))),
        ),
    ];
    for (name, database) in databases {
        let server = WorkerServer::new(WorkerConfig::new().database(database));
        for threads in [1, 16] {
            let began = Instant::now();
            let took = dispatch(&server, threads).await;
            print(
                &format!("dispatch, {name}, {threads} at a time"),
                began,
                took,
            );
        }
        server.close().await;
    }
}
