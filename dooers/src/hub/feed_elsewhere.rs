//! The texts in the feed of a thread that other nodes stream.
//!
//! Each subscription records which part of a text its client has. A client therefore receives the rest of the text exactly
//! once, whether the rest comes from a piece or from the store.

use super::feed::Feed;
use super::frame::Frame;
use super::shown_text::{ReadTexts, ShownText, ShownTexts};
use super::text_elsewhere::{TextElsewhere, TextLookUp};
use crate::broker::TextPiece;
use crate::protocol::ThreadEvent;
use std::cell::LazyCell;
use tokio::time::Instant;

/// Maximum number of texts of one thread that other nodes stream.
const MOST_TEXTS: usize = 256;

impl Feed {
    /// Makes every subscriber continue from the store, if one of them lacks this change, with which another node has begun a
    /// text.
    pub(super) fn begun_elsewhere(&mut self, rev: u64) {
        // Connections that are reading the thread find the change, or it is announced separately.
        let mut live = self.live.values();
        if live.any(|subscription| subscription.position.rev < rev) {
            self.resync();
        }
    }

    /// Takes a piece of a text that another node streams. Returns the time at which to send the whole text, if a subscriber
    /// needs it.
    pub(super) fn grow_elsewhere(&mut self, piece: &TextPiece) -> Option<Instant> {
        let seq = piece.seq;
        if self.ended.is_some() || self.texts.contains_key(&seq) || !self.may_show(seq) {
            return None;
        }
        if !self.elsewhere.contains_key(&seq) && self.elsewhere.len() >= MOST_TEXTS {
            self.elsewhere.pop_first();
        }
        let text = self.elsewhere.entry(seq);
        let text = text.or_insert_with(|| TextElsewhere::new(&piece.thread_id, &piece.event_id));
        text.grow(piece);
        self.send_elsewhere(seq, true)
    }

    /// Returns true if a subscriber may need the text of this event.
    fn may_show(&self, seq: u64) -> bool {
        let mut live = self.live.values();
        self.joining > 0
            || !self.behind.is_empty()
            || live.any(|subscription| {
                subscription.shown.contains_key(&seq)
                    || subscription.position.last_seq < seq
                    || subscription.has(seq) && subscription.may_lack(seq)
            })
    }

    /// Takes the texts that were read from the store for a connection, and records in `shown` that the connection has them.
    pub(super) fn take_read(&mut self, shown: &mut ShownTexts, read: &ReadTexts) {
        self.close_texts(read);
        for seq in &read.closed {
            shown.remove(seq);
        }
        for event in &read.open {
            match ShownText::of(event) {
                Some(text) if !self.texts.contains_key(&event.seq) => {
                    self.learn(event);
                    shown.insert(event.seq, text);
                }
                _ => {
                    shown.remove(&event.seq);
                }
            }
        }
    }

    /// Ends the texts that have ended according to the store, also if their ends are not announced yet.
    pub(super) fn close_texts(&mut self, read: &ReadTexts) {
        for seq in &read.closed {
            self.elsewhere.remove(seq);
            // Another node has ended a text of this node, which was frozen and still writes it.
            self.texts.remove(seq);
        }
    }

    /// Takes the event of a text that another node streams, as it was read from the store.
    pub(super) fn learn(&mut self, event: &ThreadEvent) {
        if !self.elsewhere.contains_key(&event.seq) && self.elsewhere.len() >= MOST_TEXTS {
            self.elsewhere.pop_first();
        }
        let text = self.elsewhere.entry(event.seq);
        let text = text.or_insert_with(|| TextElsewhere::new(&event.thread_id, &event.id));
        if !text.learn(event) {
            for subscription in self.live.values_mut() {
                if let Some(shown) = subscription.shown.get_mut(&event.seq) {
                    *shown = ShownText::Unsure;
                }
            }
        }
    }

    /// Extends a live subscription to the texts of a page of older events, as they were at this `rev`.
    pub(super) fn extend_back_elsewhere(&mut self, connection_id: u64, rev: u64, read: &ReadTexts) {
        let closed_since = |seq| {
            let mut recent = self.recent.iter().filter(|change| change.rev > rev);
            recent.any(|change| change.closed_text() == Some(seq))
        };
        let mut open = read.open.clone();
        open.retain(|event| !self.texts.contains_key(&event.seq) && !closed_since(event.seq));
        open.iter().for_each(|event| self.learn(event));
        if let Some(subscription) = self.live.get_mut(&connection_id) {
            for seq in &read.closed {
                subscription.shown.remove(seq);
            }
            let seqs = open.iter().map(|event| event.seq);
            // The page may have replaced a later state of the text, or not.
            let unsure = seqs.map(|seq| (seq, ShownText::Unsure));
            subscription.shown.extend(unsure);
        }
        for event in open {
            self.send_elsewhere(event.seq, false);
        }
    }

    /// Removes the texts that no subscriber needs any more.
    pub(super) fn tidy_elsewhere(&mut self) {
        if self.elsewhere.is_empty() {
            return;
        }
        let mut texts = std::mem::take(&mut self.elsewhere);
        texts.retain(|seq, _| self.may_show(*seq));
        self.elsewhere = texts;
    }

    /// Sends a new subscriber the parts of texts that it lacks.
    pub(super) fn bring_up_elsewhere(&mut self, connection_id: u64) {
        for text in self.elsewhere.values_mut() {
            text.uncheck(connection_id);
        }
        let seqs: Vec<_> = self.elsewhere.keys().copied().collect();
        for seq in seqs {
            self.send_elsewhere(seq, false);
        }
    }

    /// Sends the known part of a text to the subscribers that lack it. Subscribers that do not take pieces are sent the whole
    /// text at its pace. Returns the time at which to send it, if it is too early now.
    pub(super) fn send_elsewhere(&mut self, seq: u64, is_paced: bool) -> Option<Instant> {
        let text = self.elsewhere.get_mut(&seq)?;
        let length = text.known().len();
        let whole = LazyCell::new(|| text.whole_frame());
        // Most subscribers have the same part, so they share a frame.
        let mut latest: Option<(ShownText, Frame)> = None;
        let mut others_lag = false;
        self.live.retain(|_, subscription| {
            let Some(shown) = subscription.shown.get(&seq).copied() else {
                return true;
            };
            if !shown.lags(length) {
                return true;
            }
            if !subscription.connection.takes_deltas() {
                others_lag = true;
                return true;
            }
            if latest.as_ref().is_none_or(|(of, _)| *of != shown) {
                let frame = match shown {
                    ShownText::Exactly { bytes, delta_seq } => text.delta_frame(bytes, delta_seq),
                    ShownText::Unsure => whole.as_ref().map(|(frame, _)| frame.clone()),
                };
                latest = frame.map(|frame| (shown, frame));
            }
            let Some((_, frame)) = &latest else {
                return true;
            };
            let has_room = subscription.connection.outbound().offer(frame);
            if has_room {
                let delta_seq = match shown {
                    ShownText::Exactly { delta_seq, .. } => delta_seq + 1,
                    ShownText::Unsure => whole.as_ref().map_or(0, |(_, delta_seq)| *delta_seq),
                };
                let bytes = length;
                let shown = ShownText::Exactly { bytes, delta_seq };
                subscription.shown.insert(seq, shown);
            } else {
                subscription.fall_behind(&mut self.behind);
            }
            has_room
        });
        if others_lag {
            if is_paced && let Err(again) = self.elsewhere.get_mut(&seq)?.pace.may_send() {
                return again;
            }
            self.send_whole_elsewhere(seq);
        }
        None
    }

    /// Sends the whole of a text to subscribers that do not take pieces and lack a part of it.
    pub(super) fn send_whole_elsewhere(&mut self, seq: u64) {
        let Some(text) = self.elsewhere.get_mut(&seq) else {
            return;
        };
        let Some((frame, delta_seq)) = text.whole_frame() else {
            return;
        };
        text.pace.sends(frame.len());
        let text = &*text;
        let bytes = text.known().len();
        self.live.retain(|_, subscription| {
            let shown = subscription.shown.get(&seq);
            if subscription.connection.takes_deltas() || !shown.is_some_and(|it| it.lags(bytes)) {
                return true;
            }
            let outbound = subscription.connection.outbound();
            let has_room = outbound.offer_instead(text.event_id(), &frame);
            if has_room {
                let shown = ShownText::Exactly { bytes, delta_seq };
                subscription.shown.insert(seq, shown);
            } else {
                subscription.fall_behind(&mut self.behind);
            }
            has_room
        });
    }

    /// Begins to read the event of a text from the store, if a subscriber needs it.
    pub(super) fn look_up(&mut self, seq: u64) -> Option<TextLookUp> {
        let text = self.elsewhere.get(&seq)?;
        let is_needed = text.needs_event();
        self.look_up_if(seq, is_needed)
    }

    /// Begins to read the events of texts of which no piece has arrived since the last call.
    pub(super) fn look_up_quiet(&mut self) -> Vec<TextLookUp> {
        let mut quiet = Vec::new();
        for (seq, text) in &mut self.elsewhere {
            if text.compare() {
                quiet.push(*seq);
            }
        }
        let look_ups = quiet.into_iter().map(|seq| self.look_up_if(seq, true));
        look_ups.flatten().collect()
    }

    fn look_up_if(&mut self, seq: u64, is_needed: bool) -> Option<TextLookUp> {
        let text = self.elsewhere.get_mut(&seq)?;
        if !text.may_be_looked_up() {
            return None;
        }
        let (mut scope, mut is_shown) = (None, false);
        // The clients that resumed behind the event. Whether they still need the text is only known from the store.
        let mut unsure = Vec::new();
        for (id, subscription) in &self.live {
            if subscription.shown.contains_key(&seq) {
                is_shown = true;
            } else if subscription.has(seq) && subscription.may_lack(seq) {
                if text.is_checked_for(*id) {
                    continue;
                }
                unsure.push(*id);
            } else {
                continue;
            }
            scope = scope.or_else(|| subscription.connection.scope());
        }
        if unsure.is_empty() && !(is_shown && is_needed) {
            return None;
        }
        Some(text.begin_look_up(scope?.of_everyone(), seq, unsure))
    }

    /// Takes the result of a look-up. `None` stands for an event that no longer exists. Returns the time at which to send the
    /// whole text, if a subscriber needs it.
    pub(super) fn looked_up(
        &mut self,
        look_up: &TextLookUp,
        event: Option<&ThreadEvent>,
    ) -> Option<Instant> {
        let seq = look_up.seq;
        let text = self.elsewhere.get_mut(&seq)?;
        if !text.end_look_up(look_up) {
            return None;
        }
        let event = event.filter(|event| ShownText::of(event).is_some() && event.seq == seq);
        let Some(event) = event else {
            text.close();
            for subscription in self.live.values_mut() {
                subscription.shown.remove(&seq);
            }
            return None;
        };
        self.learn(event);
        let text = self.elsewhere.get(&seq)?;
        for (id, subscription) in &mut self.live {
            if text.is_checked_for(*id) && subscription.has(seq) && subscription.may_lack(seq) {
                let shown = subscription.shown.entry(seq);
                shown.or_insert(ShownText::Unsure);
            }
        }
        self.send_elsewhere(seq, true)
    }

    /// Permits another look-up after one that failed.
    pub(super) fn look_up_failed(&mut self, look_up: &TextLookUp) {
        if let Some(text) = self.elsewhere.get_mut(&look_up.seq)
            && text.end_look_up(look_up)
        {
            text.forget_look_up();
        }
    }
}
