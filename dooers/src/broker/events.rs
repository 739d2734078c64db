//! The messages of other nodes, in the order in which they arrive.

use super::message::Batch;
use super::notice::ThreadNotice;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// Maximum number of received messages that wait. Above this number, they count as lost.
const MOST_MESSAGES: usize = 1_024;

/// News from the other nodes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BrokerEvent {
    /// Threads have changed, and turns must be looked up in the store.
    Changed {
        notices: Vec<ThreadNotice>,
        turns: Vec<String>,
    },
    /// Messages may have been lost, so any thread may have changed.
    Missed,
}

/// The messages of other nodes.
#[derive(Debug)]
pub(crate) struct BrokerEvents {
    batches: mpsc::Receiver<Batch>,
    missed: Arc<Notify>,
}

/// The end at which messages arrive.
#[derive(Debug)]
pub(super) struct EventSender {
    batches: mpsc::Sender<Batch>,
    missed: Arc<Notify>,
}

/// Creates the two ends.
pub(super) fn channel() -> (EventSender, BrokerEvents) {
    let (sender, receiver) = mpsc::channel(MOST_MESSAGES);
    let missed = Arc::new(Notify::new());
    let events = BrokerEvents {
        batches: receiver,
        missed: Arc::clone(&missed),
    };
    let sender = EventSender {
        batches: sender,
        missed,
    };
    (sender, events)
}

impl EventSender {
    /// Adds a message. Never waits.
    pub(super) fn send(&self, batch: Batch) {
        if self.batches.try_send(batch).is_err() {
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
                batch = self.batches.recv() => {
                    let batch = batch?;
                    if batch.is_everything {
                        self.missed.notify_one();
                    }
                    if !batch.notices.is_empty() || !batch.turns.is_empty() {
                        return Some(BrokerEvent::Changed {
                            notices: batch.notices,
                            turns: batch.turns,
                        });
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

    fn batch() -> Batch {
        Batch {
            turns: vec!["e".to_owned()],
            ..Batch::default()
        }
    }

    #[tokio::test]
    async fn messages_above_the_limit_count_as_missed() {
        let (sender, mut events) = channel();
        for _ in 0..=MOST_MESSAGES {
            sender.send(batch());
        }
        assert_eq!(events.next().await, Some(BrokerEvent::Missed));
        for _ in 0..MOST_MESSAGES {
            assert_ne!(events.next().await, Some(BrokerEvent::Missed));
        }
        assert!(events.next().now_or_never().is_none());
        sender.send(Batch {
            is_everything: true,
            ..batch()
        });
        assert_ne!(events.next().await, Some(BrokerEvent::Missed));
        assert_eq!(events.next().await, Some(BrokerEvent::Missed));
        drop(sender);
        assert_eq!(events.next().await, None);
    }
}
