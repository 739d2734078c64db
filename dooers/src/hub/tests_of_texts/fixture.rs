//! A store, the node that streams a text, and clients of another node.

use crate::broker::TextPiece;
use crate::hub::Hub;
use crate::hub::connection::{Backlog, Connection};
use crate::hub::frame::{Frame, Update};
use crate::hub::outbound::OutboundLimits;
use crate::hub::pending_subscription::PendingSubscription;
use crate::hub::tests::{ROOMY, backlog, connection, event};
use crate::protocol::{ContentPart, ThreadEvent};
use crate::store::{Change, ChangeBody, Position, StoreError};
use futures::FutureExt;
use serde_json::{Value, json};
use std::sync::Arc;

/// The text that the other node streams. Its characters have different lengths.
pub(super) const TEXT: &str = "The 🦀 walks over the café's terrace, naïve as ever, and says „hello“ to €veryone it meets there.";

/// The `seq` of the text's event. Its `rev` is the same at first.
pub(super) const SEQ: u64 = 2;

pub(super) const SLOW: OutboundLimits = OutboundLimits {
    frames: 2,
    bytes: 10_000,
};

/// The store, and the node that streams the text.
pub(super) struct Elsewhere {
    pub(super) rev: u64,
    /// The changes that are not of the text: the events at 1 and, after a time, 3.
    pub(super) others: Vec<Change>,
    /// The event of the text, and its `rev`. `None` until the text begins.
    pub(super) text: Option<(ThreadEvent, u64)>,
    pub(super) pieces: TextPiece,
    pub(super) delta_seq: u64,
}

impl Elsewhere {
    pub(super) fn new() -> Self {
        let ChangeBody::Event(begun) = event(SEQ, SEQ).body else {
            unreachable!()
        };
        Self {
            rev: 1,
            others: vec![event(1, 1)],
            text: None,
            pieces: TextPiece::begin(&begun, SEQ),
            delta_seq: 0,
        }
    }

    pub(super) fn begin(&mut self) {
        let ChangeBody::Event(begun) = event(SEQ, SEQ).body else {
            unreachable!()
        };
        let begun = ThreadEvent {
            content: Some(vec![ContentPart::text("")]),
            streaming: Some(true),
            delta_seq: Some(0),
            ..*begun
        };
        self.rev = SEQ;
        self.text = Some((begun, SEQ));
    }

    pub(super) fn is_open(&self) -> bool {
        let text = self.text.as_ref();
        text.is_some_and(|(event, _)| event.streaming == Some(true))
    }

    /// The number of bytes that were streamed.
    pub(super) fn sent(&self) -> usize {
        self.pieces.from
    }

    /// Streams the next piece.
    pub(super) fn piece(&mut self, characters: usize) -> TextPiece {
        let rest = &TEXT[self.sent()..];
        let end = rest.char_indices().nth(characters);
        let piece = &rest[..end.map_or(rest.len(), |(at, _)| at)];
        self.delta_seq += 1;
        self.pieces.next(piece.to_owned())
    }

    /// Stores the text so far, and announces it.
    pub(super) fn store(&mut self) -> TextPiece {
        let sent = self.sent();
        let (event, _) = self.text.as_mut().unwrap();
        event.content = Some(vec![ContentPart::text(&TEXT[..sent])]);
        event.delta_seq = Some(self.delta_seq);
        self.pieces.stored = sent;
        self.pieces.clone()
    }

    /// Ends the text. If the node died, the text ends as it was last stored.
    pub(super) fn end(&mut self, has_died: bool) -> Change {
        if !has_died {
            self.store();
        }
        self.rev += 1;
        let rev = self.rev;
        let (event, of) = self.text.as_mut().unwrap();
        event.streaming = None;
        event.finalized = Some(true);
        event.delta_seq = None;
        *of = rev;
        Change::of_event(event.clone(), rev)
    }

    /// Stores another event.
    pub(super) fn other(&mut self) {
        self.rev += 1;
        self.others.push(event(self.rev, self.rev));
    }

    /// The changes above a `rev`.
    pub(super) fn changes(&self, rev: u64) -> Vec<Change> {
        let text = self.text.iter();
        let text = text.map(|(event, rev)| Change::of_event(event.clone(), *rev));
        let mut changes: Vec<_> = self.others.iter().cloned().chain(text).collect();
        changes.retain(|change| change.rev > rev);
        changes.sort_by_key(|change| change.rev);
        changes
    }

    pub(super) fn read(&self) -> Result<ThreadEvent, StoreError> {
        Ok(self.text.as_ref().unwrap().0.clone())
    }

    /// The position of a reader of everything.
    pub(super) fn position(&self) -> Position {
        Position {
            first_seq: 1,
            last_seq: self.last_seq(),
            sent_from: 1,
            rev: self.rev,
            known: None,
        }
    }

    pub(super) fn last_seq(&self) -> u64 {
        let changes = self.changes(0).into_iter();
        let seqs = changes.map(|change| match change.body {
            ChangeBody::Event(event) => event.seq,
            _ => 0,
        });
        seqs.max().unwrap_or(0)
    }
}

/// The text as a client shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) next: u64,
    pub(super) is_open: bool,
}

/// A read of the store for a client.
pub(super) struct Reading {
    pub(super) join: PendingSubscription,
    pub(super) frames: Vec<Frame>,
    pub(super) events: Vec<ThreadEvent>,
    pub(super) position: Position,
    /// True if the client subscribes again.
    pub(super) is_new: bool,
}

pub(super) struct Client {
    pub(super) connection: Arc<Connection>,
    pub(super) shown: Option<Shown>,
    pub(super) reading: Option<Reading>,
    pub(super) is_subscribed: bool,
}

impl Client {
    pub(super) fn new(hub: &Hub, takes_deltas: bool, limits: OutboundLimits) -> Self {
        let connection = connection(hub, limits);
        connection.set_takes_deltas(takes_deltas);
        Self {
            connection,
            shown: None,
            reading: None,
            is_subscribed: false,
        }
    }

    /// Begins to read the thread as a new subscriber. A client that resumes keeps what it has.
    pub(super) fn subscribe(&mut self, hub: &Hub, store: &Elsewhere, resumes: bool) {
        let join = hub.subscribe(&self.connection, "t");
        let mut position = store.position();
        let mut changes = store.changes(0);
        if resumes {
            position.sent_from = position.last_seq + 1;
            // Only a change that the client may lack.
            changes.retain(|change| change.rev > position.last_seq);
        }
        let events: Vec<_> = changes.into_iter().map(event_of).collect();
        let frame = json!({"type": "thread.snapshot", "payload": {"events": events}});
        self.reading = Some(Reading {
            join,
            frames: vec![Frame::from(frame.to_string())],
            events,
            position,
            is_new: true,
        });
        self.is_subscribed = true;
    }

    /// Begins to read the changes that the client missed.
    pub(super) fn catch_up(&mut self, hub: &Hub, store: &Elsewhere) {
        if self.reading.is_some() {
            return;
        }
        let Some(Backlog::Thread(_, position)) = backlog(&self.connection) else {
            return;
        };
        let join = hub.subscribe(&self.connection, "t");
        let changes = store.changes(position.rev).into_iter();
        let frames = changes.map(|change| Frame::from(Update::Change(change, None)));
        self.reading = Some(Reading {
            join,
            frames: frames.collect(),
            events: Vec::new(),
            position: Position {
                rev: store.rev,
                last_seq: store.last_seq(),
                ..position
            },
            is_new: false,
        });
    }

    /// Ends a read. A read in steps continues later.
    pub(super) fn activate(&mut self, hub: &Hub, in_steps: bool) {
        let Some(reading) = self.reading.take() else {
            return;
        };
        if reading.is_new {
            hub.unsubscribe(&self.connection, "t");
        }
        let join = reading.join.with_events(&reading.events);
        if in_steps {
            join.activate_lagging(reading.frames, reading.position);
        } else {
            join.activate(reading.frames, reading.position);
        }
    }

    /// Requests a page that contains the text.
    pub(super) fn page(&mut self, hub: &Hub, store: &Elsewhere) {
        let events: Vec<_> = store.changes(0).into_iter().map(event_of).collect();
        let page = json!({"type": "event.list.result", "payload": {"events": events}});
        let join = hub.subscribe(&self.connection, "t").with_events(&events);
        join.extend_back(Frame::from(page.to_string()), 1, store.rev);
    }

    /// Receives up to `most` bytes of frames. The text must always be a beginning of the whole text.
    pub(super) fn receive(&mut self, most: usize) {
        let mut batch = Vec::new();
        let connection = Arc::clone(&self.connection);
        let outbound = connection.outbound();
        while outbound.take(most, &mut batch).now_or_never().is_some() {
            outbound.sent();
            for frame in std::mem::take(&mut batch) {
                let frame: Value = serde_json::from_str(&frame.into_json()).unwrap();
                self.apply(&frame);
            }
            if most < usize::MAX {
                break;
            }
        }
    }

    pub(super) fn apply(&mut self, frame: &Value) {
        let payload = &frame["payload"];
        if frame["type"] == "event.delta" {
            let shown = self.shown.as_mut().expect("the client has the event");
            assert!(shown.is_open, "{frame} after the end");
            assert_eq!(payload["delta_seq"], shown.next, "{frame} after {shown:?}");
            shown.next += 1;
            shown.text += payload["text"].as_str().unwrap();
        }
        for event in payload["events"].as_array().into_iter().flatten() {
            if event["id"] == "e2" {
                self.shown = Some(Shown {
                    text: event["content"][0]["text"].as_str().unwrap().to_owned(),
                    next: event["delta_seq"].as_u64().unwrap_or(0),
                    is_open: event["streaming"] == true,
                });
            }
        }
        if let Some(shown) = &self.shown {
            assert!(TEXT.starts_with(&shown.text), "{shown:?}");
        }
    }

    pub(super) fn text(&self) -> &str {
        self.shown.as_ref().map_or("", |shown| &shown.text)
    }
}

pub(super) fn event_of(change: Change) -> ThreadEvent {
    match change.body {
        ChangeBody::Event(event) => *event,
        other => panic!("{other:?}"),
    }
}

pub(super) fn unavailable() -> StoreError {
    StoreError::Unavailable {
        what: "reading",
        source: "down".into(),
    }
}

/// A thread whose text has begun, and a client that takes pieces.
pub(super) fn watched() -> (Hub, Elsewhere, Client) {
    let (hub, mut store) = (Hub::default(), Elsewhere::new());
    let mut client = Client::new(&hub, true, ROOMY);
    client.subscribe(&hub, &store, false);
    client.activate(&hub, false);
    store.begin();
    (hub, store, client)
}
