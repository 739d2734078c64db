//! A bus between the servers of one process, for tests. It can lose, repeat and reorder messages.

use super::by_topic::by_topic;
use super::faults::{BrokerFaults, FaultyMessages};
use super::lines::Lines;
use super::message::seal;
use super::pending::Windows;
use super::topic::Topic;
use super::{Broker, LinkedBroker, Watched};
use crate::cipher::CipherKey;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The key that seals the messages.
fn key() -> CipherKey {
    CipherKey::new([0; 32])
}

/// News of this time share a message.
const WINDOW: Duration = Duration::from_millis(10);

/// The bus.
#[derive(Debug, Clone)]
pub(crate) struct LocalBus(Arc<Mutex<BusState>>);

#[derive(Debug)]
struct BusState {
    /// A node receives only the news of its topics.
    is_by_topic: bool,
    nodes: Vec<Node>,
    messages: FaultyMessages<(Topic, String)>,
}

#[derive(Debug)]
struct Node {
    lines: Arc<Lines>,
    topics: HashSet<Topic>,
    delivered: Delivered,
}

/// The numbers of messages that a node received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) places: usize,
    pub(crate) threads: usize,
}

impl BusState {
    fn carry(&mut self, topic: Topic, text: String) {
        self.messages.send((topic, text));
        while let Some((topic, text)) = self.messages.receive() {
            self.deliver(topic, &text);
        }
    }

    fn deliver(&mut self, topic: Topic, text: &str) {
        for node in &mut self.nodes {
            if topic == Topic::All || node.topics.contains(&topic) {
                match topic {
                    Topic::All => {}
                    Topic::Place(_) => node.delivered.places += 1,
                    Topic::Thread(_) => node.delivered.threads += 1,
                }
                node.lines.receive(text);
            }
        }
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::with(BrokerFaults::new())
    }
}

impl LocalBus {
    pub(crate) fn with(faults: BrokerFaults) -> Self {
        let state = BusState {
            is_by_topic: false,
            nodes: Vec::new(),
            messages: FaultyMessages::new(faults),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A bus that carries news only to the nodes that watch one of their topics.
    pub(crate) fn by_topic(faults: BrokerFaults) -> Self {
        let bus = Self::with(faults);
        bus.state().is_by_topic = true;
        bus
    }

    /// Adds a node to the bus.
    pub(crate) fn broker(&self) -> Arc<dyn Broker> {
        let is_by_topic = self.state().is_by_topic;
        let watched = if is_by_topic {
            Watched::by_topic()
        } else {
            Watched::default()
        };
        let lines = Lines::new(key(), Windows::always(WINDOW), watched);
        lines.connected();
        lines.watched.set_linked(true);
        let at = {
            let mut state = self.state();
            state.nodes.push(Node {
                lines: Arc::clone(&lines),
                topics: HashSet::new(),
                delivered: Delivered::default(),
            });
            state.nodes.len() - 1
        };
        let bus = self.clone();
        let exchange = async move |lines: Arc<Lines>| {
            loop {
                tokio::select! {
                    () = lines.pending.due() => bus.send(&lines, is_by_topic),
                    () = lines.watched.changed() => bus.follow(at),
                }
            }
        };
        let broker = LinkedBroker::start("local", lines, |lines, closed| async move {
            closed.run_until_cancelled(exchange(lines)).await;
        });
        Arc::new(broker)
    }

    fn send(&self, lines: &Lines, is_by_topic: bool) {
        let news = lines.pending.take();
        let groups = if is_by_topic {
            by_topic(&news)
        } else {
            vec![(vec![Topic::All], news)]
        };
        for (topics, news) in groups {
            for text in lines.encode(news) {
                for topic in &topics {
                    self.state().carry(*topic, text.clone());
                }
            }
        }
    }

    /// Follows the topics that a node watches.
    fn follow(&self, at: usize) {
        let mut state = self.state();
        let node = &mut state.nodes[at];
        let (added, removed) = node.lines.watched.take_changes();
        node.topics.extend(&added);
        for topic in &removed {
            node.topics.remove(topic);
        }
        let late = node.lines.watched.set_heard(&added);
        if !late.is_empty() {
            node.lines.late(late);
        }
    }

    /// The messages that a node received, by its place in the order in which the nodes were added.
    pub(crate) fn delivered(&self, at: usize) -> Delivered {
        self.state().nodes[at].delivered
    }

    /// Seals a text and delivers it to every node, as if another node had sent it.
    pub(crate) fn inject(&self, text: &str) {
        if let Some(sealed) = seal(&key(), "x", text) {
            self.state().deliver(Topic::All, &sealed);
        }
    }

    /// The number of faults that have happened to messages.
    pub(crate) fn faulty(&self) -> usize {
        self.state().messages.faulty()
    }

    fn state(&self) -> MutexGuard<'_, BusState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
