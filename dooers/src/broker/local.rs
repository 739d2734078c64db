//! A bus between the servers of one process, for tests. It can lose, repeat and reorder messages.

use super::by_topic::by_topic;
use super::lines::Lines;
use super::message::seal;
use super::topic::Topic;
use super::{Broker, BrokerEvents, News, Watched};
use crate::cipher::CipherKey;
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The key that seals the messages.
fn key() -> CipherKey {
    CipherKey::new([0; 32])
}

/// The share of messages, in percent, to which each fault happens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// A message that is held until the next one was delivered.
    pub(crate) reordered: u64,
}

/// News of this time share a message.
const WINDOW: Duration = Duration::from_millis(10);

/// The bus.
#[derive(Debug, Clone, Default)]
pub(crate) struct LocalBus(Arc<Mutex<BusState>>);

#[derive(Debug, Default)]
struct BusState {
    faults: Faults,
    /// A node receives only the news of its topics.
    is_by_topic: bool,
    nodes: Vec<Node>,
    held: Vec<(Topic, String)>,
    random: u64,
    /// The number of messages to which a fault happened.
    faulty: usize,
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
    fn happens(&mut self, percent: u64) -> bool {
        // The multiplier and increment of Knuth's generator.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let happens = (self.random >> 33) % 100 < percent;
        self.faulty += usize::from(happens);
        happens
    }

    fn carry(&mut self, topic: Topic, text: String) {
        let faults = self.faults;
        if self.happens(faults.lost) {
            return;
        }
        if self.happens(faults.reordered) {
            return self.held.push((topic, text));
        }
        let held = std::mem::take(&mut self.held);
        let copy = self.happens(faults.doubled).then(|| (topic, text.clone()));
        for (topic, text) in [(topic, text)].into_iter().chain(held).chain(copy) {
            for node in &mut self.nodes {
                if topic == Topic::All || node.topics.contains(&topic) {
                    match topic {
                        Topic::All => {}
                        Topic::Place(_) => node.delivered.places += 1,
                        Topic::Thread(_) => node.delivered.threads += 1,
                    }
                    node.lines.receive(&text);
                }
            }
        }
    }
}

impl LocalBus {
    pub(crate) fn with(faults: Faults) -> Self {
        let bus = Self::default();
        bus.state().faults = faults;
        bus
    }

    /// A bus that carries news only to the nodes that watch one of their topics.
    pub(crate) fn by_topic(faults: Faults) -> Self {
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
        let lines = Lines::new(key(), WINDOW, watched);
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
        let closed = CancellationToken::new();
        let carrying = {
            let (bus, lines) = (self.clone(), Arc::clone(&lines));
            async move {
                loop {
                    tokio::select! {
                        () = lines.pending.due() => bus.send(&lines, is_by_topic),
                        () = lines.watched.changed() => bus.follow(at),
                    }
                }
            }
        };
        tokio::spawn(closed.clone().run_until_cancelled_owned(carrying));
        Arc::new(LocalBroker { lines, closed })
    }

    fn send(&self, lines: &Lines, is_by_topic: bool) {
        let news = lines.pending.take();
        let groups = if is_by_topic {
            by_topic(&news)
        } else {
            vec![(Topic::All, news)]
        };
        for (topic, news) in groups {
            for text in lines.encode(news) {
                self.state().carry(topic, text);
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
        let state = self.state();
        if let Some(sealed) = seal(&key(), text) {
            state
                .nodes
                .iter()
                .for_each(|node| node.lines.receive(&sealed));
        }
    }

    /// The number of messages that were lost, doubled or held.
    pub(crate) fn faulty(&self) -> usize {
        self.state().faulty
    }

    fn state(&self) -> MutexGuard<'_, BusState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct LocalBroker {
    lines: Arc<Lines>,
    closed: CancellationToken,
}

#[async_trait]
impl Broker for LocalBroker {
    fn publish(&self, news: News) {
        self.lines.pending.publish(news);
    }

    fn subscribe(&self) -> Option<BrokerEvents> {
        self.lines.subscribe()
    }

    fn watched(&self) -> Watched {
        self.lines.watched.clone()
    }

    async fn ready(&self) {
        self.lines.ready().await;
    }

    fn is_connected(&self) -> bool {
        true
    }

    fn kind(&self) -> &'static str {
        "local"
    }

    fn malformed(&self) -> u64 {
        self.lines.malformed()
    }

    async fn close(&self) {
        self.closed.cancel();
    }
}
