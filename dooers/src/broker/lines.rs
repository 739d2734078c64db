//! The part of a broker that does not depend on what carries its messages.

use super::events::{BrokerEvents, EventSender, channel};
use super::message::{decode, encode};
use super::news::News;
use super::pending::{Pending, Windows};
use super::watched::{Late, Watched};
use crate::cipher::CipherKey;
use crate::protocol::new_id;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest time for which a server that starts waits for the first connection.
const FIRST_CONNECTION: Duration = Duration::from_secs(2);

/// Maximum number of different reasons that are logged for one loss of the connection.
const MOST_REASONS: usize = 4;

/// The announcements of this node that wait to be sent, and the messages of other nodes that wait to be read.
#[derive(Debug)]
pub(crate) struct Lines {
    /// The key that seals the messages.
    key: CipherKey,
    /// The id under which this node sends.
    node: String,
    pub(super) pending: Pending,
    pub(super) watched: Watched,
    received: EventSender,
    events: Mutex<Option<BrokerEvents>>,
    malformed: AtomicU64,
    link: watch::Sender<Link>,
    /// The reasons that were logged since the connection was lost.
    logged: Mutex<Vec<String>>,
}

/// The state of the connection to the other nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Nothing was exchanged yet, and no client has connected to this node.
    First,
    Connected,
    Lost,
}

impl Lines {
    /// News that are published within a window share a message.
    pub(super) fn new(key: CipherKey, windows: Windows, watched: Watched) -> Arc<Self> {
        let (received, events) = channel();
        Arc::new(Self {
            key,
            node: new_id(),
            pending: Pending::new(windows),
            watched,
            received,
            events: Mutex::new(Some(events)),
            malformed: AtomicU64::new(0),
            link: watch::Sender::new(Link::First),
            logged: Mutex::new(Vec::new()),
        })
    }

    pub(super) fn subscribe(&self) -> Option<BrokerEvents> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.take()
    }

    /// The id under which this node sends.
    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// Encodes news as messages of this node.
    pub(super) fn encode(&self, news: Vec<News>) -> Vec<String> {
        encode(&self.key, &self.node, news)
    }

    /// Takes a received text. Messages of this node are ignored, and so is what is malformed, which is counted.
    pub(super) fn receive(&self, text: &str) {
        match decode(&self.key, &self.node, text) {
            Ok(decoded) => {
                for error in &decoded.errors {
                    self.count_malformed(error);
                }
                if !decoded.news.is_empty() {
                    self.received.send(decoded.news);
                }
            }
            Err(error) => self.count_malformed(&error),
        }
    }

    /// Notes that the news of some topics arrive late. Their readers may have missed changes.
    pub(super) fn late(&self, late: Late) {
        self.received.late(late);
    }

    /// Notes that messages were lost.
    pub(super) fn missed(&self) {
        self.received.miss();
    }

    fn count_malformed(&self, error: &(dyn Error + 'static)) {
        let before = self.malformed.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            tracing::warn!(target: "dooers::broker", error, "a malformed message of another node is ignored; later ones are only counted");
        }
    }

    /// The number of malformed messages.
    pub(super) fn malformed(&self) -> u64 {
        self.malformed.load(Ordering::Relaxed)
    }

    /// Waits until this node is connected for the first time, or could not connect. A server waits for this before clients
    /// connect to it, so that it misses no message about what they have read.
    pub(super) async fn ready(&self) {
        let mut link = self.link.subscribe();
        let is_known = link.wait_for(|link| *link != Link::First);
        if timeout(FIRST_CONNECTION, is_known).await.is_err() {
            self.link.send_if_modified(|link| {
                let is_late = *link == Link::First;
                if is_late {
                    *link = Link::Lost;
                }
                is_late
            });
        }
    }

    /// Notes that messages are exchanged from now on. After a loss, those in between are missing.
    pub(super) fn connected(&self) {
        let before = self.link.send_replace(Link::Connected);
        let logged = std::mem::take(&mut *self.logged());
        if !logged.is_empty() {
            tracing::info!(target: "dooers::broker", "the other nodes can be reached again");
        }
        if before != Link::First {
            self.received.miss();
        }
    }

    /// Notes that no messages are exchanged from now on. Logs each reason once: the first one may only be the end of the
    /// connection, and a later one why no other can be made.
    pub(super) fn lost(&self, error: &(dyn Error + 'static)) {
        self.link.send_replace(Link::Lost);
        let mut logged = self.logged();
        let text = error.to_string();
        if logged.len() < MOST_REASONS && !logged.contains(&text) {
            logged.push(text);
            tracing::warn!(target: "dooers::broker", error, "the other nodes cannot be reached; their changes are found in the database, only later");
        }
    }

    fn logged(&self) -> MutexGuard<'_, Vec<String>> {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_connected(&self) -> bool {
        *self.link.borrow() == Link::Connected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::BrokerEvent;
    use crate::broker::message::seal;
    use crate::log_capture::CapturedLog;
    use futures::FutureExt;

    fn key() -> CipherKey {
        CipherKey::new([7; 32])
    }

    fn lines() -> Arc<Lines> {
        Lines::new(
            key(),
            Windows::always(Duration::from_millis(10)),
            Watched::default(),
        )
    }

    #[tokio::test]
    async fn malformed_messages_are_counted_and_ignored() {
        let (lines, other) = (lines(), lines());
        let turn = |event_id: &str| News::Turn(event_id.to_owned());
        let mut events = lines.subscribe().unwrap();
        assert!(lines.subscribe().is_none());
        let everything = r#"{"v":2,"m":["e"]}"#;
        let sealed = |text| seal(&key(), "x", text).unwrap();
        let unknown = sealed(r#"{"v":2,"m":["unknown"]}"#);
        let later = sealed(r#"{"v":9,"m":[]}"#);
        for text in ["", "{}", "\u{0}", everything, &later, &unknown] {
            lines.receive(text);
        }
        assert_eq!(lines.malformed(), 6);
        for text in lines.encode(vec![turn("own")]) {
            lines.receive(&text);
        }
        for text in other.encode(vec![turn("e")]) {
            lines.receive(&text);
        }
        let expected = BrokerEvent::News(vec![turn("e")]);
        assert_eq!(events.next().await, Some(expected));
        assert!(events.next().now_or_never().is_none());
        assert_eq!(lines.malformed(), 6);
    }

    #[tokio::test]
    async fn connection_that_was_lost_has_missed_messages() {
        let lines = lines();
        let mut events = lines.subscribe().unwrap();
        assert!(!lines.is_connected());
        assert!(lines.ready().now_or_never().is_none());
        lines.connected();
        lines.ready().await;
        assert!(lines.is_connected());
        assert!(events.next().now_or_never().is_none());
        lines.lost(&std::io::Error::other("gone"));
        lines.ready().await;
        assert!(!lines.is_connected());
        assert!(events.next().now_or_never().is_none());
        lines.connected();
        assert_eq!(events.next().await, Some(BrokerEvent::Missed));
    }

    #[tokio::test(start_paused = true)]
    async fn late_first_connection_has_missed_messages() {
        let lines = lines();
        let mut events = lines.subscribe().unwrap();
        lines.ready().await;
        lines.connected();
        assert_eq!(events.next().await, Some(BrokerEvent::Missed));
    }

    #[tokio::test]
    async fn each_reason_of_a_loss_is_logged_once() {
        let (log, _capture) = CapturedLog::start();
        let lines = lines();
        for _ in 0..2 {
            lines.connected();
            for _ in 0..3 {
                lines.lost(&std::io::Error::other("gone"));
                lines.lost(&std::io::Error::other("wrong password"));
            }
        }
        let text = log.text();
        let count = |part: &str| text.matches(part).count();
        assert_eq!(count("the other nodes cannot be reached; their changes"), 4);
        assert_eq!(count("gone"), 2, "{text}");
        assert_eq!(count("wrong password"), 2, "{text}");
        assert_eq!(count("the other nodes can be reached again"), 1);
    }
}
