//! A simulated client and its view.

use crate::registry::{Person, Registry};
use crate::server::SMALL_BUFFER;
use crate::within;
use dooers_tests::{AppendOutcome, ThreadView};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use tokio::net::TcpSocket;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Packet;

/// Number of recent frames printed on failure.
const SHOWN: usize = 100;

/// A sent message, which can be sent again.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) client_event_id: String,
    thread_id: Option<String>,
    text: String,
}

/// A request that awaits its answer.
#[derive(Debug)]
enum Request {
    Message(Message),
    Subscription {
        thread_id: String,
        goes_on: bool,
    },
    Leaving(String),
    Deletion(String),
    /// Cancels a turn of this thread.
    Cancellation(String),
}

/// The connection has ended.
#[derive(Debug)]
pub(crate) struct Disconnected;

/// A simulated client and its view.
#[derive(Debug)]
pub(crate) struct ModelClient {
    pub(crate) person: Person,
    pub(crate) name: String,
    /// True if it has stopped reading for now.
    pub(crate) is_slow: bool,
    /// The view of each thread to which it is or was subscribed.
    pub(crate) views: BTreeMap<String, ThreadView>,
    pub(crate) subscribed: BTreeSet<String>,
    pub(crate) sent: Vec<Message>,
    unacked: Vec<Message>,
    repeated: BTreeSet<String>,
    /// The threads whose subscription was resumed.
    resumed: BTreeSet<String>,
    /// By thread, the streaming texts before the start of the view that it has received since it subscribed.
    earlier: BTreeMap<String, BTreeSet<String>>,
    socket: Option<WebSocketStream<tokio::net::TcpStream>>,
    frames: u64,
    requests: HashMap<String, Request>,
    pongs: u64,
    seen: VecDeque<String>,
}

impl ModelClient {
    pub(crate) fn new(number: usize, person: Person) -> Self {
        Self {
            person,
            name: format!("member{number}"),
            is_slow: false,
            views: BTreeMap::new(),
            subscribed: BTreeSet::new(),
            sent: Vec::new(),
            unacked: Vec::new(),
            repeated: BTreeSet::new(),
            resumed: BTreeSet::new(),
            earlier: BTreeMap::new(),
            socket: None,
            frames: 0,
            requests: HashMap::new(),
            pongs: 0,
            seen: VecDeque::new(),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.socket.is_some()
    }

    /// Connects, resumes its threads, and resends unacknowledged messages.
    pub(crate) async fn connect(
        &mut self,
        address: SocketAddr,
        is_small: bool,
        registry: &mut Registry,
    ) {
        let socket = TcpSocket::new_v4().unwrap();
        if is_small {
            socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
        }
        let connecting = async {
            let stream = socket.connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio_tungstenite::client_async(format!("ws://{address}/ws"), stream).await
        };
        let (socket, _) = within("a connection", connecting).await.unwrap();
        self.socket = Some(socket);
        self.is_slow = false;
        self.log("--- connected".to_owned());
        self.send("connect", &self.person.identity().payload(), None)
            .await;
        let before: Vec<_> = self.views.keys().cloned().collect();
        for thread_id in before {
            self.subscribe(&thread_id, true).await;
        }
        self.read_until_answered(registry).await;
        for message in std::mem::take(&mut self.unacked) {
            self.resend(message).await;
        }
        self.read_until_answered(registry).await;
    }

    /// Ends the connection, with or without a close frame. Unread frames are lost.
    pub(crate) async fn disconnect(&mut self, is_polite: bool) {
        if let Some(mut socket) = self.socket.take()
            && is_polite
        {
            // The server may be gone already.
            let _ = socket.close(None).await;
        }
        self.mark_disconnected();
    }

    /// Reads until the server ends the connection.
    pub(crate) async fn read_until_closed(&mut self, registry: &mut Registry) {
        while self.is_connected() {
            if let Err(Disconnected) = self.read(registry).await {
                if let Some(mut socket) = self.socket.take() {
                    let _ = socket.flush().await;
                }
                self.mark_disconnected();
            }
        }
    }

    fn mark_disconnected(&mut self) {
        self.subscribed.clear();
        for (_, request) in self.requests.drain() {
            match request {
                Request::Message(message) => self.unacked.push(message),
                // These requests need no retry.
                Request::Subscription { .. }
                | Request::Leaving(_)
                | Request::Deletion(_)
                | Request::Cancellation(_) => {}
            }
        }
        self.unacked
            .sort_by_key(|message| message.client_event_id.clone());
        self.log("--- gone".to_owned());
    }

    pub(crate) async fn write(&mut self, thread_id: Option<String>, text: String) {
        let number = self.sent.len();
        let message = Message {
            client_event_id: format!("{}.{number:04}", self.name),
            thread_id,
            text,
        };
        self.sent.push(message.clone());
        self.send_message(message).await;
    }

    pub(crate) async fn resend(&mut self, message: Message) {
        self.repeated.insert(message.client_event_id.clone());
        self.send_message(message).await;
    }

    /// Subscribes from scratch, or resumes from the end of its view.
    pub(crate) async fn subscribe(&mut self, thread_id: &str, goes_on: bool) {
        let known = self.views.get(thread_id).filter(|_| goes_on);
        let after = known.and_then(ThreadView::last_event_id);
        let payload = json!({"thread_id": thread_id, "after_event_id": after});
        let request = Request::Subscription {
            thread_id: thread_id.to_owned(),
            goes_on: after.is_some() && !self.person.replaces,
        };
        self.send("thread.subscribe", &payload, Some(request)).await;
    }

    /// Cancels the turn of the newest message in its view of a thread, whether the turn is queued, running or
    /// over.
    pub(crate) async fn cancel(&mut self, thread_id: String) {
        let view = self.views.get(&thread_id);
        let mut events = view.into_iter().flat_map(|view| view.events.iter().rev());
        let Some(message) = events.find(|event| event["actor"] == "user") else {
            return;
        };
        let payload = json!({"event_id": message["id"]});
        self.send(
            "run.cancel",
            &payload,
            Some(Request::Cancellation(thread_id)),
        )
        .await;
    }

    pub(crate) async fn unsubscribe(&mut self, thread_id: String) {
        let payload = json!({"thread_id": thread_id});
        let request = Request::Leaving(thread_id);
        self.send("thread.unsubscribe", &payload, Some(request))
            .await;
    }

    pub(crate) async fn delete(&mut self, thread_id: String, registry: &mut Registry) {
        if registry.can_see(self.person, &thread_id) {
            registry.delete(&thread_id);
        }
        let payload = json!({"thread_id": thread_id});
        let request = Request::Deletion(thread_id);
        self.send("thread.delete", &payload, Some(request)).await;
    }

    /// Reads until all its requests are answered and the thread of each of its messages is known.
    pub(crate) async fn read_until_answered(&mut self, registry: &mut Registry) {
        self.read_while(registry, "answers", |member, _| !member.requests.is_empty())
            .await;
        self.drain(registry).await;
    }

    /// Reads all frames sent so far.
    pub(crate) async fn drain(&mut self, registry: &mut Registry) {
        let before = self.pongs;
        self.send("ping", &json!({}), None).await;
        self.read_while(registry, "a pong", |member, _| member.pongs == before)
            .await;
    }

    pub(crate) async fn read_while(
        &mut self,
        registry: &mut Registry,
        what: &str,
        goes_on: impl Fn(&Self, &Registry) -> bool,
    ) {
        while goes_on(self, registry) {
            let reading = self.read(registry);
            let outcome = tokio::time::timeout(crate::TIMEOUT, reading).await;
            if !matches!(outcome, Ok(Ok(()))) {
                self.fail(&format!("waiting for {what} failed: {outcome:?}"));
            }
        }
    }

    async fn send_message(&mut self, message: Message) {
        let payload = json!({
            "thread_id": message.thread_id,
            "client_event_id": message.client_event_id,
            "event": {
                "type": "message",
                "actor": "user",
                "content": [{"type": "text", "text": message.text}],
            },
        });
        self.send("event.create", &payload, Some(Request::Message(message)))
            .await;
    }

    async fn send(&mut self, kind: &str, payload: &Value, request: Option<Request>) {
        self.frames += 1;
        let id = format!("frame-{}", self.frames);
        let frame = json!({"id": id, "type": kind, "payload": payload}).to_string();
        self.log(format!("-> {frame}"));
        if let Some(request) = request {
            self.requests.insert(id, request);
        }
        let socket = self.socket.as_mut().expect("the client is connected");
        within(
            "the server to accept a frame",
            socket.send(Packet::text(frame)),
        )
        .await
        .unwrap();
    }

    async fn read(&mut self, registry: &mut Registry) -> Result<(), Disconnected> {
        let socket = self.socket.as_mut().ok_or(Disconnected)?;
        let frame: Value = match socket.next().await {
            Some(Ok(Packet::Text(text))) => serde_json::from_str(&text).unwrap(),
            Some(Ok(Packet::Ping(_))) => return Ok(()),
            _ => return Err(Disconnected),
        };
        self.log(frame.to_string());
        self.take(&frame, registry);
        Ok(())
    }

    fn take(&mut self, frame: &Value, registry: &mut Registry) {
        let payload = &frame["payload"];
        match frame["type"].as_str() {
            Some("ack") => self.take_ack(payload, registry),
            Some("pong") => self.pongs += 1,
            Some("thread.snapshot") => self.take_snapshot(payload, registry),
            Some("thread.upsert") => {
                let thread = &payload["thread"];
                self.can_receive(&thread["id"], registry);
                let organization = thread["organization_id"].as_str();
                let own = self.person.organization();
                self.check(
                    organization == Some(own.as_str()),
                    "a thread of another tenant",
                    thread,
                );
                let id = text(&thread["id"]);
                if self.subscribed.contains(&id) {
                    self.views.entry(id).or_default().thread = thread.clone();
                }
            }
            Some("thread.deleted") => {
                let id = text(&payload["thread_id"]);
                self.can_receive(&payload["thread_id"], registry);
                let is_right = registry
                    .threads
                    .get(&id)
                    .is_none_or(|known| known.is_deleted);
                self.check(is_right, "the thread was not deleted", payload);
                self.forget(&id);
            }
            Some("event.append") => self.take_events(payload, registry),
            Some("event.delta") => {
                self.check(self.person.takes_deltas, "deltas are not enabled", payload);
                if !self.is_earlier_text(payload) {
                    self.view_of(&payload["thread_id"], payload).delta(payload);
                }
            }
            Some("run.upsert") => {
                let run = &payload["run"];
                self.view_of(&run["thread_id"], run).run(run);
            }
            _ => self.fail("an unexpected frame"),
        }
    }

    fn take_ack(&mut self, ack: &Value, registry: &Registry) {
        let request = self.requests.remove(&text(&ack["ack_id"]));
        let is_ok = ack["ok"] == true;
        let thread_id = match &request {
            None => return self.check(is_ok, "rejected", ack),
            Some(Request::Message(message)) => message.thread_id.clone(),
            Some(
                Request::Subscription { thread_id, .. }
                | Request::Leaving(thread_id)
                | Request::Deletion(thread_id)
                | Request::Cancellation(thread_id),
            ) => Some(thread_id.clone()),
        };
        if let Some(Request::Message(message)) = &request
            && ack["error"]["code"] == "CONFLICT"
        {
            self.check(registry.rejects, "rejected", ack);
            let is_it = |kept: &Message| kept.client_event_id == message.client_event_id;
            self.unacked.retain(|kept| !is_it(kept));
            return;
        }
        if !is_ok {
            self.check(ack["error"]["code"] == "NOT_FOUND", "rejected", ack);
            let is_right = match (&thread_id, &request) {
                (Some(id), _) => !registry.can_see(self.person, id),
                // The thread that this message once created has been deleted.
                (None, Some(Request::Message(message))) => {
                    self.repeated.contains(&message.client_event_id)
                }
                (None, _) => false,
            };
            self.check(is_right, "rejected", ack);
        } else if let Some(id) = &thread_id {
            let is_right = registry.can_receive(self.person, id);
            self.check(is_right, "allowed", ack);
        }
        match request {
            Some(Request::Subscription { thread_id, .. }) => {
                self.check(!is_ok, "a subscription is answered by a snapshot", ack);
                if !self.subscribed.contains(&thread_id) {
                    self.views.remove(&thread_id);
                }
            }
            Some(Request::Leaving(id)) => drop(self.subscribed.remove(&id)),
            _ => {}
        }
    }

    fn take_snapshot(&mut self, snapshot: &Value, registry: &Registry) {
        let id = text(&snapshot["thread"]["id"]);
        self.can_receive(&snapshot["thread"]["id"], registry);
        // Answers arrive in the order of the requests, and there is at most one per thread.
        let is_it = |(_, request): &(&String, &Request)| matches!(request, Request::Subscription { thread_id, .. } if *thread_id == id);
        let found = self.requests.iter().find(is_it);
        let Some(frame) = found.map(|(frame, _)| frame.clone()) else {
            self.fail("an unexpected snapshot");
        };
        let Some(Request::Subscription { goes_on, .. }) = self.requests.remove(&frame) else {
            unreachable!("it was found a moment ago");
        };
        let was_subscribed = !self.subscribed.insert(id.clone());
        if goes_on {
            self.resumed.insert(id.clone());
        } else {
            self.resumed.remove(&id);
        }
        self.earlier.remove(&id);
        let view = self.views.entry(id).or_default();
        if !goes_on || snapshot["recovered"] == false {
            *view = ThreadView::default();
        }
        let seen = view.snapshot(snapshot);
        let is_right = was_subscribed || seen.iter().all(|seen| *seen == AppendOutcome::New);
        self.check(is_right, "it has these events already", snapshot);
    }

    fn take_events(&mut self, payload: &Value, registry: &mut Registry) {
        let id = text(&payload["thread_id"]);
        for event in payload["events"].as_array().unwrap() {
            let client_event_id = event["client_event_id"].as_str().unwrap_or_default();
            let is_own = client_event_id.starts_with(&format!("{}.", self.name));
            if is_own {
                registry.record_writer(&id, self.person);
                if self.subscribed.insert(id.clone()) {
                    // The sender of a message is subscribed from that event on.
                    self.views.insert(id.clone(), ThreadView::default());
                }
            }
            self.can_receive(&payload["thread_id"], registry);
            let is_repeated = self.repeated.contains(client_event_id);
            let view = self.view_of(&payload["thread_id"], event);
            let seq_of = |event: &Value| event["seq"].as_u64();
            let begins = view.events.first().and_then(seq_of);
            let ends = view.events.last().and_then(seq_of);
            let is_known = view.events.iter().any(|shown| shown["id"] == event["id"]);
            if is_own && is_repeated && seq_of(event) < begins {
                // A repeated event before the start of the view. It is sent only because the client
                // repeated its message.
                continue;
            }
            if is_streaming_text(event)
                && !is_known
                && self.resumed.contains(&id)
                && seq_of(event) < begins
            {
                // A resumed subscription sends streaming texts that are older than the last known
                // event. The client never received the part of the thread that contains this one.
                self.earlier
                    .entry(id.clone())
                    .or_default()
                    .insert(text(&event["id"]));
                continue;
            }
            let is_next = ends.is_none() || seq_of(event) == ends.map(|seq| seq + 1);
            if !is_known && !is_next {
                self.fail(&format!("out of order: {event}"));
            }
            match self.view_of(&payload["thread_id"], event).append(event) {
                AppendOutcome::New => {}
                AppendOutcome::Same if is_own && is_repeated => {}
                // On subscribe and on resume, the current state of a streaming text and its end are
                // sent even if they are known.
                AppendOutcome::Changed | AppendOutcome::Shortened | AppendOutcome::Same
                    if is_streaming_text(event) => {}
                seen => self.fail(&format!("repeated event ({seen:?}): {event}")),
            }
        }
    }

    fn view_of(&mut self, thread_id: &Value, what: &Value) -> &mut ThreadView {
        let id = text(thread_id);
        self.check(self.subscribed.contains(&id), "not subscribed", what);
        self.views.entry(id).or_default()
    }

    /// Returns true if this is a piece of a streaming text before the start of the view.
    fn is_earlier_text(&self, delta: &Value) -> bool {
        let earlier = self.earlier.get(&text(&delta["thread_id"]));
        earlier.is_some_and(|events| events.contains(&text(&delta["event_id"])))
    }

    fn forget(&mut self, thread_id: &str) {
        self.subscribed.remove(thread_id);
        self.views.remove(thread_id);
    }

    fn can_receive(&self, thread_id: &Value, registry: &Registry) {
        let is_right = registry.can_receive(self.person, &text(thread_id));
        self.check(is_right, "this thread is not visible to it", thread_id);
    }

    fn log(&mut self, line: String) {
        if self.seen.len() == SHOWN {
            self.seen.pop_front();
        }
        self.seen.push_back(line);
    }

    #[track_caller]
    pub(crate) fn check(&self, is_right: bool, why: &str, what: &Value) {
        if !is_right {
            self.fail(&format!("{why}: {what}"));
        }
    }

    /// Fails the test and prints the recent frames.
    #[track_caller]
    pub(crate) fn fail(&self, why: &str) -> ! {
        let mut story = format!("{} ({:?}): {why}\nseen until then:", self.name, self.person);
        for line in &self.seen {
            story += "\n  ";
            story.extend(line.chars().take(500));
        }
        panic!("{story}");
    }
}

/// Returns true if the event is or was a streaming text.
fn is_streaming_text(event: &Value) -> bool {
    event["streaming"] == true || event["finalized"] == true
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
