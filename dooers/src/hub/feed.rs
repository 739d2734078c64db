//! The feed of a thread: its live changes and their subscribers.

use super::connection::Connection;
use super::frame::{Frame, Update};
use super::shown_text::{ReadTexts, ShownText, ShownTexts};
use super::text::Text;
use super::text_elsewhere::TextElsewhere;
use crate::shrink::shrink;
use crate::store::{Change, ChangeBody, Position};
use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use tokio::time::Instant;

/// A change, in one frame for all subscribers.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) rev: u64,
    pub(super) frame: Frame,
    /// The `seq` of the event, if the change is an event.
    pub(super) seq: Option<u64>,
    /// The part of the text that the event contains, if its text grows.
    text: Option<ShownText>,
}

impl Published {
    /// The frame of a change. `sender` is the user whose message caused it.
    pub(super) fn new(change: Change, sender: Option<Arc<str>>) -> Self {
        let event = match &change.body {
            ChangeBody::Event(event) => Some(event),
            ChangeBody::Thread(_) | ChangeBody::Run(_) | ChangeBody::Deleted(_) => None,
        };
        Self {
            rev: change.rev,
            seq: event.map(|event| event.seq),
            text: event.and_then(|event| ShownText::of(event)),
            frame: Frame::from(Update::Change(change, sender)),
        }
    }

    /// The `seq` of the event, if its text does not grow any more.
    pub(super) fn closed_text(&self) -> Option<u64> {
        self.seq.filter(|_| self.text.is_none())
    }
}

/// A connection that receives a thread's changes, and the position up to which it has them.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) connection: Arc<Connection>,
    pub(super) thread_id: String,
    pub(super) position: Position,
    /// The unfinished texts of other nodes that the client has. Those of this node are sent to every subscriber alike.
    pub(super) shown: ShownTexts,
}

impl Subscription {
    /// Sends the next change of the thread. Returns `false` if the connection's queue is full.
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
            match change.text {
                Some(text) => self.shown.insert(seq, text),
                None => self.shown.remove(&seq),
            };
        } else if !self.connection.outbound().offer(&change.frame) {
            return false;
        }
        position.rev = change.rev;
        true
    }
}

impl Subscription {
    /// Returns true if the connection was sent the event with this `seq`.
    pub(super) fn has(&self, seq: u64) -> bool {
        (self.position.first_seq..=self.position.last_seq).contains(&seq)
    }

    /// Returns true if the connection may lack the event with this `seq` although its client named a later one.
    pub(super) fn may_lack(&self, seq: u64) -> bool {
        seq < self.position.sent_from
    }

    /// Sends the whole streamed text so far. It replaces the text that the connection has.
    fn send_whole(&self, text: &Text) {
        if self.has(text.seq())
            && let Some(frame) = text.whole_frame()
        {
            let outbound = self.connection.outbound();
            outbound.push_replaceable(text.event_id(), frame);
        }
    }

    /// Makes the connection continue from the store.
    pub(super) fn fall_behind(&mut self, behind: &mut HashSet<u64>) {
        behind.insert(self.connection.id());
        let shown = std::mem::take(&mut self.shown);
        self.connection
            .fall_behind(&self.thread_id, self.position.clone(), shown);
    }

    /// Ends the subscription. `rev` is the last change of the deleted thread.
    fn end(mut self, rev: u64, behind: &mut HashSet<u64>) {
        if self.position.rev < rev {
            self.fall_behind(behind);
        } else {
            self.connection.forget(&self.thread_id);
        }
    }
}

/// The live changes of one thread.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The `rev` of the next change. `None` until a subscriber has read the thread.
    pub(super) next: Option<u64>,
    /// Changes that arrived early.
    early: BTreeMap<u64, Published>,
    pub(super) live: HashMap<u64, Subscription>,
    /// The connections that have fallen behind. They will read the thread and subscribe again.
    pub(super) behind: HashSet<u64>,
    /// The number of connections that are reading the thread in order to subscribe.
    pub(super) joining: usize,
    /// Changes that were delivered in the meantime.
    pub(super) recent: Vec<Published>,
    /// The `rev` of the change that deleted the thread.
    pub(super) ended: Option<u64>,
    /// The number of operations that are storing changes of the thread.
    writing: usize,
    /// The `rev` of the newest row that was sent to connections without a subscription.
    row_rev: u64,
    /// The streamed texts, by the `seq` of their events.
    pub(super) texts: BTreeMap<u64, Text>,
    /// The texts that other nodes stream, in the same way.
    pub(super) elsewhere: BTreeMap<u64, TextElsewhere>,
    /// The `rev` that another node announced last.
    announced: Option<u64>,
    /// The number of times that all subscribers had to continue from the store.
    resync: u64,
}

impl Feed {
    /// Registers a connection that starts to read the thread. Pass the result to [`subscribe`](Self::subscribe).
    pub(super) fn begin_subscribing(&mut self) -> u64 {
        self.joining += 1;
        self.resync
    }

    pub(super) fn end_subscribing(&mut self) {
        self.joining -= 1;
        if self.joining == 0 {
            self.recent = Vec::new();
        }
        self.tidy_elsewhere();
    }

    pub(super) fn begin_writing(&mut self) {
        self.writing += 1;
    }

    pub(super) fn end_writing(&mut self) {
        self.writing -= 1;
    }

    /// Returns true if this row is newer than all rows that were sent. Writers can overtake each other between the store and
    /// the hub.
    pub(super) fn is_newest_row(&mut self, rev: u64) -> bool {
        let is_newest = rev > self.row_rev;
        self.row_rev = self.row_rev.max(rev);
        is_newest
    }

    /// Returns true if a row of the thread was sent while the feed existed. A feed of a thread that does not exist never
    /// sends a row.
    pub(super) fn has_sent_row(&self) -> bool {
        self.row_rev > 0
    }

    /// Returns true if the feed has no subscribers, no writers and no streamed texts.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_listeners()
            && self.behind.is_empty()
            && self.writing == 0
            && self.texts.is_empty()
    }

    fn has_listeners(&self) -> bool {
        !self.live.is_empty() || self.joining > 0
    }

    pub(super) fn remove(&mut self, connection_id: u64) {
        self.live.remove(&connection_id);
        self.behind.remove(&connection_id);
        shrink(&mut self.live);
        self.tidy_elsewhere();
    }

    /// Ends the feed: this change deleted the thread. Subscribers that still wait for an earlier change find out from the store.
    pub(super) fn end(&mut self, rev: u64) {
        self.ended = Some(rev);
        self.elsewhere.clear();
        for subscription in self.take_all() {
            subscription.end(rev, &mut self.behind);
        }
    }

    fn take_all(&mut self) -> Vec<Subscription> {
        std::mem::take(&mut self.live).into_values().collect()
    }

    /// The `seq` of the last event that a live subscriber was sent.
    pub(super) fn last_seq_of(&self, connection_id: u64) -> Option<u64> {
        Some(self.live.get(&connection_id)?.position.last_seq)
    }

    /// The last change that a live subscriber was sent.
    pub(super) fn rev_of(&self, connection_id: u64) -> Option<u64> {
        Some(self.live.get(&connection_id)?.position.rev)
    }

    /// Extends a live subscription to older events that were sent as they were at this `rev`, with these texts, and sends their
    /// edits since. Returns `false` if the subscription is not live.
    pub(super) fn extend_back(
        &mut self,
        connection_id: u64,
        first_seq: u64,
        rev: u64,
        read: &ReadTexts,
    ) -> bool {
        self.close_texts(read);
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
        // The stored text of an event is behind the text that was published.
        for text in self.texts.range(first_seq..).map(|(_, text)| text) {
            subscription.send_whole(text);
        }
        self.extend_back_elsewhere(connection_id, rev, read);
        true
    }

    /// Takes a change. Delivers it and the changes that waited for it, in order.
    pub(super) fn publish(&mut self, change: Published) {
        if self.ended.is_some() || !self.has_listeners() {
            // Later subscribers read the change from the store.
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

    /// The `rev` of the missing change, if other changes wait for it.
    pub(super) fn waits_for(&self) -> Option<u64> {
        self.next.filter(|_| !self.early.is_empty())
    }

    /// If this change is still missing, makes every subscriber continue from the store.
    pub(super) fn give_up_waiting_for(&mut self, rev: u64) {
        if self.waits_for() == Some(rev) {
            self.resync();
        }
    }

    /// Notes that a connection reads the thread in steps, and was sent these texts.
    pub(super) fn lag(&mut self, connection_id: u64, shown: &mut ShownTexts, read: &ReadTexts) {
        self.take_read(shown, read);
        self.behind.insert(connection_id);
    }

    /// Makes every subscriber continue from the store, also those that are reading the thread now.
    pub(super) fn resync(&mut self) {
        self.next = None;
        self.resync += 1;
        for mut subscription in self.take_all() {
            subscription.fall_behind(&mut self.behind);
        }
    }

    /// Makes every subscriber continue from the store, if they were not sent the change with this `rev`, which another node
    /// has made.
    pub(super) fn changed_elsewhere(&mut self, rev: u64) {
        // After the first announcement, all subscribers have read the store or are about to.
        if self.announced.replace(rev) != Some(rev) {
            self.continue_up_to(rev);
        }
    }

    fn continue_up_to(&mut self, rev: u64) {
        let was_sent = self.next.is_some_and(|next| rev < next);
        if !was_sent && self.has_listeners() {
            self.resync();
        }
    }

    /// Makes every subscriber continue from the store, if the thread was deleted or has this later `rev` in the store.
    pub(super) fn compare(&mut self, rev: Option<u64>) {
        // Connections that are reading the thread see the same as the caller.
        if !self.is_live() || self.writing > 0 {
            return;
        }
        match rev {
            Some(rev) => self.continue_up_to(rev),
            None => self.resync(),
        }
    }

    /// Returns true if a connection is subscribed and does not read the store.
    pub(super) fn is_live(&self) -> bool {
        !self.live.is_empty()
    }

    /// Adds a subscriber that has all changes up to its position, with these texts. `reading` is the result of
    /// [`begin_subscribing`](Self::begin_subscribing).
    pub(super) fn subscribe(
        &mut self,
        mut subscription: Subscription,
        reading: u64,
        read: &ReadTexts,
    ) {
        self.take_read(&mut subscription.shown, read);
        if reading != self.resync || !self.brings_up(&mut subscription) {
            subscription.fall_behind(&mut self.behind);
            return;
        }
        if let Some(ended) = self.ended {
            return subscription.end(ended, &mut self.behind);
        }
        let rev = subscription.position.rev;
        let texts = &self.texts;
        subscription.shown.retain(|seq, _| !texts.contains_key(seq));
        self.behind.remove(&subscription.connection.id());
        subscription.connection.catch_up(&subscription.thread_id);
        for text in self.texts.values() {
            subscription.send_whole(text);
        }
        let connection_id = subscription.connection.id();
        self.live.insert(connection_id, subscription);
        if self.next.is_none() {
            self.next = Some(rev + 1);
            self.early = self.early.split_off(&(rev + 1));
            self.deliver_early();
        }
        self.bring_up_elsewhere(connection_id);
    }

    pub(super) fn begin_text(&mut self, text: Text) {
        self.elsewhere.remove(&text.seq());
        for subscription in self.live.values_mut() {
            subscription.shown.remove(&text.seq());
        }
        self.texts.insert(text.seq(), text);
    }

    pub(super) fn end_text(&mut self, seq: u64) {
        self.texts.remove(&seq);
    }

    /// Publishes the next piece of a streamed text. Returns the time at which to send the whole text, if a subscriber needs it.
    pub(super) fn grow(&mut self, seq: u64, piece: &str) -> Option<Instant> {
        self.texts.get_mut(&seq)?.grow(piece);
        self.send_pieces();
        let is_for_others = |subscription: &Subscription| {
            subscription.has(seq) && !subscription.connection.takes_deltas()
        };
        if !self.live.values().any(is_for_others) {
            return None;
        }
        match self.texts.get_mut(&seq)?.pace.may_send() {
            Ok(()) => self.send_whole(seq),
            Err(again) => return again,
        }
        None
    }

    /// The published part of a streamed text, and the number of its next piece.
    pub(super) fn sent(&self, seq: u64) -> (String, u64) {
        let (text, delta_seq) = self.texts.get(&seq).map(Text::sent).unwrap_or_default();
        (text.to_owned(), delta_seq)
    }

    /// Publishes pending pieces of the texts whose events were published.
    fn send_pieces(&mut self) {
        let (next, has_listeners) = (self.next, self.has_listeners());
        let (early, live, behind) = (&self.early, &mut self.live, &mut self.behind);
        let is_published = |rev: u64| match next {
            Some(next) => rev < next,
            // Connections that are subscribing have read the event, unless it is held for them.
            None => !has_listeners || !early.contains_key(&rev),
        };
        for text in self.texts.values_mut() {
            if !is_published(text.rev) {
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
                // On reconnect the connection was sent the texts of which pieces had been published. This text starts now.
                let is_first = delta_seq == 0 && subscription.may_lack(text.seq());
                let whole = is_first.then(|| whole.as_ref()).flatten();
                let frame = whole.unwrap_or_else(|| &*delta);
                let has_room = subscription.connection.outbound().offer(frame);
                if !has_room {
                    subscription.fall_behind(behind);
                }
                has_room
            });
        }
    }

    /// Sends a whole text to subscribers that do not take pieces.
    pub(super) fn send_whole(&mut self, seq: u64) {
        let Some(text) = self.texts.get_mut(&seq) else {
            return;
        };
        let Some(frame) = text.whole_frame() else {
            return;
        };
        text.pace.sends(frame.len());
        let text = &*text;
        self.live.retain(|_, subscription| {
            if !subscription.has(seq) || subscription.connection.takes_deltas() {
                return true;
            }
            let outbound = subscription.connection.outbound();
            let has_room = outbound.offer_instead(text.event_id(), &frame);
            if !has_room {
                subscription.fall_behind(&mut self.behind);
            }
            has_room
        });
    }

    /// Sends a new subscriber the changes that were delivered while it read. Returns `false` if it must continue from the store:
    /// its queue is full, or changes are missing, because another subscriber had read a later state.
    fn brings_up(&mut self, subscription: &mut Subscription) -> bool {
        for change in &self.recent {
            if change.rev > subscription.position.rev + 1 || !subscription.deliver(change) {
                return false;
            }
            if let Some(seq) = change.closed_text() {
                // The store may have been read before the end of the text.
                self.elsewhere.remove(&seq);
            }
        }
        self.next
            .is_none_or(|next| next <= subscription.position.rev + 1)
    }

    /// Delivers held changes that are next, and then pending pieces of texts whose events were held.
    fn deliver_early(&mut self) {
        while let Some(next) = self.next
            && let Some(change) = self.early.remove(&next)
        {
            self.deliver(change);
        }
        self.send_pieces();
    }

    fn deliver(&mut self, change: Published) {
        self.next = Some(change.rev + 1);
        if let Some(seq) = change.closed_text() {
            self.elsewhere.remove(&seq);
        }
        self.live.retain(|_, subscription| {
            let has_room = subscription.deliver(&change);
            if !has_room {
                subscription.fall_behind(&mut self.behind);
            }
            has_room
        });
        if self.joining > 0 {
            self.recent.push(change);
        }
    }
}
