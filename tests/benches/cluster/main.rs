//! The latency between the nodes of one PostgreSQL database, the time to take over from a dead node, and the turns per second
//! of one to three nodes, with each broker.
//!
//! Run with: `cargo bench -p dooers-tests --bench cluster`. It needs PostgreSQL, of which it starts a server that flushes
//! commits to the disk. NATS is measured if `nats-server` is installed. The nodes are processes, and share the machine with
//! the database and the clients. All traffic uses loopback. The benchmark ends by itself, after less than four minutes, and
//! prints a table.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

mod broker;
mod latency;
mod load;
mod nats;
mod nodes;
mod table;
mod take_over;

use broker::Brokers;
use dooers_tests::postgres;
use std::time::{Duration, Instant};
use table::Table;
use tokio::time::timeout;

// The allocator of the examples.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AT_MOST: Duration = Duration::from_secs(240);

fn main() {
    // `cargo test --benches` only checks that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let began = Instant::now();
    // The servers end with the thread that starts them.
    let Some(cluster) = postgres::dedicated(postgres::ClusterOptions::default()) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let url = cluster.url();
    let brokers = Brokers::start(&url);
    let mut table = Table::new(brokers.names());
    let all = async {
        for broker in brokers.carrying() {
            latency::measure(&url, broker, &mut table).await;
        }
        for broker in brokers.all() {
            take_over::measure(&url, broker, &mut table).await;
        }
        load::measure(&url, &brokers, &mut table).await;
    };
    let limited = async { timeout(AT_MOST, all).await };
    let ended = runtime.block_on(limited);
    table.print();
    println!("The benchmark took {:.0} s.", began.elapsed().as_secs_f64());
    ended.expect("the benchmark ends within four minutes");
}
