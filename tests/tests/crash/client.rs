//! A client that reconnects and continues across crashes of its server.

use crate::SILENCE;
use crate::connection::{Connection, Disconnected};
use dooers_tests::{AppendOutcome, Identity, ThreadView};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;

/// Number of recent frames printed on failure.
const SHOWN: usize = 200;

/// A message, identified by its number.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) client_event_id: String,
    /// `None` in the message that creates the client's own thread.
    pub(crate) thread_id: Option<String>,
    pub(crate) text: String,
}

/// A client that writes to its own thread and to a shared one.
#[derive(Debug)]
pub(crate) struct ResilientClient {
    name: String,
    shared: String,
    own: Option<String>,
    /// True if it receives streaming texts as deltas.
    takes_deltas: bool,
    /// Maximum number of unacknowledged messages.
    window: usize,
    sent: u64,
    /// Unacknowledged messages, in the order of sending.
    pub(crate) pending: VecDeque<Message>,
    pub(crate) acked: Vec<Message>,
    resent: BTreeSet<String>,
    pub(crate) views: BTreeMap<String, ThreadView>,
    connection: Option<Connection>,
    frames: HashMap<String, Message>,
    seen: VecDeque<String>,
    pongs: u64,
    snapshots: u64,
}

impl ResilientClient {
    pub(crate) fn new(number: usize, shared: &str) -> Self {
        Self {
            name: format!("member{number}"),
            shared: shared.to_owned(),
            own: None,
            takes_deltas: (number / 4).is_multiple_of(2),
            window: 1 + number % 3,
            sent: 0,
            pending: VecDeque::new(),
            acked: Vec::new(),
            resent: BTreeSet::new(),
            views: BTreeMap::from([(shared.to_owned(), ThreadView::default())]),
            connection: None,
            frames: HashMap::new(),
            seen: VecDeque::new(),
            pongs: 0,
            snapshots: 0,
        }
    }

    /// Connects and resumes its threads.
    pub(crate) async fn connect(&mut self, address: SocketAddr) -> Result<(), Disconnected> {
        self.frames.clear();
        self.connection = Some(Connection::open(address).await?);
        let mut identity = Identity::of(self.name.as_str());
        if self.takes_deltas {
            identity = identity.with_deltas();
        }
        self.send("connect", &identity.payload()).await?;
        let resumed: Vec<_> = self
            .views
            .iter()
            .map(|(thread_id, view)| {
                json!({"thread_id": thread_id, "after_event_id": view.last_event_id()})
            })
            .collect();
        for payload in resumed {
            let before = self.snapshots;
            self.send("thread.subscribe", &payload).await?;
            while self.snapshots == before {
                self.read().await?;
            }
        }
        Ok(())
    }

    /// Sends messages until the connection ends.
    pub(crate) async fn send_messages(&mut self) -> Result<(), Disconnected> {
        loop {
            let begins = self.own.is_none();
            let window = if begins { 1 } else { self.window };
            // Sends only one message until its own thread is known.
            while self.pending.len() < window && (self.own.is_some() || self.sent == 0) {
                let message = self.new_message();
                self.pending.push_back(message.clone());
                self.send_message(message).await?;
            }
            self.read().await?;
        }
    }

    /// Resends unacknowledged messages, and the message that created its own thread if the thread is still
    /// unknown.
    pub(crate) async fn resend(&mut self) -> Result<(), Disconnected> {
        let mut messages: Vec<_> = self.pending.iter().cloned().collect();
        if self.own.is_none() && messages.is_empty() {
            messages.extend(self.acked.first().cloned());
        }
        for message in messages {
            self.resent.insert(message.client_event_id.clone());
            self.send_message(message).await?;
        }
        while !self.pending.is_empty() || (self.own.is_none() && self.sent > 0) {
            self.read().await?;
        }
        Ok(())
    }

    /// Reads until the runs of all messages of its threads have ended, and then all pending frames. Stops early
    /// if the server is silent for too long.
    pub(crate) async fn catch_up(
        &mut self,
        totals: &BTreeMap<String, usize>,
    ) -> Result<(), Disconnected> {
        let is_behind = |(thread_id, view): (&String, &ThreadView)| {
            let ended = |run: &&Value| run["status"] != "running";
            view.runs.values().filter(ended).count() < totals[thread_id]
        };
        while self.views.iter().any(is_behind) {
            self.read_with_timeout().await?;
        }
        let before = self.pongs;
        self.send("ping", &json!({})).await?;
        while self.pongs == before {
            self.read_with_timeout().await?;
        }
        Ok(())
    }

    /// Reads one frame. Fails if the server is silent for too long.
    async fn read_with_timeout(&mut self) -> Result<(), Disconnected> {
        let reading = tokio::time::timeout(SILENCE, self.read());
        reading.await.unwrap_or(Err(Disconnected))
    }

    /// The client's state, for failure messages.
    pub(crate) fn state(&self) -> String {
        let mut text = format!("{}: pending {:?}", self.name, self.pending);
        for (thread_id, view) in &self.views {
            let runs: Vec<_> = view.runs.values().map(|run| &run["status"]).collect();
            text += &format!(
                "\n  {thread_id}: {} events, runs {runs:?}",
                view.events.len()
            );
        }
        for frame in &self.seen {
            text += &format!("\n  {frame}");
        }
        text
    }

    fn new_message(&mut self) -> Message {
        self.sent += 1;
        let number = self.sent;
        let thread_id = match &self.own {
            Some(_) if number.is_multiple_of(2) => Some(self.shared.clone()),
            own => own.clone(),
        };
        Message {
            client_event_id: format!("{}.{number}", self.name),
            thread_id,
            text: format!("{} says {number}", self.name),
        }
    }

    async fn send_message(&mut self, message: Message) -> Result<(), Disconnected> {
        let payload = json!({
            "thread_id": message.thread_id,
            "client_event_id": message.client_event_id,
            "event": {
                "type": "message",
                "actor": "user",
                "content": [{"type": "text", "text": message.text}],
            },
        });
        let id = self.send("event.create", &payload).await?;
        self.frames.insert(id, message);
        Ok(())
    }

    async fn send(&mut self, kind: &str, payload: &Value) -> Result<String, Disconnected> {
        self.connection
            .as_mut()
            .ok_or(Disconnected)?
            .send(kind, payload)
            .await
    }

    async fn read(&mut self) -> Result<(), Disconnected> {
        let frame = self.connection.as_mut().ok_or(Disconnected)?.next().await?;
        if frame["type"] != "thread.upsert" {
            self.seen.push_back(frame.to_string());
        }
        if self.seen.len() > SHOWN {
            self.seen.pop_front();
        }
        let payload = &frame["payload"];
        match frame["type"].as_str() {
            Some("ack") => self.take_ack(payload),
            Some("event.append") => self.take_events(payload),
            Some("event.delta") => self.view_of(&payload["thread_id"]).delta(payload),
            Some("run.upsert") => {
                let run = &payload["run"];
                self.view_of(&run["thread_id"]).run(run);
            }
            Some("thread.snapshot") => {
                let id = &payload["thread"]["id"];
                let seen = self.view_of(id).snapshot(payload);
                assert!(
                    seen.iter().all(|seen| *seen == AppendOutcome::New),
                    "{seen:?}"
                );
                self.snapshots += 1;
            }
            // All clients receive the rows of all threads.
            Some("thread.upsert") => {}
            Some("pong") => self.pongs += 1,
            _ => panic!("{} received an unexpected frame: {frame}", self.name),
        }
        Ok(())
    }

    fn take_ack(&mut self, ack: &Value) {
        assert_eq!(ack["ok"], true, "{} was refused: {ack}", self.name);
        let id = ack["ack_id"].as_str().unwrap();
        let Some(message) = self.frames.remove(id) else {
            return;
        };
        let is_it = |pending: &Message| pending.client_event_id == message.client_event_id;
        if let Some(at) = self.pending.iter().position(is_it) {
            self.pending.remove(at);
            self.acked.push(message);
        }
    }

    fn take_events(&mut self, payload: &Value) {
        for event in payload["events"].as_array().unwrap() {
            let client_event_id = event["client_event_id"].as_str().unwrap_or_default();
            if self.own.is_none() && client_event_id == format!("{}.1", self.name) {
                let id = payload["thread_id"].as_str().unwrap();
                self.own = Some(id.to_owned());
                self.views.insert(id.to_owned(), ThreadView::default());
            }
            let is_repeated = self.resent.contains(client_event_id);
            match self.view_of(&payload["thread_id"]).append(event) {
                AppendOutcome::New | AppendOutcome::Changed => {}
                // A resumed subscription repeats the end of a text that the client may already have.
                AppendOutcome::Same if is_repeated || is_streaming_text(event) => {}
                AppendOutcome::Same => panic!("{} received an event twice: {event}", self.name),
            }
        }
    }

    fn view_of(&mut self, thread_id: &Value) -> &mut ThreadView {
        let name = &self.name;
        let view = self.views.get_mut(thread_id.as_str().unwrap_or_default());
        view.unwrap_or_else(|| panic!("{name} is not subscribed to the thread {thread_id}"))
    }
}

/// Returns true if the event is or was a streaming text.
fn is_streaming_text(event: &Value) -> bool {
    event["streaming"] == true || event["finalized"] == true
}
