//! Turns that another node of the same store runs: the streams of dispatches, and the treatment of busy threads.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use super::broker_kind::BrokerChoice;
use super::{Database, WorkerConfig, WorkerServer};
use crate::broker::{BrokerFaults, LocalBus};
use crate::handler::AgentDefinition;
use crate::server::dispatch::{DispatchError, DispatchEvent, DispatchStream, HandlerErrorKind};
use crate::store::{MemoryStore, Scope};
use crate::{OnBusy, WorkerRequest};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

const THREAD: &str = "t";

/// A bus that works, and one that carries nothing.
const BUSES: [BrokerFaults; 2] = [BrokerFaults::new(), BrokerFaults::new().lost(100)];

/// The place at which handlers wait for their test.
#[derive(Debug)]
struct Gate {
    arrived: Semaphore,
    opened: Semaphore,
}

impl Gate {
    async fn pass(&self) {
        self.arrived.add_permits(1);
        self.opened.acquire().await.unwrap().forget();
    }

    /// Waits until a handler arrives.
    async fn arrived(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    /// Lets one handler pass.
    fn open(&self) {
        self.opened.add_permits(1);
    }
}

/// Servers that share a store and a bus.
struct Nodes {
    store: Arc<MemoryStore>,
    bus: LocalBus,
    gate: Arc<Gate>,
    change: fn(AgentDefinition) -> AgentDefinition,
    servers: Vec<WorkerServer>,
}

impl Nodes {
    /// Starts the nodes `a` and `b`.
    async fn start(faults: BrokerFaults, change: fn(AgentDefinition) -> AgentDefinition) -> Self {
        let mut nodes = Self {
            store: Arc::new(MemoryStore::new()),
            bus: LocalBus::by_topic(faults),
            gate: Arc::new(Gate {
                arrived: Semaphore::new(0),
                opened: Semaphore::new(0),
            }),
            change,
            servers: Vec::new(),
        };
        nodes.add("a").await;
        nodes.add("b").await;
        nodes
    }

    /// Starts another node. It takes over all running turns, as if their nodes were dead.
    async fn add(&mut self, name: &'static str) {
        let gate = Arc::clone(&self.gate);
        // Says its node and the message. A message that begins with `wait` waits at the gate.
        let handler = move |request: WorkerRequest| {
            let gate = Arc::clone(&gate);
            async move {
                if request.message.starts_with("wait") {
                    gate.pass().await;
                }
                format!("{name}: {}", request.message)
            }
        };
        let agent = (self.change)(AgentDefinition::from_fn("echo", handler));
        let mut config = WorkerConfig::new().database(Database::Custom(self.store.clone()));
        config.broker = BrokerChoice::Given(self.bus.broker());
        let server = WorkerServer::new(config).add_agent(agent);
        server.start().await.unwrap();
        self.servers.push(server);
    }

    /// Sends a message through a node.
    async fn send(&self, node: usize, text: &str) -> Result<DispatchStream, DispatchError> {
        self.send_in(THREAD, node, text).await
    }

    async fn send_in(
        &self,
        thread_id: &str,
        node: usize,
        text: &str,
    ) -> Result<DispatchStream, DispatchError> {
        let message = self.servers[node].dispatch_to("echo").worker("w");
        let message = message.user("ana").thread(thread_id).message(text);
        message.send().await
    }

    /// Begins a turn on the first node that waits at the gate.
    async fn wait_on_first(&self) -> DispatchStream {
        let waiting = self.send(0, "wait").await.unwrap();
        self.gate.arrived().await;
        waiting
    }

    async fn close(self) {
        for server in self.servers {
            server.close().await;
        }
    }
}

/// Reads a stream that must end with this error.
async fn failed(stream: DispatchStream) -> HandlerErrorKind {
    stream.text().await.unwrap_err().kind()
}

#[tokio::test(start_paused = true)]
async fn dispatch_hears_a_turn_of_another_node() {
    for bus in BUSES {
        for change in [|agent| agent, AgentDefinition::with_manual_runs] {
            let nodes = Nodes::start(bus, change).await;
            let first = nodes.wait_on_first().await;
            let second = nodes.send(1, "second").await.unwrap();
            nodes.gate.open();
            assert!(first.text().await.unwrap().starts_with("a: wait"));
            // The node that ends a turn claims the next one.
            assert!(second.text().await.unwrap().ends_with("a: second"));
            nodes.close().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dispatch_reads_the_events_of_another_node() {
    let nodes = Nodes::start(BUSES[0], |agent| agent).await;
    let _first = nodes.wait_on_first().await;
    let mut second = nodes.send(1, "wait second").await.unwrap();
    nodes.gate.open();
    nodes.gate.arrived().await;
    // The other node runs the turn, and its run is read before its end.
    while !matches!(second.next().await, Some(Ok(DispatchEvent::Run(_)))) {}
    nodes.gate.open();
    assert_eq!(second.text().await.unwrap(), "a: wait second");
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn announced_changes_do_not_delay_lost_ends() {
    let nodes = Nodes::start(BUSES[1], AgentDefinition::with_manual_runs).await;
    let _first = nodes.wait_on_first().await;
    let second = nodes.send(1, "second").await.unwrap();
    let _busy = nodes.send_in("busy", 1, "wait").await.unwrap();
    nodes.gate.arrived().await;
    nodes.gate.open();
    let announce = async {
        for rev in 1_000.. {
            let change = format!(r#"{{"v":2,"m":[{{"t":{{"t":"busy","r":{rev}}}}}]}}"#);
            nodes.bus.inject(&change);
            sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = announce => {}
        end = timeout(Duration::from_secs(20), second.text()) => {
            assert!(end.unwrap().unwrap().ends_with("a: second"));
        }
    }
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn dispatch_hears_the_node_that_took_over() {
    for bus in BUSES {
        for (change, expected) in [
            (
                (|agent| agent) as fn(AgentDefinition) -> AgentDefinition,
                Err(HandlerErrorKind::Failed),
            ),
            (|agent| agent.with_retries(1), Ok("c: wait")),
            (
                |agent| agent.with_retries(1).with_manual_runs(),
                Ok("c: wait"),
            ),
        ] {
            let mut nodes = Nodes::start(bus, change).await;
            let stream = nodes.wait_on_first().await;
            nodes.add("c").await;
            nodes.gate.open();
            nodes.gate.open();
            let heard = stream.text().await.map_err(|error| error.kind());
            assert_eq!(heard.as_deref().map_err(|kind| *kind), expected);
            nodes.close().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dispatch_hears_a_deletion_by_another_node() {
    for bus in BUSES {
        for change in [|agent| agent, AgentDefinition::with_manual_runs] {
            let nodes = Nodes::start(bus, change).await;
            let stream = nodes.wait_on_first().await;
            let repository = nodes.servers[1].repository().await.unwrap();
            let scope = Scope::new("echo", "w");
            repository.remove_thread(&scope, THREAD).await.unwrap();
            assert_eq!(failed(stream).await, HandlerErrorKind::ThreadDeleted);
            nodes.close().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn queue_keeps_the_order_of_several_nodes() {
    for bus in BUSES {
        let nodes = Nodes::start(bus, |agent| agent).await;
        let mut streams = vec![nodes.wait_on_first().await];
        for number in 1..=6 {
            let sent = nodes.send(number % 2, &number.to_string()).await;
            streams.push(sent.unwrap());
        }
        nodes.gate.open();
        let mut times = Vec::new();
        for stream in streams {
            let mut events = stream.collect().await.unwrap();
            times.push(events.pop().unwrap().seq);
        }
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(times.len(), 7);
        nodes.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn full_queue_counts_the_messages_of_all_nodes() {
    let one = |agent: AgentDefinition| agent.when_busy(OnBusy::Queue { limit: 1 });
    let nodes = Nodes::start(BUSES[1], one).await;
    let first = nodes.wait_on_first().await;
    let second = nodes.send(1, "second").await.unwrap();
    let third = nodes.send(0, "third").await;
    assert!(matches!(third, Err(DispatchError::Overloaded(_))));
    nodes.gate.open();
    first.text().await.unwrap();
    second.text().await.unwrap();
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn waiting_message_is_withdrawn_by_another_node() {
    for bus in BUSES {
        let nodes = Nodes::start(bus, |agent| agent).await;
        let first = nodes.wait_on_first().await;
        let second = nodes.send(0, "second").await.unwrap();
        let repository = nodes.servers[1].repository().await.unwrap();
        let scope = Scope::new("echo", "w");
        let removed = repository.remove_event(&scope, THREAD, second.event_id());
        removed.await.unwrap();
        assert_eq!(failed(second).await, HandlerErrorKind::Cancelled);
        nodes.gate.open();
        assert_eq!(first.text().await.unwrap(), "a: wait");
        nodes.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn busy_thread_of_another_node_rejects_messages() {
    let rejects = |agent: AgentDefinition| agent.when_busy(OnBusy::Reject);
    let nodes = Nodes::start(BUSES[1], rejects).await;
    let first = nodes.wait_on_first().await;
    let second = nodes.send(1, "second").await;
    assert!(matches!(second, Err(DispatchError::Busy(_))), "{second:?}");
    nodes.gate.open();
    first.text().await.unwrap();
    let third = nodes.send(1, "third").await.unwrap();
    assert_eq!(third.text().await.unwrap(), "b: third");
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn interrupting_message_stops_a_turn_elsewhere() {
    let interrupts = |agent: AgentDefinition| agent.when_busy(OnBusy::Interrupt);
    for bus in BUSES {
        let nodes = Nodes::start(bus, interrupts).await;
        let first = nodes.wait_on_first().await;
        let second = nodes.send(1, "second").await.unwrap();
        // Without a signal, the node finds the mark when it renews its leases.
        assert_eq!(failed(first).await, HandlerErrorKind::Cancelled);
        assert_eq!(second.text().await.unwrap(), "a: second");
        nodes.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_turns_run_on_the_nodes_of_messages() {
    let concurrent = |agent: AgentDefinition| agent.when_busy(OnBusy::Concurrent);
    let nodes = Nodes::start(BUSES[1], concurrent).await;
    let first = nodes.wait_on_first().await;
    let second = nodes.send(1, "second").await.unwrap();
    assert_eq!(second.text().await.unwrap(), "b: second");
    nodes.gate.open();
    assert_eq!(first.text().await.unwrap(), "a: wait");
    nodes.close().await;
}
