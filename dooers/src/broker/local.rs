//! A bus between the servers of one process, for tests. It can lose, repeat and reorder messages.

use super::faults::{BrokerFaults, FaultyMessages};
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

/// The bus.
#[derive(Debug, Clone)]
pub(crate) struct LocalBus(Arc<Mutex<BusState>>);

#[derive(Debug)]
struct BusState {
    nodes: Vec<Arc<Lines>>,
    messages: FaultyMessages<String>,
}

impl BusState {
    fn carry(&mut self, text: String) {
        self.messages.send(text);
        while let Some(text) = self.messages.receive() {
            self.deliver(&text);
        }
    }

    fn deliver(&self, text: &str) {
        self.nodes.iter().for_each(|node| node.receive(text));
    }
}

impl LocalBus {
    pub(crate) fn with(faults: BrokerFaults) -> Self {
        let state = BusState {
            nodes: Vec::new(),
            messages: FaultyMessages::new(faults),
        };
        Self(Arc::new(Mutex::new(state)))
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
        if let Some(sealed) = seal(&key(), text) {
            self.state().deliver(&sealed);
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
