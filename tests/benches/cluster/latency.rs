//! The time that a message, a piece of a text and a cancellation need from one node to another.

use crate::broker::Broker;
use crate::nodes::Nodes;
use crate::table::{Table, percentiles};
use dooers_tests::Client;
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime};
use tokio::join;
use tokio::task::block_in_place;

/// The number of messages in each thread.
const MESSAGES: usize = 200;

/// The number of threads that are used at a time.
const BUSY: usize = 10;

/// The number of streamed texts, the number of them at a time, and the pieces of each.
const TEXTS: usize = 20;
const TEXTS_AT_A_TIME: usize = 5;
const PIECES: usize = 25;

const CANCELLATIONS: usize = 100;

pub(crate) async fn measure(url: &str, broker: &Broker, table: &mut Table) {
    let mut nodes = Nodes::start(url, broker, 2).await;
    let quiet = delivery(Pair::open(&nodes, "quiet").await).await;
    let aim = "window of 10 ms + 5 ms; NATS 3 ms";
    let measure = "message, one thread, p50 / p99";
    table.add(measure, broker.name, percentiles(quiet), aim);

    let pairs = (0..BUSY).map(async |place| Pair::open(&nodes, &format!("busy{place}")).await);
    let pairs = join_all(pairs).await;
    let busy = join_all(pairs.into_iter().map(|pair| tokio::spawn(delivery(pair)))).await;
    let busy = busy.into_iter().flat_map(Result::unwrap).collect();
    let measure = format!("message, {BUSY} threads at a time, p50 / p99");
    table.add(&measure, broker.name, percentiles(busy), aim);

    deltas(&nodes, broker, table).await;

    let cancellations = cancel(&mut nodes).await;
    let measure = "cancellation, p50 / p99";
    table.add(measure, broker.name, percentiles(cancellations), "50 ms");
}

/// Two clients that are subscribed to a thread on different nodes.
struct Pair {
    author: Client,
    reader: Client,
    thread_id: String,
}

impl Pair {
    async fn open(nodes: &Nodes, worker: &str) -> Self {
        let mut author = nodes.client(0, worker, "author").await;
        let thread_id = author.start_thread("begin").await;
        let mut reader = nodes.client(1, worker, "reader").await;
        reader.subscribe(&thread_id).await;
        Self {
            author,
            reader,
            thread_id,
        }
    }
}

/// Sends messages one after the other. Returns the times from the ack to the message at the reader.
async fn delivery(mut pair: Pair) -> Vec<Duration> {
    let mut times = Vec::new();
    for number in 0..MESSAGES {
        let text = format!("message {number}");
        pair.author.send_message(Some(&pair.thread_id), &text).await;
        let is_ack = |frame: &Value| frame["type"] == "ack";
        let is_it = |frame: &Value| frame["payload"]["events"][0]["content"][0]["text"] == *text;
        let (acked, arrived) = join!(
            at(pair.author.read_until("the ack", is_ack)),
            at(pair.reader.read_until("the message", is_it)),
        );
        times.push(arrived.saturating_duration_since(acked));
        join!(pair.author.read_turn(), pair.reader.read_turn());
    }
    times
}

/// The time at which a future is ready.
async fn at<T>(future: impl Future<Output = T>) -> Instant {
    future.await;
    Instant::now()
}

/// Streams texts. Measures the times from a piece's creation in the handler to its arrival.
async fn deltas(nodes: &Nodes, broker: &Broker, table: &mut Table) {
    let (mut first, mut all) = (Vec::new(), Vec::new());
    for round in 0..TEXTS / TEXTS_AT_A_TIME {
        let texts = (0..TEXTS_AT_A_TIME).map(async |place| {
            let pair = Pair::open(nodes, &format!("text{round}.{place}")).await;
            ages(pair).await
        });
        for ages in join_all(texts).await {
            first.extend(ages.first());
            all.extend(ages);
        }
    }
    for (measure, ages) in [
        ("first piece of a text, p50 / p99", first),
        ("all pieces of a text, p50 / p99", all),
    ] {
        let result = if ages.is_empty() {
            "not available".to_owned()
        } else {
            percentiles(ages)
        };
        table.add(measure, broker.name, result, "");
    }
}

/// The ages of the pieces of one text at the reader. Empty if pieces do not reach other nodes.
async fn ages(mut pair: Pair) -> Vec<Duration> {
    let message = format!("steady {PIECES}");
    pair.author
        .send_message(Some(&pair.thread_id), &message)
        .await;
    let mut ages = Vec::new();
    loop {
        let frame = pair.reader.next().await;
        let payload = &frame["payload"];
        if frame["type"] == "event.delta" {
            let pieces = payload["text"].as_str().unwrap();
            ages.extend(pieces.split_whitespace().map(since));
        }
        if frame["type"] == "run.upsert" && payload["run"]["status"] != "running" {
            return ages;
        }
    }
}

/// The time since a moment of the system's clock, in microseconds.
fn since(micros: &str) -> Duration {
    let then = Duration::from_micros(micros.parse().unwrap());
    now().saturating_sub(then)
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
}

/// Cancels turns of one node by a client of another node. Returns the times until the handlers are dropped.
async fn cancel(nodes: &mut Nodes) -> Vec<Duration> {
    let Pair {
        mut author,
        mut reader,
        thread_id,
    } = Pair::open(nodes, "cancel").await;
    let mut times = Vec::new();
    for _ in 0..CANCELLATIONS {
        author.send_message(Some(&thread_id), "wait").await;
        let is_text =
            |frame: &Value| frame["payload"]["events"][0]["content"][0]["text"] == "one moment";
        let frames = reader.read_until("the text", is_text).await;
        let run_id = &frames.last().unwrap()["payload"]["events"][0]["run_id"];
        let asked = now();
        reader.send("run.cancel", json!({"run_id": run_id})).await;
        let dropped = block_in_place(|| nodes.processes[0].rest_of_line("dropped "));
        let dropped = Duration::from_micros(dropped.parse().unwrap());
        times.push(dropped.saturating_sub(asked));
        join!(author.read_turn(), reader.read_turn());
    }
    times
}
