//! The time a handler needs to read the history of a long thread.
//!
//! Run with: `cargo bench -p dooers-tests --bench history`. The thread has 10,000 events in a SQLite file. The
//! handler reads it in the server's process, as in production.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use dooers::prelude::*;
use dooers::store::SqliteOptions;
use dooers::{Database, WorkerServer};
use dooers_tests::Server;
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::timeout;

// The allocator of the examples.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 10_000;

/// Reads per format and limit.
const TIMES: usize = 50;

const FORMATS: [(&str, HistoryFormat); 6] = [
    ("OpenAi", HistoryFormat::OpenAi),
    ("OpenAiResponses", HistoryFormat::OpenAiResponses),
    ("Anthropic", HistoryFormat::Anthropic),
    ("Google", HistoryFormat::Google),
    ("Cohere", HistoryFormat::Cohere),
    ("Voyage", HistoryFormat::Voyage),
];

/// `fill` writes the thread's events. `read FORMAT LIMIT` returns the duration of each read in microseconds.
/// `stream` returns the time to read all events.
#[dooers::agent]
async fn historian(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    let words: Vec<_> = request.message.split(' ').collect();
    let mut times = Vec::new();
    match words[..] {
        ["fill"] => {
            fill(&response);
            return Ok(());
        }
        ["read", format, limit] => {
            let (_, format) = FORMATS[format.parse::<usize>()?];
            let limit = limit.parse()?;
            for _ in 0..TIMES {
                let began = Instant::now();
                let history = memory.history(format).limit(limit).await?;
                times.push(began.elapsed().as_micros());
                // Tool calls are merged with their results, and so are consecutive messages of one
                // role.
                assert!(history.len() >= limit / 5);
            }
        }
        ["stream"] => {
            let began = Instant::now();
            let read = memory.events().stream().count().await;
            times.push(began.elapsed().as_micros());
            assert!(read > EVENTS);
        }
        _ => return Err("not a command".into()),
    }
    response.text(json!(times).to_string()).await?;
    Ok(())
}

/// Sends texts of some length with tool calls and images in between.
fn fill(response: &WorkerResponse) {
    for number in 0..EVENTS / 5 {
        let call = || ToolCall::new(format!("call-{number}"), "search", json!({"n": number}));
        drop(response.text("Some words of an answer. ".repeat(8)));
        drop(response.tool_call(call()));
        drop(response.tool_result(call(), json!({"hits": ["one", "two", "three"]})));
        drop(response.text("And what came of it."));
        drop(response.image("https://example.org/picture.png"));
    }
}

struct BenchClient {
    client: dooers_tests::Client,
    thread_id: String,
}

impl BenchClient {
    /// The durations that the handler reports.
    async fn times(&mut self, command: &str) -> Vec<Duration> {
        let frames = self.client.run_turn(&self.thread_id, command).await;
        let mut texts = frames.iter().filter_map(|frame| {
            let event = &frame["payload"]["events"][0];
            let is_told = event["actor"] == "assistant";
            is_told.then(|| event["content"][0]["text"].as_str())?
        });
        let published: Value = serde_json::from_str(texts.next_back().unwrap()).unwrap();
        let micros = published.as_array().unwrap().iter();
        let times = micros.map(|it| Duration::from_micros(it.as_u64().unwrap()));
        let mut times: Vec<_> = times.collect();
        times.sort();
        times
    }
}

fn main() {
    // `cargo test --benches` only checks that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let all = async {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(SqliteOptions::new(directory.path().join("bench.db")));
        let config = WorkerConfig::new().database(database);
        let server = Server::start(WorkerServer::new(config).agent::<historian>()).await;
        let mut client = server.client("ada").await;
        let thread_id = client.start_thread("fill").await;
        let mut asking = BenchClient { client, thread_id };
        for limit in [20, 1_000] {
            for (place, (name, _)) in FORMATS.iter().enumerate() {
                let times = asking.times(&format!("read {place} {limit}")).await;
                let at = |part: f64| times[(TIMES as f64 * part) as usize].as_secs_f64() * 1000.0;
                println!(
                    "{limit:>5} of {EVENTS} events as {name:<16} p50 {:7.2} ms   p99 {:7.2} ms",
                    at(0.5),
                    at(0.99),
                );
            }
        }
        let times = asking.times("stream").await;
        let took = times[0].as_secs_f64();
        println!(
            "the whole thread as a stream of events: {:.0} ms, {:.0} events/s",
            took * 1000.0,
            EVENTS as f64 / took
        );
        server.close([asking.client]).await;
    };
    let limited = async { timeout(Duration::from_secs(300), all).await };
    runtime
        .block_on(limited)
        .expect("the benchmark ends within five minutes");
}
