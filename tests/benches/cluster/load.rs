//! The turns per second of one to three nodes, the processor time of a turn, and the notifications.

use crate::broker::{Broker, Brokers};
use crate::nodes::Nodes;
use crate::table::Table;
use dooers_tests::{Client, FoundProcess, Process, descendants};
use futures::future::join_all;
use sqlx::postgres::PgListener;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

const MOST_NODES: usize = 3;

/// The clients of each measurement. Each sends a message when its last one is answered.
const CLIENTS: usize = 64;

/// The brokers take turns, so that all meet the same other load.
const ROUNDS: usize = 3;

const WARM_UP: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_millis(2_500);

pub(crate) async fn measure(url: &str, brokers: &Brokers, table: &mut Table) {
    // By the number of nodes and the name of the broker.
    let mut loads: HashMap<(usize, &str), Vec<Load>> = HashMap::new();
    for _ in 0..ROUNDS {
        for count in 1..=MOST_NODES {
            for broker in brokers.all() {
                let nodes = Nodes::start(url, broker, count).await;
                let load = Load::measure(&nodes).await;
                loads.entry((count, broker.name)).or_default().push(load);
            }
        }
    }
    for count in 1..=MOST_NODES {
        let without = &loads[&(count, "none")];
        for broker in brokers.all() {
            let with = &loads[&(count, broker.name)];
            let median_of = |value: fn(&Load) -> f64| median(with.iter().map(value).collect());
            let mut result = format!("{:.0}", median_of(|load| load.turns));
            if broker.name != "none" {
                // Each measurement is compared with the one beside it.
                let pairs = with.iter().zip(without);
                let shares = pairs.map(|(with, without)| with.turns / without.turns);
                let cost = 100.0 * (1.0 - median(shares.collect()));
                result += &format!(" (cost {cost:.0} %)");
            }
            let nodes = if count == 1 { "node" } else { "nodes" };
            let measure = format!("turns/s, {count} {nodes}, {CLIENTS} clients");
            table.add(&measure, broker.name, result, "cost 5 %");
            let result = format!(
                "{:.2} / {:.2} ms",
                median_of(|load| load.of_nodes),
                median_of(|load| load.of_database),
            );
            let measure = format!("processor time of a turn, {count} {nodes} / database");
            table.add(&measure, broker.name, result, "");
        }
    }
    let postgres = brokers
        .carrying()
        .iter()
        .find(|broker| broker.variable == "postgres");
    if let Some(broker) = postgres {
        notifications(url, broker, table).await;
    }
}

/// A measurement of a load.
struct Load {
    /// Turns per second.
    turns: f64,
    /// The processor time of a turn in all nodes, in milliseconds.
    of_nodes: f64,
    /// The processor time of a turn in the processes of PostgreSQL, in milliseconds.
    of_database: f64,
}

impl Load {
    async fn measure(nodes: &Nodes) -> Self {
        let count = nodes.addresses.len();
        let clients = (0..CLIENTS).map(async |place| {
            let worker = format!("w{place}");
            let mut client = nodes.client(place % count, &worker, "ada").await;
            let thread_id = client.start_thread("begin").await;
            (client, thread_id)
        });
        let clients = join_all(clients).await;
        let begin = Instant::now() + WARM_UP;
        let end = begin + TIME;
        let running = clients
            .into_iter()
            .map(|(client, thread_id)| tokio::spawn(turns(client, thread_id, begin, end)));
        let running: Vec<_> = running.collect();
        let ids: Vec<_> = nodes.processes.iter().map(Process::id).collect();
        let processes = descendants(std::process::id()).into_iter();
        let (processes, others): (Vec<_>, Vec<_>) =
            processes.partition(|process| ids.contains(&process.id));
        let databases = others
            .into_iter()
            .filter(|process| process.name == "postgres");
        let databases: Vec<_> = databases.collect();
        sleep_until(begin).await;
        let before = (used(&processes), used(&databases));
        sleep_until(end).await;
        let of_nodes = used(&processes).saturating_sub(before.0);
        let of_database = used(&databases).saturating_sub(before.1);
        let turns: u32 = join_all(running)
            .await
            .into_iter()
            .map(Result::unwrap)
            .sum();
        let turns = f64::from(turns);
        Self {
            turns: turns / TIME.as_secs_f64(),
            of_nodes: of_nodes.as_secs_f64() * 1000.0 / turns,
            of_database: of_database.as_secs_f64() * 1000.0 / turns,
        }
    }
}

/// The processor time that these processes have used.
fn used(processes: &[FoundProcess]) -> Duration {
    processes.iter().map(FoundProcess::processor_time).sum()
}

/// Counts the turns of a client that end between two moments.
async fn turns(mut client: Client, thread_id: String, begin: Instant, end: Instant) -> u32 {
    let mut count = 0;
    loop {
        client.send_message(Some(&thread_id), "hello").await;
        let turn = async {
            loop {
                // Reading the JSON of every frame would take time from the nodes.
                let frame = client.next_text().await;
                if frame.contains("\"run.upsert\"") && !frame.contains("\"running\"") {
                    break;
                }
            }
        };
        if timeout_at(end, turn).await.is_err() {
            return count;
        }
        count += u32::from(Instant::now() >= begin);
    }
}

/// Counts the notifications at the highest number of nodes.
async fn notifications(url: &str, broker: &Broker, table: &mut Table) {
    let nodes = Nodes::start(url, broker, MOST_NODES).await;
    let mut listener = PgListener::connect(url).await.unwrap();
    let channel = format!("dooers.public.{}", nodes.prefix);
    listener.listen(&channel).await.unwrap();
    let counting = tokio::spawn(async move {
        sleep(WARM_UP).await;
        let end = Instant::now() + TIME;
        let (mut count, mut bytes) = (0_u32, 0);
        while let Ok(notification) = timeout_at(end, listener.recv()).await {
            count += 1;
            bytes += notification.unwrap().payload().len();
        }
        (f64::from(count) / TIME.as_secs_f64(), bytes)
    });
    let Load { turns, .. } = Load::measure(&nodes).await;
    let (per_second, bytes) = counting.await.unwrap();
    assert!(per_second > 0.0, "there are no notifications on {channel}");
    let size = bytes as f64 / (per_second * TIME.as_secs_f64());
    let result = format!("{per_second:.0} (of {size:.0} bytes, at {turns:.0} turns/s)");
    let measure = format!("NOTIFYs/s, {MOST_NODES} nodes, {CLIENTS} clients");
    table.add(&measure, broker.name, result, "");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
