//! The latency and throughput of streaming texts, and the time to resume and to cancel turns.
//!
//! Run with: `cargo bench -p dooers-tests --bench streaming`. The server, on a SQLite file, and its clients share
//! the machine. All traffic uses real WebSockets on loopback.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use dooers::prelude::*;
use dooers::store::SqliteOptions;
use dooers::{Database, WorkerServer};
use dooers_tests::{Client, Identity, Server};
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

// The allocator of the examples.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The start of the program, to which all times are relative.
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn micros() -> u64 {
    u64::try_from(BEGIN.elapsed().as_micros()).expect("a benchmark is short")
}

/// Follows the message: `once` sends one piece, `fast N` sends N pieces as fast as possible, `steady N` sends N
/// pieces at 50 per second, `burst N` sends N texts, and `wait` waits to be canceled. Each piece contains the time
/// at which it was sent.
#[dooers::agent]
async fn speaker(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let (command, rest) = request
        .message
        .split_once(' ')
        .unwrap_or((&request.message, "1"));
    let count: u32 = rest.parse()?;
    let text = match command {
        "burst" => {
            for number in 0..count {
                drop(response.text(number.to_string()));
            }
            return Ok(());
        }
        "wait" => {
            let _dropped = NotifyOnDrop;
            response.text("one moment").await?;
            return std::future::pending().await;
        }
        _ => response.text_stream(),
    };
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for _ in 0..count {
        if command == "steady" {
            ticks.tick().await;
        }
        text.push(format!("{} ", micros()));
        tokio::task::yield_now().await;
    }
    text.finish().await?;
    Ok(())
}

/// Sends the time at which a handler is dropped.
static DROPPED: LazyLock<(
    mpsc::UnboundedSender<Instant>,
    tokio::sync::Mutex<mpsc::UnboundedReceiver<Instant>>,
)> = LazyLock::new(|| {
    let (tell, published) = mpsc::unbounded_channel();
    (tell, tokio::sync::Mutex::new(published))
});

struct NotifyOnDrop;

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        let _ = DROPPED.0.send(Instant::now());
    }
}

/// A sample of durations.
struct Times(Vec<Duration>);

impl Times {
    fn print(mut self, what: &str, aim: &str) {
        self.0.sort();
        let at = |part: f64| {
            let place = (self.0.len() as f64 * part) as usize;
            self.0[place.min(self.0.len() - 1)].as_secs_f64() * 1000.0
        };
        println!(
            "{what:<58} p50 {:7.2} ms   p99 {:7.2} ms   max {:7.2} ms   ({} times){aim}",
            at(0.5),
            at(0.99),
            at(1.0),
            self.0.len()
        );
    }
}

async fn reader(server: &Server, user: &str) -> Client {
    server.client(Identity::of(user).with_deltas()).await
}

/// Sends a message and reads until the thread id is known.
async fn begin(client: &mut Client, text: &str) -> String {
    client.send_message(None, text).await;
    let frames = client
        .read_until("the thread", |frame| frame["type"] == "thread.upsert")
        .await;
    let id = &frames.last().unwrap()["payload"]["thread"]["id"];
    id.as_str().unwrap().to_owned()
}

/// The latency of a piece, or `None` if the frame is not a piece.
fn age(frame: &str) -> Option<Duration> {
    if !frame.contains("\"event.delta\"") {
        return None;
    }
    let (_, text) = frame.split_once("\"text\":\"")?;
    let said: u64 = text.split_once(' ')?.0.parse().ok()?;
    Some(Duration::from_micros(micros().saturating_sub(said)))
}

/// Reads until the end of a text. Returns the latency of each piece.
async fn listen(mut client: Client) -> (Vec<Duration>, Client) {
    let mut ages = Vec::new();
    loop {
        let frame = client.next_text().await;
        ages.extend(age(&frame));
        if frame.contains("\"finalized\":true") {
            return (ages, client);
        }
    }
}

async fn first_delta(server: &Server) {
    let mut client = reader(server, "ada").await;
    let mut whole = Vec::new();
    let mut ages = Vec::new();
    for _ in 0..500 {
        let sent = Instant::now();
        client.send_message(None, "once").await;
        loop {
            if let Some(age) = age(&client.next_text().await) {
                whole.push(sent.elapsed());
                ages.push(age);
                break;
            }
        }
        client.read_turn().await;
    }
    Times(whole).print("first delta: message sent to first piece read", "");
    Times(ages).print(
        "first delta: said by the handler to read",
        "   aim: p99 5 ms",
    );
    client.disconnect().await;
}

async fn one_run(server: &Server, subscribers: usize) {
    const PIECES: usize = 50_000;
    let mut author = reader(server, "ada").await;
    let thread_id = begin(&mut author, "burst 1").await;
    author.read_turn().await;
    let mut readers = Vec::new();
    for number in 1..subscribers {
        let mut client = reader(server, &format!("reader{number}")).await;
        client.subscribe(&thread_id).await;
        readers.push(client);
    }
    let began = Instant::now();
    author
        .send_message(Some(&thread_id), &format!("fast {PIECES}"))
        .await;
    readers.push(author);
    let listening = readers.into_iter().map(|it| tokio::spawn(listen(it)));
    let received = join_all(listening).await;
    let took = began.elapsed().as_secs_f64();
    let pieces: usize = received
        .iter()
        .map(|received| received.as_ref().unwrap().0.len())
        .sum();
    println!(
        "one run as fast as it can, {subscribers:>2} subscribers: {:>9.0} pushes/s said, {:>9.0} deltas/s delivered, {:.1} % of the pieces by themselves",
        PIECES as f64 / took,
        pieces as f64 / took,
        100.0 * pieces as f64 / (PIECES * subscribers) as f64,
    );
    for received in received {
        received.unwrap().1.disconnect().await;
    }
}

/// Gives each run its own worker. Otherwise every client would receive every thread row.
async fn many_runs(server: &Server, runs: usize, subscribers: usize) {
    const PIECES: usize = 250;
    let member = async |run: usize, user: &str| {
        let identity = Identity::of(user).with_deltas();
        let identity = identity.with("agent_id", format!("w{run}"));
        server.client(identity).await
    };
    let mut listening = Vec::new();
    let mut authors = Vec::new();
    for run in 0..runs {
        let mut author = member(run, "author").await;
        let thread_id = begin(&mut author, "burst 1").await;
        author.read_turn().await;
        for number in 1..subscribers {
            let mut client = member(run, &format!("reader{number}")).await;
            client.subscribe(&thread_id).await;
            listening.push(tokio::spawn(listen(client)));
        }
        authors.push((author, thread_id));
    }
    let began = Instant::now();
    // Spreads the starts of the runs over the time between two pieces, as real users would.
    let mut begin = interval(Duration::from_millis(1));
    for (place, (mut author, thread_id)) in authors.into_iter().enumerate() {
        if place % (runs / 20) == 0 {
            begin.tick().await;
        }
        author
            .send_message(Some(&thread_id), &format!("steady {PIECES}"))
            .await;
        listening.push(tokio::spawn(listen(author)));
    }
    let received = join_all(listening).await;
    let took = began.elapsed().as_secs_f64();
    let mut ages = Vec::new();
    for received in received {
        let (received, client) = received.unwrap();
        ages.extend(received);
        client.disconnect().await;
    }
    println!(
        "{runs} runs at 50 deltas/s, {subscribers:>2} subscribers each: {:>9.0} deltas/s delivered ({:.0} asked for)",
        ages.len() as f64 / took,
        (runs * subscribers * 50) as f64
    );
    Times(ages).print("    said by the handler to read", "   aim: p99 5 ms");
}

async fn resume(server: &Server) {
    const MISSED: usize = 300;
    let mut author = reader(server, "ada").await;
    let thread_id = begin(&mut author, "burst 1").await;
    author.read_turn().await;
    author
        .send("event.list", json!({"thread_id": thread_id, "limit": 1}))
        .await;
    let page = author.expect("event.list.result").await;
    let known = &page["events"][0]["id"];
    // The user's message is one of the missed events.
    let more = format!("burst {}", MISSED - 1);
    author.send_message(Some(&thread_id), &more).await;
    author.read_turn().await;
    let mut times = Vec::new();
    for _ in 0..200 {
        let mut client = reader(server, "ada").await;
        let asked = Instant::now();
        let payload = json!({"thread_id": thread_id, "after_event_id": known});
        client.send("thread.subscribe", payload).await;
        let mut missed = 0;
        while missed < MISSED {
            let frame: Value = client.next().await;
            missed += frame["payload"]["events"].as_array().map_or(0, Vec::len);
        }
        times.push(asked.elapsed());
        client.disconnect().await;
    }
    Times(times).print("resume with 300 missed events", "   aim: 50 ms");
    author.disconnect().await;
}

async fn cancel(server: &Server) {
    let mut client = reader(server, "ada").await;
    let mut times = Vec::new();
    for _ in 0..300 {
        client.send_message(None, "wait").await;
        let is_text = |frame: &Value| frame["payload"]["events"][0]["actor"] == "assistant";
        let frames = client.read_until("the text", is_text).await;
        let run_id = &frames.last().unwrap()["payload"]["events"][0]["run_id"];
        let asked = Instant::now();
        client.send("run.cancel", json!({"run_id": run_id})).await;
        let dropped = DROPPED.1.lock().await.recv().await.unwrap();
        times.push(dropped.duration_since(asked));
        client.read_turn().await;
    }
    Times(times).print("cancel: asked for to handler dropped", "   aim: 50 ms");
    client.disconnect().await;
}

fn main() {
    // `cargo test --benches` only checks that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    LazyLock::force(&BEGIN);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let all = async {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(SqliteOptions::new(directory.path().join("bench.db")));
        let config = WorkerConfig::new().database(database);
        let server = Server::start(WorkerServer::new(config).agent::<speaker>()).await;
        first_delta(&server).await;
        one_run(&server, 1).await;
        one_run(&server, 10).await;
        many_runs(&server, 100, 1).await;
        many_runs(&server, 100, 10).await;
        resume(&server).await;
        cancel(&server).await;
        server.close([]).await;
    };
    let limited = async { timeout(Duration::from_secs(300), all).await };
    runtime
        .block_on(limited)
        .expect("the benchmark ends within five minutes");
}
