//! The live changes of one thread, and who gets them.

use super::connection::Connection;
use super::frame_of;
use super::outbound::Frame;
use super::text::Text;
use crate::shrink::shrink;
use crate::store::{Change, ChangeBody, Position};
use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::time::Instant;

/// A change, encoded once for all who get it.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) rev: u64,
    pub(super) frame: Frame,
    /// The place of the event, where the change is one.
    seq: Option<u64>,
}

impl Published {
    /// The change, which a message of this user caused, if any.
    pub(super) fn new(change: &Change, sender: Option<&str>) -> Self {
        Self {
            rev: change.rev,
            frame: frame_of(change, sender),
            seq: match &change.body {
                ChangeBody::Event(event) => Some(event.seq),
                ChangeBody::Thread(_) | ChangeBody::Run(_) | ChangeBody::Deleted(_) => None,
            },
        }
    }
}

/// A connection that gets a thread's changes, and how far it is.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) connection: Arc<Connection>,
    pub(super) thread_id: String,
    pub(super) position: Position,
}

impl Subscription {
    /// Sends a change that is next for everybody. `false` if the connection's queue is full.
    fn deliver(&mut self, change: &Published) -> bool {
        let position = &mut self.position;
        if change.rev <= position.rev {
            return true;
        }
        if let Some(seq) = change.seq {
            if seq < position.first_seq {
                // An edit of an event that this connection was never sent.
                position.rev = change.rev;
                return true;
            }
            if !self.connection.outbound().offer(&change.frame) {
                return false;
            }
            position.last_seq = position.last_seq.max(seq);
        } else if !self.connection.outbound().offer(&change.frame) {
            return false;
        }
        position.rev = change.rev;
        true
    }
}

impl Subscription {
    /// Whether the connection was sent the event of this place.
    fn has(&self, seq: u64) -> bool {
        (self.position.first_seq..=self.position.last_seq).contains(&seq)
    }

    /// Whether the connection may lack the event of this place, though it says that it has it.
    fn may_lack(&self, seq: u64) -> bool {
        seq < self.position.sent_from
    }

    /// Sends all of a text that grows, in place of what the connection has of it.
    fn send_whole(&self, text: &Text) {
        if self.has(text.seq())
            && let Some(frame) = text.whole_frame()
        {
            let outbound = self.connection.outbound();
            outbound.push_replaceable(text.event_id(), frame);
        }
    }

    /// It is read on from the store.
    fn fall_behind(&self) {
        self.connection
            .fall_behind(&self.thread_id, self.position.clone());
    }

    /// Ends with its thread, whose last change this is.
    fn end(self, rev: u64) {
        if self.position.rev < rev {
            self.fall_behind();
        } else {
            self.connection.forget(&self.thread_id);
        }
    }
}

/// The live changes of one thread.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The change that comes next; unknown until somebody has read the thread.
    next: Option<u64>,
    /// What came before its turn.
    early: BTreeMap<u64, Published>,
    live: HashMap<u64, Subscription>,
    /// How many are reading the thread to subscribe to it.
    joining: usize,
    /// What was delivered meanwhile.
    recent: Vec<Published>,
    /// The change with which the thread ended.
    ended: Option<u64>,
    /// How many are storing something of the thread and will publish it.
    writing: usize,
    /// The newest row that those were told of who are not subscribed.
    row_rev: u64,
    /// The texts that grow, by the places of their events.
    texts: BTreeMap<u64, Text>,
}

impl Feed {
    pub(super) fn begin_joining(&mut self) {
        self.joining += 1;
    }

    pub(super) fn end_joining(&mut self) {
        self.joining -= 1;
        if self.joining == 0 {
            self.recent = Vec::new();
        }
    }

    pub(super) fn begin_writing(&mut self) {
        self.writing += 1;
    }

    pub(super) fn end_writing(&mut self) {
        self.writing -= 1;
    }

    /// Whether this row is newer than what was told before. Writers overtake each other between the store and here.
    pub(super) fn is_newest_row(&mut self, rev: u64) -> bool {
        let is_newest = rev > self.row_rev;
        self.row_rev = self.row_rev.max(rev);
        is_newest
    }

    /// Whether nobody is here, nobody comes, and nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_listeners() && self.writing == 0 && self.texts.is_empty()
    }

    fn has_listeners(&self) -> bool {
        !self.live.is_empty() || self.joining > 0
    }

    pub(super) fn remove(&mut self, connection_id: u64) {
        self.live.remove(&connection_id);
        shrink(&mut self.live);
    }

    /// The thread is gone, since this change. Who has not been told yet, as something before it is still on its way,
    /// learns it when they ask the store.
    pub(super) fn end(&mut self, rev: u64) {
        self.ended = Some(rev);
        for subscription in self.take_all() {
            subscription.end(rev);
        }
    }

    fn take_all(&mut self) -> Vec<Subscription> {
        std::mem::take(&mut self.live).into_values().collect()
    }

    /// How far a live subscriber was sent the thread.
    pub(super) fn last_seq_of(&self, connection_id: u64) -> Option<u64> {
        Some(self.live.get(&connection_id)?.position.last_seq)
    }

    /// The last change that a live subscriber was sent.
    pub(super) fn rev_of(&self, connection_id: u64) -> Option<u64> {
        Some(self.live.get(&connection_id)?.position.rev)
    }

    /// A live subscriber is sent older events, as they were at this `rev`, and their edits since. `false` if it is not
    /// live.
    pub(super) fn extend_back(&mut self, connection_id: u64, first_seq: u64, rev: u64) -> bool {
        let Some(subscription) = self.live.get_mut(&connection_id) else {
            return false;
        };
        let position = &mut subscription.position;
        let older = first_seq..position.first_seq;
        let passed = rev + 1..=position.rev;
        position.first_seq = position.first_seq.min(first_seq);
        for change in &self.recent {
            let is_of_older = change.seq.is_some_and(|seq| older.contains(&seq));
            if is_of_older && passed.contains(&change.rev) {
                let frame = change.frame.clone();
                subscription.connection.outbound().push(frame);
            }
        }
        // The store is behind what was told of a text that grows.
        for text in self.texts.range(first_seq..).map(|(_, text)| text) {
            subscription.send_whole(text);
        }
        true
    }

    /// Takes a change, and delivers it and all that waited for it, in order.
    pub(super) fn publish(&mut self, change: Published) {
        if self.ended.is_some() || !self.has_listeners() {
            // Who comes later reads it from the store.
            self.next = None;
            self.early.clear();
            return;
        }
        match self.next {
            Some(next) if change.rev < next => {}
            Some(next) if change.rev == next => {
                self.deliver(change);
                self.deliver_early();
            }
            _ => {
                self.early.insert(change.rev, change);
            }
        }
    }

    /// The change that is missing, if any is held for it.
    pub(super) fn waits_for(&self) -> Option<u64> {
        self.next.filter(|_| !self.early.is_empty())
    }

    /// If this change is still missing, every subscriber reads on from the store.
    pub(super) fn give_up_waiting_for(&mut self, rev: u64) {
        if self.waits_for() == Some(rev) {
            self.read_on();
        }
    }

    /// Lets every subscriber read on from the store.
    pub(super) fn read_on(&mut self) {
        self.next = None;
        for subscription in self.take_all() {
            subscription.fall_behind();
        }
    }

    /// Adds a subscriber that has everything up to its position.
    pub(super) fn subscribe(&mut self, mut subscription: Subscription) {
        if !self.brings_up(&mut subscription) {
            subscription.fall_behind();
            return;
        }
        if let Some(ended) = self.ended {
            return subscription.end(ended);
        }
        let rev = subscription.position.rev;
        subscription.connection.catch_up(&subscription.thread_id);
        for text in self.texts.values() {
            subscription.send_whole(text);
        }
        self.live.insert(subscription.connection.id(), subscription);
        if self.next.is_none() {
            self.next = Some(rev + 1);
            self.early = self.early.split_off(&(rev + 1));
            self.deliver_early();
        }
    }

    pub(super) fn begin_text(&mut self, text: Text) {
        self.texts.insert(text.seq(), text);
    }

    pub(super) fn end_text(&mut self, seq: u64) {
        self.texts.remove(&seq);
    }

    /// Tells the next piece of a text. With it comes when the whole text is to be sent, if somebody gets that.
    pub(super) fn grow(&mut self, seq: u64, piece: &str) -> Option<Instant> {
        self.texts.get_mut(&seq)?.grow(piece);
        self.tell_texts();
        let is_for_others = |subscription: &Subscription| {
            subscription.has(seq) && !subscription.connection.takes_deltas()
        };
        if !self.live.values().any(is_for_others) {
            return None;
        }
        match self.texts.get_mut(&seq)?.may_send_whole() {
            Ok(()) => self.send_whole(seq),
            Err(again) => return again,
        }
        None
    }

    pub(super) fn told(&self, seq: u64) -> (String, u64) {
        let told = self.texts.get(&seq).map(Text::told).unwrap_or_default();
        (told.0.to_owned(), told.1)
    }

    /// Tells what has come of the texts whose events are told.
    fn tell_texts(&mut self) {
        let (next, has_listeners) = (self.next, self.has_listeners());
        let (early, live) = (&self.early, &mut self.live);
        let is_told = |rev: u64| match next {
            Some(next) => rev < next,
            // Whoever is coming has read it, unless it is held for them.
            None => !has_listeners || !early.contains_key(&rev),
        };
        for text in self.texts.values_mut() {
            if !is_told(text.rev) {
                continue;
            }
            let Some((piece, delta_seq)) = text.next_piece() else {
                continue;
            };
            let delta = LazyCell::new(|| text.delta_frame(&piece, delta_seq));
            let whole = LazyCell::new(|| text.whole_frame());
            live.retain(|_, subscription| {
                if !subscription.has(text.seq()) || !subscription.connection.takes_deltas() {
                    return true;
                }
                // When it came back it was sent the texts of which something had been told; this one begins now.
                let is_first = delta_seq == 0 && subscription.may_lack(text.seq());
                let whole = is_first.then(|| whole.as_ref()).flatten();
                let frame = whole.unwrap_or_else(|| &*delta);
                let has_room = subscription.connection.outbound().offer(frame);
                if !has_room {
                    subscription.fall_behind();
                }
                has_room
            });
        }
    }

    /// Sends all of a text to those who do not take it piece by piece.
    pub(super) fn send_whole(&mut self, seq: u64) {
        let Some(text) = self.texts.get_mut(&seq) else {
            return;
        };
        let Some(frame) = text.whole_frame() else {
            return;
        };
        text.sends_whole(frame.len());
        let text = &*text;
        self.live.retain(|_, subscription| {
            if !subscription.has(seq) || subscription.connection.takes_deltas() {
                return true;
            }
            let outbound = subscription.connection.outbound();
            let has_room = outbound.offer_instead(text.event_id(), &frame);
            if !has_room {
                subscription.fall_behind();
            }
            has_room
        });
    }

    /// Sends a new subscriber what was delivered while it read. `false` if it must read on from the store: there is no
    /// room, or something is missing between what it read and what comes next, because another one that settled
    /// before had read more.
    fn brings_up(&self, subscription: &mut Subscription) -> bool {
        for change in &self.recent {
            if change.rev > subscription.position.rev + 1 || !subscription.deliver(change) {
                return false;
            }
        }
        self.next
            .is_none_or(|next| next <= subscription.position.rev + 1)
    }

    /// Delivers what was held and is next, and then what has come of texts whose events were held.
    fn deliver_early(&mut self) {
        while let Some(next) = self.next
            && let Some(change) = self.early.remove(&next)
        {
            self.deliver(change);
        }
        self.tell_texts();
    }

    fn deliver(&mut self, change: Published) {
        self.next = Some(change.rev + 1);
        self.live.retain(|_, subscription| {
            let has_room = subscription.deliver(&change);
            if !has_room {
                subscription.fall_behind();
            }
            has_room
        });
        if self.joining > 0 {
            self.recent.push(change);
        }
    }
}
