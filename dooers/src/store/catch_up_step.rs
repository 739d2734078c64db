//! One step of a reader that catches up with a thread.

use super::limit::{encoded_len, fitting};
use super::page::{ClientCheckpoint, Position};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::{Change, ChangeBody};
use crate::protocol::{Run, Thread, ThreadEvent};
use std::ops::RangeInclusive;

/// A change that a reader has not received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missed<T> {
    /// The `rev` of the change. For an event that is new to the reader, the `rev` of the change that created it.
    pub(crate) rev: u64,
    /// The `seq` of an event that is new to the reader.
    pub(crate) new: Option<u64>,
    /// The changed item, or its size.
    pub(crate) body: T,
}

/// A size that is computed on demand.
pub(crate) trait MeasuredItem {
    fn bytes(&self) -> usize;
}

impl MeasuredItem for usize {
    fn bytes(&self) -> usize {
        *self
    }
}

/// The content of a change in the form in which it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body<'a> {
    Event(&'a ThreadEvent),
    Run(&'a Run),
    Thread(&'a Thread),
}

impl<'a> Body<'a> {
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
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

impl MeasuredItem for Body<'_> {
    fn bytes(&self) -> usize {
        match self {
            Self::Event(event) => encoded_len(event),
            Self::Run(run) => encoded_len(run),
            Self::Thread(thread) => encoded_len(thread),
        }
    }
}

impl<T> Missed<T> {
    /// An event that is new to the reader.
    pub(crate) fn new_event(place: ClientCheckpoint, body: T) -> Self {
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

/// The part of the missed changes that is read at once: everything that happened up to a change.
#[derive(Debug)]
pub(crate) struct CatchUpStep<'a> {
    from: &'a Position,
    /// The `seq` of the last new event. Without new events, that of the last event that the reader has.
    pub(crate) end: u64,
    /// The `rev` of the last change, or that of the reader if it has the change already.
    rev: u64,
    /// `true` if the reader has everything after this step.
    pub(crate) is_complete: bool,
    /// The `rev` of the last change, if a limit ends the step.
    cut: Option<u64>,
}

/// The length of a thread, in events and changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// The `seq` of the thread's last event.
    pub(crate) last_seq: u64,
    /// The `rev` of the thread's last change.
    pub(crate) rev: u64,
}

impl<'a> CatchUpStep<'a> {
    /// Returns the `seq` of the last event of a step with this many new events.
    pub(crate) fn end(from: &Position, thread: Extent, items: usize) -> u64 {
        let end = from.last_seq.saturating_add(items as u64);
        thread.last_seq.min(end)
    }

    /// Creates a step from a position to the last of its new events, or to the end of the thread.
    pub(crate) fn new(
        from: &'a Position,
        thread: Extent,
        end: u64,
        last_new: Option<ClientCheckpoint>,
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

    /// Ends the step before the first change that would exceed the limit. `changes` are all changes of the step.
    pub(crate) fn within<T: MeasuredItem>(
        mut self,
        bytes: usize,
        mut changes: Vec<Missed<T>>,
    ) -> Self {
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

    /// Returns the reader's position after the step.
    pub(crate) fn reached(&self) -> Position {
        self.from.moved(self.end, self.rev)
    }

    /// Returns `true` if the step contains the change with this `rev`, or the event that this change created.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn has(&self, rev: u64) -> bool {
        self.cut.is_none_or(|cut| rev <= cut)
    }

    /// Returns the range of changes to runs, and to the events that the reader had before it resumed.
    pub(crate) fn changes(&self) -> RangeInclusive<u64> {
        self.from.known().rev + 1..=self.reached().known().rev
    }

    /// Returns the range of events that the reader had before it resumed.
    pub(crate) fn known_events(&self) -> RangeInclusive<u64> {
        self.from.first_seq..=self.from.known().last_seq
    }

    /// Returns the range of events that were sent to the reader since it resumed, and the range of their changes that
    /// it has not received.
    pub(crate) fn sent_events(&self) -> Option<(RangeInclusive<u64>, RangeInclusive<u64>)> {
        let known = self.from.known?;
        let events = known.last_seq + 1..=self.from.last_seq;
        Some((events, self.from.rev + 1..=self.reached().rev))
    }

    /// Returns `true` if the step contains the thread's row, whose last change has this `rev`.
    pub(crate) fn has_row(&self, row_rev: u64) -> bool {
        self.from.rev < row_rev && row_rev <= self.reached().rev
    }
}
