//! A step in which a reader catches up with a thread.

use super::limit::{encoded_len, fitting};
use super::page::{Known, Position};
use super::{Change, ChangeBody};
use std::ops::RangeInclusive;

/// A change that a reader has not got, and its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missed {
    /// The number of the change, or of that which made the event if the event is new to the reader.
    pub(crate) rev: u64,
    /// The place of an event that is new to the reader.
    pub(crate) new: Option<u64>,
    pub(crate) bytes: usize,
}

impl Missed {
    /// An event that is new to the reader, and was made by the change of this number.
    pub(crate) fn new_event(event: &Change, made_by: u64, seq: u64) -> Self {
        Self {
            rev: made_by,
            new: Some(seq),
            bytes: size_of(event),
        }
    }

    /// Any other change.
    pub(crate) fn change(change: &Change) -> Self {
        Self {
            rev: change.rev,
            new: None,
            bytes: size_of(change),
        }
    }
}

fn size_of(change: &Change) -> usize {
    match &change.body {
        ChangeBody::Event(event) => encoded_len(event),
        ChangeBody::Run(run) => encoded_len(run),
        ChangeBody::Thread(record) | ChangeBody::Deleted(record) => encoded_len(&record.thread),
    }
}

/// The part of what a reader has not got that is read at once: what happened up to a change.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    from: &'a Position,
    /// The last new event, or the last one that the reader has.
    pub(crate) end: u64,
    /// The last change, unless the reader has that already.
    rev: u64,
    /// Whether the reader has all then.
    pub(crate) is_complete: bool,
    /// The last change, if a limit ends the step.
    cut: Option<u64>,
}

/// A thread, as far as a step depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// The place of its last event.
    pub(crate) last_seq: u64,
    /// The number of its last change.
    pub(crate) rev: u64,
}

impl<'a> Step<'a> {
    /// The place up to which a step goes that has this many new events.
    pub(crate) fn end(from: &Position, thread: Extent, items: usize) -> u64 {
        let end = from.last_seq.saturating_add(items as u64);
        thread.last_seq.min(end)
    }

    /// A step from a position to the last of its new events, or to the end of the thread.
    pub(crate) fn new(
        from: &'a Position,
        thread: Extent,
        end: u64,
        last_new: Option<Known>,
    ) -> Self {
        let is_complete = end == thread.last_seq;
        let rev = match last_new {
            _ if is_complete => thread.rev,
            Some(last) => last.rev,
            None => from.rev,
        };
        Self {
            from,
            end,
            rev,
            is_complete,
            cut: None,
        }
    }

    /// The step, ended in front of the change with which it would exceed a limit. These are all its changes.
    pub(crate) fn within(mut self, bytes: usize, mut changes: Vec<Missed>) -> Self {
        changes.sort_by_key(|missed| missed.rev);
        let fitting = fitting(bytes, changes.iter().map(|missed| missed.bytes));
        let (done, rest) = changes.split_at(fitting);
        if let (Some(last), false) = (done.last(), rest.is_empty()) {
            self.rev = last.rev;
            self.cut = Some(last.rev);
            let new = done.iter().filter_map(|missed| missed.new);
            self.end = new.last().unwrap_or(self.from.last_seq);
            self.is_complete = false;
        }
        self
    }

    /// Where the reader stands then.
    pub(crate) fn reached(&self) -> Position {
        self.from.moved(self.end, self.rev)
    }

    /// Whether the step has a change, or an event that was made by it.
    pub(crate) fn has(&self, rev: u64) -> bool {
        self.cut.is_none_or(|cut| rev <= cut)
    }

    /// The changes of runs, and of what the reader has from before.
    pub(crate) fn changes(&self) -> RangeInclusive<u64> {
        self.from.known().rev + 1..=self.reached().known().rev
    }

    /// The events that the reader has from before.
    pub(crate) fn known_events(&self) -> RangeInclusive<u64> {
        self.from.first_seq..=self.from.known().last_seq
    }

    /// The events that the reader has been sent since it came back, and which of their changes it has not got.
    pub(crate) fn sent_events(&self) -> Option<(RangeInclusive<u64>, RangeInclusive<u64>)> {
        let known = self.from.known?;
        let events = known.last_seq + 1..=self.from.last_seq;
        Some((events, self.from.rev + 1..=self.reached().rev))
    }

    /// Whether the step has the thread's row, which changed last at this `rev`.
    pub(crate) fn has_row(&self, row_rev: u64) -> bool {
        self.from.rev < row_rev && row_rev <= self.reached().rev
    }
}
