//! A step in which a reader catches up with a thread.

use super::limit::{encoded_len, fitting};
use super::page::{Known, Position};
use super::{Change, ChangeBody};
use crate::protocol::{Run, Thread, ThreadEvent};
use std::ops::RangeInclusive;

/// A change that a reader has not got.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missed<T> {
    /// The number of the change, or of that which made the event if the event is new to the reader.
    pub(crate) rev: u64,
    /// The place of an event that is new to the reader.
    pub(crate) new: Option<u64>,
    /// The change, or its size.
    pub(crate) body: T,
}

/// A size that is computed when it is needed.
pub(crate) trait Measured {
    fn bytes(&self) -> usize;
}

impl Measured for usize {
    fn bytes(&self) -> usize {
        *self
    }
}

/// The content of a change, as it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body<'a> {
    Event(&'a ThreadEvent),
    Run(&'a Run),
    Thread(&'a Thread),
}

impl<'a> Body<'a> {
    pub(crate) fn of(change: &'a Change) -> Self {
        match &change.body {
            ChangeBody::Event(event) => Self::Event(event),
            ChangeBody::Run(run) => Self::Run(run),
            ChangeBody::Thread(record) | ChangeBody::Deleted(record) => {
                Self::Thread(&record.thread)
            }
        }
    }
}

impl Measured for Body<'_> {
    fn bytes(&self) -> usize {
        match self {
            Self::Event(event) => encoded_len(event),
            Self::Run(run) => encoded_len(run),
            Self::Thread(thread) => encoded_len(thread),
        }
    }
}

impl<T> Missed<T> {
    /// An event that is new to the reader, at its place.
    pub(crate) fn new_event(place: Known, body: T) -> Self {
        Self {
            rev: place.rev,
            new: Some(place.last_seq),
            body,
        }
    }

    /// Any other change.
    pub(crate) fn change(rev: u64, body: T) -> Self {
        Self {
            rev,
            new: None,
            body,
        }
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
    /// The reader has everything after this step.
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
    pub(crate) fn within<T: Measured>(mut self, bytes: usize, mut changes: Vec<Missed<T>>) -> Self {
        changes.sort_by_key(|missed| missed.rev);
        let fitting = fitting(bytes, changes.iter().map(|missed| missed.body.bytes()));
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

    /// The reader's position after the step.
    pub(crate) fn reached(&self) -> Position {
        self.from.moved(self.end, self.rev)
    }

    /// Returns whether the step has a change, or an event that was made by it.
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

    /// Returns whether the step has the thread's row, which changed last at this `rev`.
    pub(crate) fn has_row(&self, row_rev: u64) -> bool {
        self.from.rev < row_rev && row_rev <= self.reached().rev
    }
}
