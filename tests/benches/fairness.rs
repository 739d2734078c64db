//! The latency of a polite client while others flood other workers, without and with quotas. The others are 64 connections
//! of one user that send short messages, or 8 users that send messages of 200 KB.
//!
//! Run with: `cargo bench -p dooers-tests --bench fairness`, and with PostgreSQL with:
//! `target/debug/with-postgres cargo bench -p dooers-tests --bench fairness`. A further argument selects a flood:
//! `-- "64 connections"` or `-- "8 users"`. The server and its clients share the machine. All traffic uses real WebSockets on
//! loopback. The benchmark ends by itself, after about two minutes for each flood and store.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use dooers::auth::{ConnectRequest, Identity, Refusal};
use dooers::prelude::*;
use dooers::store::SqliteOptions;
use dooers::{Database, Quota};
use dooers_tests::{Client, Server, frame_bytes, opcode, postgres};
use futures::{SinkExt, StreamExt};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

// The allocator of the examples.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A flood.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    users: usize,
    connections_of_each: usize,
    /// The length of the text of each message.
    text: usize,
    /// The time for which the flood lasts before the latency is measured.
    lead: Duration,
}

const FLOODS: [Kind; 2] = [
    Kind {
        name: "64 connections",
        users: 1,
        connections_of_each: 64,
        text: 5,
        // The burst of the quotas is spent first, as in a flood that lasts.
        lead: Duration::from_secs(1),
    },
    Kind {
        name: "8 users",
        users: 8,
        connections_of_each: 1,
        text: 200_000,
        // The bursts of all users come together.
        lead: Duration::ZERO,
    },
];

/// The number of messages of the polite client in each measurement, and the interval between them.
const MESSAGES: usize = 100;
const INTERVAL: Duration = Duration::from_millis(50);

/// The measurements without and with quotas are repeated in turns, so that both meet the same other load.
const ROUNDS: usize = 3;

/// The time after which a measurement ends with the messages that it has.
const AT_MOST: Duration = Duration::from_secs(12);

#[dooers::agent]
async fn echo(request: WorkerRequest) -> String {
    request.message
}

/// Believes the user in the token.
async fn by_token(request: ConnectRequest) -> Result<Identity, Refusal> {
    let user = request.token().unwrap_or_default();
    let identity = Identity::new(user).organization("o1");
    Ok(match user {
        // The polite client sends 20 messages per second.
        "polite" => identity.limits(|limits| limits.messages_per_minute = Some(Quota::Off)),
        _ => identity,
    })
}

fn connect(user: &str, worker: &str) -> dooers_tests::Identity {
    let identity = dooers_tests::Identity::of(user).with("auth_token", user);
    identity.with("agent_id", worker)
}

/// The durations of one kind of measurement.
#[derive(Default)]
struct Times {
    acks: Vec<Duration>,
    turns: Vec<Duration>,
}

impl Times {
    fn add(&mut self, other: Self) {
        self.acks.extend(other.acks);
        self.turns.extend(other.turns);
    }
}

/// The duration in milliseconds that this part of all does not exceed. Not a number without any.
fn quantile(times: &mut [Duration], part: f64) -> f64 {
    if times.is_empty() {
        return f64::NAN;
    }
    times.sort_unstable();
    let place = (times.len() as f64 * part) as usize;
    times[place.min(times.len() - 1)].as_secs_f64() * 1000.0
}

/// Sends messages and measures the time to the ack and to the end of the turn.
async fn measure(address: SocketAddr, times: &mut Times) {
    let mut client = Client::open(address, "/ws").await;
    client.connect(connect("polite", "w1")).await;
    let thread_id = client.start_thread("hello").await;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..MESSAGES {
        ticks.tick().await;
        let sent = Instant::now();
        let id = client.send_message(Some(&thread_id), "hello").await;
        client.expect_ack(&id).await;
        times.acks.push(sent.elapsed());
        client.read_turn().await;
        times.turns.push(sent.elapsed());
    }
    client.disconnect().await;
}

/// Connects, and sends messages to new threads as fast as the server reads them, until the server closes the connection.
///
/// Each connection uses a worker of its own, so that no frame is sent to the others. The frames are encoded once, and the
/// answers are not decoded, so that the clients take little time from the server.
async fn flood(
    address: SocketAddr,
    (user, worker): (&str, &str),
    message: &[u8],
    sent: &AtomicU64,
) -> Option<()> {
    let stream = TcpStream::connect(address).await.ok()?;
    let url = format!("ws://{address}/ws");
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.ok()?;
    let payload = connect(user, worker).payload();
    let hello = json!({"id": "c", "type": "connect", "payload": payload}).to_string();
    socket.send(Message::text(hello)).await.ok()?;
    // The ack, after which nothing is in the buffers of the library.
    socket.next().await?.ok()?;
    let (mut reader, mut writer) = socket.get_mut().split();
    let sending = async {
        while writer.write_all(message).await.is_ok() {
            sent.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let mut answers = vec![0; 64 * 1024];
    let reading = async { while reader.read(&mut answers).await.is_ok_and(|read| read > 0) {} };
    tokio::select! {
        () = sending => {}
        () = reading => {}
    }
    Some(())
}

/// The frame of a message with a text of this length.
fn message(length: usize) -> Vec<u8> {
    let content = [json!({"type": "text", "text": "f".repeat(length)})];
    let event = json!({"type": "message", "actor": "user", "content": content});
    let frame = json!({"id": "m", "type": "event.create", "payload": {"event": event}});
    frame_bytes(opcode::TEXT, true, true, frame.to_string().as_bytes())
}

/// The connections that flood, until it is dropped.
struct Flood {
    runtime: Option<Runtime>,
    sent: Arc<AtomicU64>,
    began: Instant,
}

impl Flood {
    fn begin(address: SocketAddr, kind: Kind) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let sent = Arc::new(AtomicU64::new(0));
        let message: Arc<[u8]> = message(kind.text).into();
        for number in 0..kind.users * kind.connections_of_each {
            let (sent, message) = (Arc::clone(&sent), Arc::clone(&message));
            let user = format!("flood-{}", number % kind.users);
            let worker = format!("flood-{number}");
            runtime.spawn(async move {
                loop {
                    flood(address, (&user, &worker), &message, &sent).await;
                    // A port of the system is used up for each connection.
                    sleep(Duration::from_millis(10)).await;
                }
            });
        }
        Self {
            runtime: Some(runtime),
            sent,
            began: Instant::now(),
        }
    }

    /// The number of frames per second that the server, or a buffer of the system, has taken.
    fn rate(&self) -> f64 {
        self.sent.load(Ordering::Relaxed) as f64 / self.began.elapsed().as_secs_f64()
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs the polite client on a thread of its own, so that it does not wait for the tasks of the server.
async fn polite(address: SocketAddr) -> Times {
    let measuring = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let mut times = Times::default();
        // A server that is slow answers fewer messages.
        let _ = runtime.block_on(async { timeout(AT_MOST, measure(address, &mut times)).await });
        times
    });
    measuring.await.unwrap()
}

/// The measurements of one kind of server: alone, and while others flood.
#[derive(Default)]
struct Measured {
    alone: Times,
    flooded: Times,
    rates: Vec<f64>,
}

impl Measured {
    async fn measure(&mut self, kind: Kind, database: Database, has_quotas: bool) {
        let config = WorkerConfig::new().database(database);
        let config = config.drain_timeout(Duration::from_secs(1));
        let config = if has_quotas {
            config
        } else {
            config.without_quotas()
        };
        let worker = WorkerServer::new(config).agent::<echo>();
        let server = Server::start(worker.authenticator(by_token)).await;
        self.alone.add(polite(server.address).await);
        let flood = Flood::begin(server.address, kind);
        sleep(kind.lead).await;
        self.flooded.add(polite(server.address).await);
        self.rates.push(flood.rate());
        drop(flood);
        server.worker().close().await;
    }

    fn print(&mut self, name: &str) {
        let rates = self.rates.iter().sum::<f64>() / self.rates.len() as f64;
        let parts = [
            ("ack", &mut self.alone.acks, &mut self.flooded.acks),
            (
                "end of turn",
                &mut self.alone.turns,
                &mut self.flooded.turns,
            ),
        ];
        for (what, alone, flooded) in parts {
            let ratio = quantile(flooded, 0.99) / quantile(alone, 0.99);
            println!(
                "{name:<44} {what:<12} alone p50 {:7.2} p99 {:7.2} ms   flooded p50 {:8.2} p99 {:8.2} ms   p99 x {ratio:6.1}   ({rates:.0} frames/s sent)",
                quantile(alone, 0.5),
                quantile(alone, 0.99),
                quantile(flooded, 0.5),
                quantile(flooded, 0.99),
            );
        }
    }
}

async fn compare(store: &str, kind: Kind, database: impl Fn() -> Database) {
    let (mut before, mut after) = (Measured::default(), Measured::default());
    for _ in 0..ROUNDS {
        before.measure(kind, database(), false).await;
        after.measure(kind, database(), true).await;
    }
    let name = kind.name;
    before.print(&format!("{store}, {name}, quotas off"));
    after.print(&format!("{store}, {name}, quotas on (aim: x 3)"));
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    // `cargo test --benches` only checks that it builds.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let named = |kind: &&Kind| arguments.iter().any(|argument| argument == kind.name);
    let chosen: Vec<_> = match FLOODS.iter().find(named) {
        Some(kind) => vec![*kind],
        None => FLOODS.into(),
    };
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let number = AtomicU64::new(0);
        let file = || {
            let number = number.fetch_add(1, Ordering::Relaxed);
            let path = directory.path().join(format!("bench-{number}.db"));
            Database::Sqlite(SqliteOptions::new(path))
        };
        for kind in chosen {
            compare("SQLite", kind, file).await;
            if postgres::shared().is_some() {
                let shared = || Database::Postgres(postgres::shared().unwrap());
                compare("PostgreSQL", kind, shared).await;
            }
        }
    });
}
