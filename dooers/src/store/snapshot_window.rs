//! The events that a snapshot or a page shows.

use super::limit::fitting;
use super::page::{ClientCheckpoint, Position, SHOWN};
use super::{Order, SnapshotFrom};

/// The first edit of an event that a reader has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstEdited {
    /// The `rev` of the first edit.
    pub(crate) rev: u64,
    /// The `seq` of the first edited event, which may have a later edit.
    pub(crate) seq: u64,
}

/// An event that may be shown: its place, the change that created it, and its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizedEvent {
    pub(crate) place: ClientCheckpoint,
    pub(crate) bytes: usize,
}

/// The events from which the shown ones are chosen, in the order in which the limit in bytes is spent on them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// The window begins behind this `seq`.
    pub(crate) begin: u64,
    /// The `seq` of the window's last event.
    pub(crate) end: u64,
    pub(crate) order: Order,
}

impl Window {
    /// The window of a page that ends with this `seq`.
    pub(crate) fn before(end: u64, items: usize) -> Self {
        Self {
            begin: end.saturating_sub(items as u64),
            end,
            order: Order::NewestFirst,
        }
    }

    /// Returns the `seq` behind which the page begins if only this many of its events fit.
    pub(crate) fn begin_of(&self, fitting: usize) -> u64 {
        self.end - fitting as u64
    }
}

/// A request for a snapshot of a thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SnapshotRequest {
    /// The `seq` of the thread's last event.
    pub(crate) total: u64,
    /// Maximum number of bytes.
    pub(crate) bytes: usize,
    pub(crate) from: Base,
}

/// The event that a snapshot continues from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Base {
    /// None: the snapshot shows the newest events.
    Nothing,
    /// See [`SnapshotFrom::After`].
    After(ClientCheckpoint, Option<FirstEdited>),
    /// See [`SnapshotFrom::Covering`].
    Covering(ClientCheckpoint, Option<FirstEdited>),
}

impl Base {
    /// Creates the base for a reader that has the thread up to `known`. `edited` is the first edit of an event that it
    /// has.
    pub(crate) fn of(
        from: &SnapshotFrom,
        known: ClientCheckpoint,
        edited: Option<FirstEdited>,
    ) -> Self {
        match from {
            SnapshotFrom::Newest => Self::Nothing,
            SnapshotFrom::After(_) => Self::After(known, edited),
            SnapshotFrom::Covering(_) => Self::Covering(known, edited),
        }
    }
}

impl SnapshotRequest {
    /// Returns the events from which the shown ones are chosen.
    pub(crate) fn window(&self) -> Window {
        let newest = Window::before(self.total, SHOWN as usize);
        match self.from {
            Base::Nothing => newest,
            Base::Covering(known, edited) => Window {
                begin: newest.begin.min(missed_behind(known, edited)),
                ..newest
            },
            Base::After(known, _) => Window {
                begin: known.last_seq,
                end: known.last_shown(self.total),
                order: Order::OldestFirst,
            },
        }
    }

    /// Returns the events that the snapshot shows. `events` are those of the window, in its order.
    pub(crate) fn shown(&self, events: &(impl Iterator<Item = SizedEvent> + Clone)) -> ShownEvents {
        let total = self.total;
        let count = |most: u64| {
            let sizes = events.clone().map(|event| event.bytes);
            fitting(self.bytes, sizes.take(most as usize)) as u64
        };
        match self.from {
            Base::Nothing => ShownEvents::all_behind(total - count(SHOWN), total),
            Base::Covering(known, edited) => {
                let begin = total - count(total - self.window().begin);
                let has_all = begin <= missed_behind(known, edited);
                if has_all {
                    ShownEvents::all_behind(begin, total).recovering(known)
                } else {
                    // The client replaces the events that it has, and reads older ones page by page.
                    ShownEvents::all_behind(total - count(SHOWN), total)
                }
            }
            Base::After(known, edited) => {
                let before = edited.map_or(u64::MAX, |edited| edited.rev);
                let made_before = events
                    .clone()
                    .take_while(|event| event.place.rev < before)
                    .count();
                let shown = count(SHOWN).min(made_before as u64);
                let last = shown.checked_sub(1);
                let last = last.and_then(|last| events.clone().nth(last as usize));
                let is_all = edited.is_none();
                ShownEvents::after(total, known, is_all, last.map(|last| last.place))
            }
        }
    }
}

/// Returns the `seq` behind which all events lie that the reader does not have, or has in an earlier version.
fn missed_behind(known: ClientCheckpoint, edited: Option<FirstEdited>) -> u64 {
    let edited = edited.map_or(u64::MAX, |edited| edited.seq - 1);
    known.last_seq.min(edited)
}

/// The events that a snapshot shows.
#[derive(Debug)]
pub(crate) struct ShownEvents {
    /// The shown events begin behind this `seq`.
    pub(crate) begin: u64,
    /// The `seq` of the last shown event.
    pub(crate) end: u64,
    /// For a resumed reader that is not sent everything at once: see [`Position::known`].
    pub(crate) known: Option<ClientCheckpoint>,
    /// The last event that the reader has, if the snapshot continues from it.
    pub(crate) after: Option<ClientCheckpoint>,
    first_seq: u64,
}

impl ShownEvents {
    fn all_behind(begin: u64, total: u64) -> Self {
        Self {
            begin,
            end: total,
            known: None,
            after: None,
            first_seq: begin + 1,
        }
    }

    fn recovering(mut self, after: ClientCheckpoint) -> Self {
        self.after = Some(after);
        self
    }

    /// The events after those that the reader has, up to `last`.
    fn after(
        total: u64,
        known: ClientCheckpoint,
        is_all: bool,
        last: Option<ClientCheckpoint>,
    ) -> Self {
        let last = last.unwrap_or(known);
        let is_complete = is_all && last.last_seq == total;
        let reached = ClientCheckpoint {
            rev: last.rev,
            ..known
        };
        Self {
            begin: known.last_seq,
            end: last.last_seq,
            known: (!is_complete).then_some(reached),
            after: Some(known),
            first_seq: known.first_seq(),
        }
    }

    /// Returns the reader's position after the snapshot of a thread that was read at this `rev`.
    pub(crate) fn position(&self, rev: u64) -> Position {
        Position {
            first_seq: self.first_seq,
            last_seq: self.end,
            sent_from: self.begin + 1,
            rev,
            known: self.known,
        }
    }
}
