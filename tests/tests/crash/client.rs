//! A client that reconnects and continues across failures of its servers.

use crate::SILENCE;
use crate::connection::{Connection, Disconnected};
use dooers_tests::{AppendOutcome, Identity, ThreadView};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

/// Number of recent frames printed on failure.
const SHOWN: usize = 200;

/// A message, identified by its number.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) client_event_id: String,
    /// `None` in a message that creates a thread.
    pub(crate) thread_id: Option<String>,
    pub(crate) text: String,
}

/// A request that the server has not answered.
#[derive(Debug)]
enum Request {
    Message(Message),
    Other,
}

/// A client that keeps its views and its unacknowledged messages when its connection ends.
#[derive(Debug)]
pub(crate) struct ResilientClient {
    pub(crate) name: String,
    /// True if it receives streaming texts as deltas.
    takes_deltas: bool,
    /// The number of its messages.
    pub(crate) sent: u64,
    /// Unacknowledged messages, in the order of sending.
    pub(crate) pending: VecDeque<Message>,
    pub(crate) acked: Vec<Message>,
    /// Unacknowledged messages that an overloaded server has refused.
    pub(crate) overloaded: Vec<Message>,
    /// The messages that begin threads, by `client_event_id`.
    beginnings: BTreeSet<String>,
    resent: BTreeSet<String>,
    pub(crate) views: BTreeMap<String, ThreadView>,
    /// The values of the settings, if the client is subscribed to them.
    pub(crate) settings: BTreeMap<String, Value>,
    /// The streamed texts of which the client may have received more than the store contained when it connected.
    resumed: HashSet<String>,
    /// The streamed texts whose end this connection has repeated.
    repeated: HashSet<String>,
    connection: Option<Connection>,
    requests: HashMap<String, Request>,
    seen: VecDeque<String>,
    pongs: u64,
    snapshots: u64,
}

impl ResilientClient {
    /// A client that subscribes to these threads.
    pub(crate) fn new<'a>(
        name: String,
        takes_deltas: bool,
        threads: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        let threads = threads.into_iter();
        Self {
            name,
            takes_deltas,
            sent: 0,
            pending: VecDeque::new(),
            acked: Vec::new(),
            overloaded: Vec::new(),
            beginnings: BTreeSet::new(),
            resent: BTreeSet::new(),
            views: threads
                .map(|id| (id.clone(), ThreadView::default()))
                .collect(),
            settings: BTreeMap::new(),
            resumed: HashSet::new(),
            repeated: HashSet::new(),
            connection: None,
            requests: HashMap::new(),
            seen: VecDeque::new(),
            pongs: 0,
            snapshots: 0,
        }
    }

    /// Connects and resumes its threads.
    pub(crate) async fn connect(&mut self, address: SocketAddr) -> Result<(), Disconnected> {
        self.requests.clear();
        self.overloaded.clear();
        self.seen.push_back(format!("connects to {address}"));
        self.connection = Some(Connection::open(address).await?);
        let mut identity = Identity::of(self.name.as_str());
        if self.takes_deltas {
            identity = identity.with_deltas();
        }
        self.send("connect", &identity.payload()).await?;
        let texts = self.views.values().flat_map(|view| {
            let texts = view.events.iter();
            texts.filter(|event| event["streaming"] == true).map(id_of)
        });
        self.resumed = texts.collect();
        self.repeated.clear();
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

    /// A new message, which is unacknowledged until the server acknowledges it. `verb` is the middle of its text.
    pub(crate) fn new_message(&mut self, thread_id: Option<String>, verb: &str) -> Message {
        self.sent += 1;
        let (name, number) = (&self.name, self.sent);
        let message = Message {
            client_event_id: format!("{name}.{number}"),
            thread_id,
            text: format!("{name} {verb} {number}"),
        };
        if message.thread_id.is_none() {
            self.beginnings.insert(message.client_event_id.clone());
        }
        self.pending.push_back(message.clone());
        message
    }

    /// Sends a message again, because the server may not have received it.
    pub(crate) async fn send_again(&mut self, message: Message) -> Result<(), Disconnected> {
        self.resent.insert(message.client_event_id.clone());
        self.send_message(message).await
    }

    /// Sends a message.
    pub(crate) async fn send_message(&mut self, message: Message) -> Result<(), Disconnected> {
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
        self.requests.insert(id, Request::Message(message));
        Ok(())
    }

    /// Asks the server to cancel the turn of a message.
    pub(crate) async fn cancel(&mut self, event_id: &str) -> Result<(), Disconnected> {
        let payload = json!({"event_id": event_id});
        let id = self.send("run.cancel", &payload).await?;
        self.requests.insert(id, Request::Other);
        Ok(())
    }

    /// Subscribes to the settings.
    pub(crate) async fn subscribe_to_settings(&mut self) -> Result<(), Disconnected> {
        let id = self.send("settings.subscribe", &json!({})).await?;
        self.requests.insert(id, Request::Other);
        Ok(())
    }

    /// Changes a setting.
    pub(crate) async fn patch(&mut self, field: &str, value: &str) -> Result<(), Disconnected> {
        let payload = json!({"field_id": field, "value": value});
        let id = self.send("settings.patch", &payload).await?;
        self.requests.insert(id, Request::Other);
        Ok(())
    }

    /// Returns true if the server has answered all messages and requests about turns and settings of this connection.
    pub(crate) fn is_answered(&self) -> bool {
        self.requests.is_empty()
    }

    /// Reads until the runs of all messages of its threads have ended and its settings have these values, and then all
    /// pending frames. Stops early if the server is silent for too long.
    pub(crate) async fn catch_up(
        &mut self,
        totals: &BTreeMap<String, usize>,
        settings: &BTreeMap<String, Value>,
    ) -> Result<(), Disconnected> {
        let is_behind = |(thread_id, view): (&String, &ThreadView)| {
            let ended = |run: &&Value| run["status"] != "running";
            view.runs.values().filter(ended).count() < totals[thread_id]
        };
        while self.views.iter().any(is_behind) || !self.has_settings(settings) {
            self.read_with_timeout().await?;
        }
        let before = self.pongs;
        self.send("ping", &json!({})).await?;
        while self.pongs == before {
            self.read_with_timeout().await?;
        }
        Ok(())
    }

    /// Returns true if its settings have these values.
    fn has_settings(&self, settings: &BTreeMap<String, Value>) -> bool {
        let mut settings = settings.iter();
        settings.all(|(field, value)| self.settings.get(field) == Some(value))
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
        text += &format!("\n  settings {:?}", self.settings);
        for frame in &self.seen {
            text += &format!("\n  {frame}");
        }
        text
    }

    async fn send(&mut self, kind: &str, payload: &Value) -> Result<String, Disconnected> {
        self.connection
            .as_mut()
            .ok_or(Disconnected)?
            .send(kind, payload)
            .await
    }

    /// Reads one frame. Dropping the future loses nothing.
    pub(crate) async fn read(&mut self) -> Result<(), Disconnected> {
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
            Some("thread.snapshot") => self.take_snapshot(payload),
            Some("settings.snapshot") => {
                for field in payload["fields"].as_array().unwrap() {
                    self.take_setting(&field["id"], &field["value"]);
                }
            }
            Some("settings.patch") => self.take_setting(&payload["field_id"], &payload["value"]),
            // All clients receive the rows of all threads.
            Some("thread.upsert") => {}
            Some("pong") => self.pongs += 1,
            _ => panic!("{} received an unexpected frame: {frame}", self.name),
        }
        Ok(())
    }

    fn take_ack(&mut self, ack: &Value) {
        let id = ack["ack_id"].as_str().unwrap();
        let request = self.requests.remove(id);
        if ack["error"]["code"] == "OVERLOADED" {
            // A node that was frozen has waited too long for its database.
            if let Some(Request::Message(message)) = request {
                self.overloaded.push(message);
            }
            return;
        }
        assert_eq!(ack["ok"], true, "{} was refused: {ack}", self.name);
        let Some(Request::Message(message)) = request else {
            return;
        };
        let is_it = |pending: &Message| pending.client_event_id == message.client_event_id;
        if let Some(at) = self.pending.iter().position(is_it) {
            self.pending.remove(at);
            self.acked.push(message);
        }
    }

    fn take_setting(&mut self, field: &Value, value: &Value) {
        let field = field.as_str().unwrap().to_owned();
        self.settings.insert(field, value.clone());
    }

    fn take_snapshot(&mut self, payload: &Value) {
        let name = self.name.clone();
        let view = self.view_of(&payload["thread"]["id"]);
        let resumes = !view.events.is_empty();
        assert_eq!(payload["recovered"], resumes, "{name}: {payload}");
        let seen = view.snapshot(payload);
        let is_new = |seen: &AppendOutcome| *seen == AppendOutcome::New;
        assert!(seen.iter().all(is_new), "{name}: {seen:?}");
        self.snapshots += 1;
    }

    fn take_events(&mut self, payload: &Value) {
        for event in payload["events"].as_array().unwrap() {
            let client_event_id = event["client_event_id"].as_str().unwrap_or_default();
            if self.beginnings.remove(client_event_id) {
                let id = payload["thread_id"].as_str().unwrap();
                self.views.entry(id.to_owned()).or_default();
            }
            let is_resent = self.resent.contains(client_event_id);
            let (id, is_growing) = (id_of(event), event["streaming"] == true);
            let is_end = event["finalized"] == true;
            self.assert_is_next(&payload["thread_id"], event);
            match self.view_of(&payload["thread_id"]).append(event) {
                AppendOutcome::New | AppendOutcome::Changed => {}
                // The end of a text that was interrupted is the stored one.
                AppendOutcome::Shortened if is_end || self.resumed.contains(&id) => {}
                AppendOutcome::Same if is_resent => {}
                // A subscription that continues from the store repeats a text that grows, and once the end of a text.
                AppendOutcome::Same if is_growing || (is_end && self.repeated.insert(id)) => {}
                outcome => panic!(
                    "{} received an event that is {outcome:?}: {event}\n{}",
                    self.name,
                    self.state()
                ),
            }
        }
    }

    /// Checks that an event is known or is the next one of its thread.
    fn assert_is_next(&mut self, thread_id: &Value, event: &Value) {
        let last = self.view_of(thread_id).events.last();
        let last = last.map_or(0, |last| last["seq"].as_u64().unwrap());
        let seq = event["seq"].as_u64().unwrap();
        assert!(
            seq <= last + 1,
            "{} lacks the events before {event}\n{}",
            self.name,
            self.state()
        );
    }

    fn view_of(&mut self, thread_id: &Value) -> &mut ThreadView {
        let name = &self.name;
        let view = self.views.get_mut(thread_id.as_str().unwrap_or_default());
        view.unwrap_or_else(|| panic!("{name} is not subscribed to the thread {thread_id}"))
    }
}

fn id_of(event: &Value) -> String {
    event["id"].as_str().unwrap_or_default().to_owned()
}
