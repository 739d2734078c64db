//! A bus between the servers of one process, for tests. It can lose, repeat and reorder messages.

use super::lines::Lines;
use super::message::seal;
use super::{Broker, BrokerEvents, News};
use crate::cipher::CipherKey;
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// The bus.
#[derive(Debug, Clone, Default)]
pub(crate) struct LocalBus(Arc<Mutex<BusState>>);

#[derive(Debug, Default)]
struct BusState {
    faults: Faults,
    nodes: Vec<Arc<Lines>>,
    held: Vec<String>,
    random: u64,
    /// The number of messages to which a fault happened.
    faulty: usize,
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

    fn carry(&mut self, text: String) {
        let faults = self.faults;
        if self.happens(faults.lost) {
            return;
        }
        if self.happens(faults.reordered) {
            return self.held.push(text);
        }
        let held = std::mem::take(&mut self.held);
        let copy = self.happens(faults.doubled).then(|| text.clone());
        for text in [text].into_iter().chain(held).chain(copy) {
            for node in &self.nodes {
                node.receive(&text);
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

    /// Adds a node to the bus.
    pub(crate) fn broker(&self) -> Arc<dyn Broker> {
        let lines = Lines::new(key());
        lines.connected();
        self.state().nodes.push(Arc::clone(&lines));
        let closed = CancellationToken::new();
        let carrying = {
            let (bus, lines) = (self.clone(), Arc::clone(&lines));
            async move {
                loop {
                    lines.pending.due().await;
                    for text in lines.encode(lines.pending.take()) {
                        bus.state().carry(text);
                    }
                }
            }
        };
        tokio::spawn(closed.clone().run_until_cancelled_owned(carrying));
        Arc::new(LocalBroker { lines, closed })
    }

    /// Seals a text and delivers it to every node, as if another node had sent it.
    pub(crate) fn inject(&self, text: &str) {
        let nodes = self.state().nodes.clone();
        if let Some(sealed) = seal(&key(), text) {
            nodes.iter().for_each(|node| node.receive(&sealed));
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

    async fn ready(&self) {
        self.lines.ready().await;
    }

    fn is_connected(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.closed.cancel();
    }
}
