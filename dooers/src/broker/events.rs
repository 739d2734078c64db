//! The messages of other nodes, in the order in which they arrive.

#[cfg(feature = "testing")]
use super::faults::{BrokerFaults, FaultyMessages};
use super::news::News;
use super::watched::Late;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// Maximum number of received messages that wait. Above this number, they count as lost.
const MOST_MESSAGES: usize = 1_024;

/// News from the other nodes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BrokerEvent {
    /// News of another node.
    News(Vec<News>),
    /// The news of some topics arrive from now on. Readers that did not wait may have missed changes.
    Late(Late),
    /// Messages may have been lost, so anything may have changed.
    Missed,
}

/// The messages of other nodes.
#[derive(Debug)]
pub(crate) struct BrokerEvents {
    messages: Messages,
    missed: Arc<Notify>,
}

/// The messages that have arrived.
#[derive(Debug)]
struct Messages {
    arrived: mpsc::Receiver<BrokerEvent>,
    #[cfg(feature = "testing")]
    faulty: FaultyMessages<Vec<News>>,
}

/// The end at which messages arrive.
#[derive(Debug)]
pub(super) struct EventSender {
    messages: mpsc::Sender<BrokerEvent>,
    missed: Arc<Notify>,
}

/// Creates the two ends.
pub(super) fn channel() -> (EventSender, BrokerEvents) {
    let (sender, receiver) = mpsc::channel(MOST_MESSAGES);
    let missed = Arc::new(Notify::new());
    let events = BrokerEvents {
        messages: Messages {
            arrived: receiver,
            #[cfg(feature = "testing")]
            faulty: FaultyMessages::new(BrokerFaults::new()),
        },
        missed: Arc::clone(&missed),
    };
    let sender = EventSender {
        messages: sender,
        missed,
    };
    (sender, events)
}

impl EventSender {
    /// Adds a message. Never waits.
    pub(super) fn send(&self, news: Vec<News>) {
        self.add(BrokerEvent::News(news));
    }

    /// Adds topics whose news arrive late. Never waits.
    pub(super) fn late(&self, late: Late) {
        self.add(BrokerEvent::Late(late));
    }

    fn add(&self, event: BrokerEvent) {
        if self.messages.try_send(event).is_err() {
            self.miss();
        }
    }

    /// Notes that messages may have been lost.
    pub(super) fn miss(&self) {
        self.missed.notify_one();
    }
}

impl Messages {
    #[cfg(not(feature = "testing"))]
    async fn next(&mut self) -> Option<BrokerEvent> {
        self.arrived.recv().await
    }

    #[cfg(feature = "testing")]
    async fn next(&mut self) -> Option<BrokerEvent> {
        loop {
            if let Some(news) = self.faulty.receive() {
                return Some(BrokerEvent::News(news));
            }
            match self.arrived.recv().await? {
                BrokerEvent::News(news) => self.faulty.send(news),
                other => return Some(other),
            }
        }
    }
}

impl BrokerEvents {
    /// Lets faults happen to the messages from now on.
    #[cfg(feature = "testing")]
    pub(crate) fn with_faults(mut self, faults: BrokerFaults) -> Self {
        self.messages.faulty = FaultyMessages::new(faults);
        self
    }

    /// Waits for the next event. `None` when the broker was dropped. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<BrokerEvent> {
        loop {
            tokio::select! {
                biased;
                () = self.missed.notified() => return Some(BrokerEvent::Missed),
                event = self.messages.next() => {
                    let mut news = match event? {
                        BrokerEvent::News(news) => news,
                        other => return Some(other),
                    };
                    let most = news.len();
                    news.retain(|news| *news != News::Everything);
                    if news.len() < most {
                        self.missed.notify_one();
                    }
                    if !news.is_empty() {
                        return Some(BrokerEvent::News(news));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn turn() -> News {
        News::Turn("e".to_owned())
    }

    #[tokio::test]
    async fn messages_above_the_limit_count_as_missed() {
        let (sender, mut events) = channel();
        for _ in 0..=MOST_MESSAGES {
            sender.send(vec![turn()]);
        }
        assert_eq!(events.next().await, Some(BrokerEvent::Missed));
        for _ in 0..MOST_MESSAGES {
            assert_ne!(events.next().await, Some(BrokerEvent::Missed));
        }
        assert!(events.next().now_or_never().is_none());
        sender.send(vec![News::Everything, turn()]);
        assert_eq!(events.next().await, Some(BrokerEvent::News(vec![turn()])));
        assert_eq!(events.next().await, Some(BrokerEvent::Missed));
        drop(sender);
        assert_eq!(events.next().await, None);
    }
}
