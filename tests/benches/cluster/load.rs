//! The turns per second of one to three nodes, and the notifications that they cause.

use crate::broker::{Broker, Brokers};
use crate::nodes::Nodes;
use crate::table::Table;
use dooers_tests::Client;
use futures::future::join_all;
use sqlx::postgres::PgListener;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

const MOST_NODES: usize = 3;

/// The clients of each measurement. Each sends a message when its last one is answered.
const CLIENTS: usize = 64;

/// The brokers take turns, so that all meet the same other load.
const ROUNDS: usize = 3;

const WARM_UP: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_millis(2_500);

pub(crate) async fn measure(url: &str, brokers: &Brokers, table: &mut Table) {
    // By the number of nodes and the name of the broker.
    let mut rates: HashMap<(usize, &str), Vec<f64>> = HashMap::new();
    for _ in 0..ROUNDS {
        for count in 1..=MOST_NODES {
            for broker in brokers.all() {
                let nodes = Nodes::start(url, broker, count).await;
                let rate = turns_per_second(&nodes).await;
                rates.entry((count, broker.name)).or_default().push(rate);
            }
        }
    }
    for count in 1..=MOST_NODES {
        let without = &rates[&(count, "none")];
        for broker in brokers.all() {
            let with = &rates[&(count, broker.name)];
            let mut result = format!("{:.0}", median(with.clone()));
            if broker.name != "none" {
                // Each measurement is compared with the one beside it.
                let shares = with
                    .iter()
                    .zip(without)
                    .map(|(with, without)| with / without);
                let cost = 100.0 * (1.0 - median(shares.collect()));
                result += &format!(" (cost {cost:.0} %)");
            }
            let measure = format!("turns/s, {count} nodes, {CLIENTS} clients");
            table.add(&measure, broker.name, result, "cost 5 %");
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

async fn turns_per_second(nodes: &Nodes) -> f64 {
    let count = nodes.addresses.len();
    let clients = (0..CLIENTS).map(async |place| {
        let worker = format!("w{place}");
        let mut client = nodes.client(place % count, &worker, "ada").await;
        let thread_id = client.start_thread("begin").await;
        (client, thread_id)
    });
    let clients = join_all(clients).await;
    let begin = Instant::now() + WARM_UP;
    let running = clients
        .into_iter()
        .map(|(client, thread_id)| tokio::spawn(turns(client, thread_id, begin, begin + TIME)));
    let turns: u32 = join_all(running)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    f64::from(turns) / TIME.as_secs_f64()
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
    let turns = turns_per_second(&nodes).await;
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
