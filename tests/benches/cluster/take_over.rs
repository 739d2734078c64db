//! The time until a turn of a dead node is taken over.

use crate::broker::Broker;
use crate::nodes::Nodes;
use crate::table::Table;
use serde_json::Value;
use std::time::{Duration, Instant};

const LEASE: Duration = Duration::from_secs(3);

const TIMES: usize = 2;

pub(crate) async fn measure(url: &str, broker: &Broker, table: &mut Table) {
    let mut longest = Duration::ZERO;
    for _ in 0..TIMES {
        let mut nodes = Nodes::with_lease(url, broker, 2, LEASE).await;
        let mut author = nodes.client(0, "w1", "author").await;
        let thread_id = author.start_thread("begin").await;
        let mut reader = nodes.client(1, "w1", "reader").await;
        reader.subscribe(&thread_id).await;
        author.send_message(Some(&thread_id), "wait").await;
        let has =
            |frame: &Value, text: &str| frame["payload"]["events"][0]["content"][0]["text"] == text;
        let is_begun = |frame: &Value| has(frame, "one moment");
        author.read_until("the turn", is_begun).await;
        let killed = Instant::now();
        // Dropping a process kills it.
        drop(nodes.processes.remove(0));
        let is_taken_over = |frame: &Value| has(frame, "taken over");
        reader.read_until("the next attempt", is_taken_over).await;
        longest = longest.max(killed.elapsed());
    }
    let measure = format!(
        "take-over after SIGKILL, lease of {} s, longest",
        LEASE.as_secs()
    );
    let result = format!("{:.1} s", longest.as_secs_f64());
    table.add(&measure, broker.name, result, "lease + 1 s");
}
