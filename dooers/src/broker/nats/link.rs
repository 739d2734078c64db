//! The task that keeps the connection to the NATS server.

use super::options::Prepared;
use super::subjects::Subjects;
use super::unconfirmed::Unconfirmed;
use crate::broker::by_topic::by_topic;
use crate::broker::lines::Lines;
use crate::broker::news::News;
use crate::broker::topic::Topic;
use crate::store::{PostgresOptions, place_of_tables};
use async_nats::connection::State;
use async_nats::{Client, Event, Message, Subject, Subscriber};
use axum::body::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// The interval at which the connection is checked.
const CHECK: Duration = Duration::from_secs(15);

/// The same interval while sent news are unconfirmed, or the server does not answer.
const CHECK_SOON: Duration = Duration::from_secs(1);

/// The longest time for an answer of the server.
const ANSWER: Duration = Duration::from_secs(5);

/// The longest time for the last news when the broker is closed.
const LAST_SEND: Duration = Duration::from_secs(1);

/// The longest time for which a command waits for room in the queue of the client.
const ROOM: Duration = Duration::from_secs(2);

/// The pause before the database is asked again after an error.
const RETRY: Duration = Duration::from_secs(1);

/// Maximum number of events of the client that wait.
const MOST_EVENTS: usize = 128;

/// Maximum number of messages that are taken at once.
const MOST_MESSAGES: usize = 256;

/// A time that is not reached.
const FAR: Duration = Duration::from_secs(86_400);

/// The delay after which threads are compared once more, if the server belongs to a cluster. Its other servers hear of a
/// subscription a moment later.
const CLUSTER: Duration = Duration::from_millis(500);

/// The reasons why the other nodes cannot be reached.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("the connection to the NATS server ended")]
    Ended,
    #[error("the NATS server does not answer")]
    Silent,
    #[error("no NATS server at {urls} can be used: {error}; {}", advice(.error))]
    Unreachable { urls: String, error: String },
    #[error("the NATS server refused a command: {0}")]
    Refused(String),
}

/// Advice for the log, because the errors of the client contain no details.
fn advice(error: &str) -> &'static str {
    if error.contains("authorization") || error.contains("authentication") {
        "check the user and the password, or the token, NKey or credentials"
    } else {
        "check the URL, that the server runs, and with TLS its certificate; RUST_LOG=async_nats=debug logs the details"
    }
}

/// The task that keeps the connection.
pub(super) struct Link {
    pub(super) options: Prepared,
    pub(super) database: PostgresOptions,
    pub(super) lines: Arc<Lines>,
    pub(super) closed: CancellationToken,
}

impl Link {
    /// Connects and exchanges messages, until the broker is closed.
    pub(super) async fn run(self) {
        let closed = self.closed.clone();
        let Some(place) = closed.run_until_cancelled(self.place()).await else {
            return;
        };
        let subjects = Subjects::new(&place, self.lines.node());
        let (events, heard) = mpsc::channel(MOST_EVENTS);
        let urls = self.options.urls();
        let starting = self.options.connect(events);
        match closed.run_until_cancelled(starting).await {
            Some(Ok(client)) => {
                let exchange = Exchange::new(client, urls, subjects, self.lines);
                exchange.run(heard, &closed).await;
            }
            Some(Err(error)) => self.lines.lost(&error),
            None => {}
        }
    }

    /// The identifier of the tables.
    async fn place(&self) -> String {
        loop {
            match place_of_tables(&self.database).await {
                Ok(place) => return place,
                Err(error) => self.lines.lost(&error),
            }
            sleep(RETRY).await;
        }
    }
}

/// A question to the server, which this node answers itself when its message comes back.
struct Probe {
    number: u64,
    answer_by: Instant,
    /// Topics to which this node subscribed before. Their news arrive when the answer does.
    topics: Vec<Topic>,
}

/// The exchange of messages. The client connects again by itself, and keeps the subscriptions.
struct Exchange {
    client: Client,
    /// The URLs of the servers, without logins.
    urls: String,
    subjects: Subjects,
    lines: Arc<Lines>,
    messages: SelectAll<BoxStream<'static, Message>>,
    /// The subscribed topics. A subscription ends when its sender is dropped.
    topics: HashMap<Topic, oneshot::Sender<()>>,
    /// Topics to which this node must still subscribe.
    wanted: Vec<Topic>,
    /// Topics to which this node subscribed since the last probe.
    fresh: Vec<Topic>,
    /// Topics of a cluster that are compared once more at a time.
    again: Vec<Topic>,
    again_at: Option<Instant>,
    unconfirmed: Unconfirmed,
    probe: Option<Probe>,
    probes: u64,
    next_check: Instant,
    is_linked: bool,
    /// The server has refused a command on this connection.
    is_refused: bool,
}

impl Exchange {
    fn new(client: Client, urls: String, subjects: Subjects, lines: Arc<Lines>) -> Self {
        Self {
            client,
            urls,
            subjects,
            lines,
            messages: SelectAll::new(),
            topics: HashMap::new(),
            wanted: Vec::new(),
            fresh: Vec::new(),
            again: Vec::new(),
            again_at: None,
            unconfirmed: Unconfirmed::default(),
            probe: None,
            probes: 0,
            next_check: Instant::now() + CHECK_SOON,
            is_linked: false,
            is_refused: false,
        }
    }

    async fn run(mut self, mut events: mpsc::Receiver<Event>, closed: &CancellationToken) {
        for subject in [self.subjects.of(Topic::All), self.subjects.of_probes()] {
            // The client takes the first commands before it is connected.
            if let Some(Ok(subscriber)) = in_time(self.client.subscribe(subject)).await {
                self.messages.push(subscriber.boxed());
            }
        }
        let lines = Arc::clone(&self.lines);
        loop {
            let check = self
                .probe
                .as_ref()
                .map_or(self.next_check, |probe| probe.answer_by);
            let again = self.again_at.unwrap_or_else(|| Instant::now() + FAR);
            tokio::select! {
                () = closed.cancelled() => return self.finish().await,
                Some(event) = events.recv() => self.happened(event).await,
                () = lines.watched.changed(), if self.is_linked => self.follow().await,
                () = lines.pending.due(), if self.is_linked => self.send().await,
                Some(message) = self.messages.next() => self.receive(message).await,
                () = sleep_until(check) => self.check().await,
                () = sleep_until(again) => self.compare_again(),
            }
        }
    }

    /// Acts on an event of the client.
    async fn happened(&mut self, event: Event) {
        match event {
            Event::Connected => {
                self.is_refused = false;
                self.lose();
                self.follow().await;
            }
            Event::Disconnected | Event::Closed => {
                self.lose();
                self.lines.lost(&Lost::Ended);
            }
            Event::ClientError(error) => {
                self.lose();
                let (urls, error) = (self.urls.clone(), error.to_string());
                self.lines.lost(&Lost::Unreachable { urls, error });
            }
            Event::ServerError(error) => {
                // Without the permission for one subject, news are missing until the next connection.
                self.is_refused = true;
                self.lose();
                self.lines.lost(&Lost::Refused(error.to_string()));
            }
            // The client had no room for a message.
            Event::SlowConsumer(_) => self.lines.missed(),
            Event::LameDuckMode | Event::Draining => {}
        }
    }

    /// Subscribes to the topics that this node needs, and unsubscribes from the others.
    async fn follow(&mut self) {
        let (added, removed) = self.lines.watched.take_changes();
        for topic in &removed {
            self.topics.remove(topic);
        }
        crate::shrink::shrink(&mut self.topics);
        if !self.wanted.is_empty() && !removed.is_empty() {
            let removed: HashSet<_> = removed.into_iter().collect();
            self.wanted.retain(|topic| !removed.contains(topic));
        }
        self.wanted.extend(added);
        while let Some(topic) = self.wanted.pop() {
            if self.topics.contains_key(&topic) {
                continue;
            }
            let subscribing = self.client.subscribe(self.subjects.of(topic));
            let Some(Ok(subscriber)) = in_time(subscribing).await else {
                self.wanted.push(topic);
                break;
            };
            self.topics.insert(topic, self.messages.add(subscriber));
            self.fresh.push(topic);
        }
        if self.probe.is_none() {
            self.ask().await;
        }
    }

    /// Sends a message to this node itself. When it arrives, the server has taken everything that was sent before.
    async fn ask(&mut self) {
        self.probes += 1;
        self.unconfirmed.ask();
        let topics = if self.is_linked {
            std::mem::take(&mut self.fresh)
        } else {
            // The client has subscribed to all topics again.
            self.fresh = Vec::new();
            self.topics.keys().copied().collect()
        };
        self.probe = Some(Probe {
            number: self.probes,
            answer_by: Instant::now() + ANSWER,
            topics,
        });
        let text = self.probes.to_string();
        // Without an answer, the connection counts as lost.
        let _ = in_time(self.client.publish(self.subjects.of_probes(), text.into())).await;
    }

    async fn receive(&mut self, message: Message) {
        self.take(&message).await;
        for _ in 0..MOST_MESSAGES {
            match futures::FutureExt::now_or_never(self.messages.next()) {
                Some(Some(message)) => self.take(&message).await,
                _ => return,
            }
        }
    }

    async fn take(&mut self, message: &Message) {
        let text = std::str::from_utf8(&message.payload).unwrap_or_default();
        if message.subject.as_str() == self.subjects.of_probes() {
            let is_answer = |probe: &mut Probe| text.parse() == Ok(probe.number);
            if let Some(probe) = self.probe.take_if(is_answer) {
                self.answered(&probe.topics).await;
            }
        } else {
            self.lines.receive(text);
        }
    }

    /// The server has taken everything that was sent before the probe.
    async fn answered(&mut self, topics: &[Topic]) {
        self.unconfirmed.confirm();
        self.next_check = Instant::now() + self.interval();
        if self.is_refused {
            return;
        }
        if !self.is_linked {
            self.is_linked = true;
            self.lines.watched.set_linked(true);
            self.lines.connected();
        }
        let late = self.lines.watched.set_heard(topics);
        if !late.is_empty() {
            self.lines.late(late);
        }
        let is_cluster = self.client.server_info().cluster.is_some();
        if is_cluster && !topics.is_empty() {
            self.again.extend(topics);
            self.again_at.get_or_insert(Instant::now() + CLUSTER);
        }
        if !self.fresh.is_empty() {
            self.ask().await;
        }
    }

    fn interval(&self) -> Duration {
        if self.is_linked && self.unconfirmed.is_empty() {
            CHECK
        } else {
            CHECK_SOON
        }
    }

    /// Asks the server for an answer, or notes that there was none.
    async fn check(&mut self) {
        self.next_check = Instant::now() + CHECK_SOON;
        if self.probe.is_some() {
            self.lose();
            self.lines.lost(&Lost::Silent);
        } else if self.client.connection_state() == State::Connected {
            self.follow().await;
        }
    }

    /// Sends what waits.
    async fn send(&mut self) {
        let news = self.lines.pending.take();
        let has_room = self.send_all(&news).await;
        self.unconfirmed.add(news);
        let soon = Instant::now() + CHECK_SOON;
        self.next_check = self.next_check.min(soon);
        if !has_room {
            // A later answer must not confirm what the client did not take.
            self.lose();
            self.lines.lost(&Lost::Silent);
        }
    }

    /// Sends news. Returns `false` as soon as the client has no room, so that only one command waits for it.
    async fn send_all(&mut self, news: &[News]) -> bool {
        for (topics, group) in by_topic(news) {
            let subjects = topics.into_iter().map(|topic| self.subjects.of(topic));
            let subjects: Vec<_> = subjects.map(Subject::from).collect();
            for text in self.lines.encode(group) {
                let text = Bytes::from(text);
                for subject in &subjects {
                    let sending = self.client.publish(subject.clone(), text.clone());
                    // After an error, the news stay unconfirmed.
                    if in_time(sending).await.is_none() {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Notes that no messages are exchanged. What may not have reached the server is sent again later.
    fn lose(&mut self) {
        self.probe = None;
        self.again.clear();
        self.again_at = None;
        let unconfirmed = self.unconfirmed.take();
        if !unconfirmed.is_empty() {
            self.lines.pending.put_back(unconfirmed);
        }
        if self.is_linked {
            self.is_linked = false;
            self.lines.watched.set_linked(false);
        }
    }

    fn compare_again(&mut self) {
        self.again_at = None;
        let topics = std::mem::take(&mut self.again);
        let mut late = self.lines.watched.named(&topics);
        // The front of a list would be sent whole.
        late.has_places = false;
        if !late.is_empty() {
            self.lines.late(late);
        }
    }

    /// Sends what waits, and waits a short time until the server has it.
    async fn finish(mut self) {
        if !self.is_linked {
            return;
        }
        let last = async {
            self.send().await;
            self.probe = None;
            self.ask().await;
            while self.probe.is_some()
                && let Some(message) = self.messages.next().await
            {
                self.take(&message).await;
            }
        };
        // What did not reach the server in time is found in the database.
        let _ = timeout(LAST_SEND, last).await;
    }
}

/// A set of subscriptions that end one by one.
trait Subscriptions {
    /// Adds a subscription, which ends when the result is dropped.
    fn add(&mut self, subscriber: Subscriber) -> oneshot::Sender<()>;
}

impl Subscriptions for SelectAll<BoxStream<'static, Message>> {
    fn add(&mut self, subscriber: Subscriber) -> oneshot::Sender<()> {
        let (end, ended) = oneshot::channel();
        self.push(subscriber.take_until(ended).boxed());
        end
    }
}

/// Waits a short time until the client takes a command. Its queue is full if the server takes nothing.
async fn in_time<T>(command: impl Future<Output = T>) -> Option<T> {
    timeout(ROOM, command).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreachable_server_has_its_url_and_advice() {
        for (error, advice) in [
            ("nats: authorization violation", "check the user"),
            ("nats: IO error", "check the URL"),
        ] {
            let (urls, error) = ("nats://bus:4222".to_owned(), error.to_owned());
            let text = Lost::Unreachable { urls, error }.to_string();
            assert!(text.contains("nats://bus:4222"), "{text}");
            assert!(text.contains(advice), "{text}");
        }
    }
}
