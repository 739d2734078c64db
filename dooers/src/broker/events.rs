//! The messages of other nodes, in the order in which they arrive.

use super::news::News;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// Maximum number of received messages that wait. Above this number, they count as lost.
const MOST_MESSAGES: usize = 1_024;

/// News from the other nodes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BrokerEvent {
    /// News of another node.
    News(Vec<News>),
    /// Messages may have been lost, so anything may have changed.
    Missed,
}

/// The messages of other nodes.
#[derive(Debug)]
pub(crate) struct BrokerEvents {
    messages: mpsc::Receiver<Vec<News>>,
    missed: Arc<Notify>,
}

/// The end at which messages arrive.
#[derive(Debug)]
pub(super) struct EventSender {
    messages: mpsc::Sender<Vec<News>>,
    missed: Arc<Notify>,
}

/// Creates the two ends.
pub(super) fn channel() -> (EventSender, BrokerEvents) {
    let (sender, receiver) = mpsc::channel(MOST_MESSAGES);
    let missed = Arc::new(Notify::new());
    let events = BrokerEvents {
        messages: receiver,
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
        if self.messages.try_send(news).is_err() {
            self.miss();
        }
    }

    /// Notes that messages may have been lost.
    pub(super) fn miss(&self) {
        self.missed.notify_one();
    }
}

impl BrokerEvents {
    /// Waits for the next event. `None` when the broker was dropped. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<BrokerEvent> {
        loop {
            tokio::select! {
                biased;
                () = self.missed.notified() => return Some(BrokerEvent::Missed),
                news = self.messages.recv() => {
                    let mut news = news?;
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
