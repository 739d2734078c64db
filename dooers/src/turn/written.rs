//! The meaning of changes that a turn writes.

use crate::protocol::ThreadEvent;
use crate::store::{Change, ChangeBody, TurnChange};

/// A change that shows if a write was stored, although its answer was lost: a new event, or a usage. All other changes
/// may be made twice.
pub(super) enum Witness<'c> {
    Event(&'c str),
    Usage(&'c str),
}

impl<'c> Witness<'c> {
    pub(super) fn of(changes: &'c [TurnChange]) -> Option<Self> {
        changes.iter().find_map(|change| match change {
            TurnChange::Event(event) => Some(Self::Event(&event.id)),
            TurnChange::Usage(used) => Some(Self::Usage(&used.id)),
            _ => None,
        })
    }
}

/// The event of a text that starts to stream, and the `rev` of the change.
pub(super) fn begun_text(change: &Change) -> Option<(ThreadEvent, u64)> {
    match &change.body {
        ChangeBody::Event(event) if event.streaming == Some(true) => {
            Some(((**event).clone(), change.rev))
        }
        _ => None,
    }
}

/// The event id of a text that has ended.
pub(super) fn ended_text(change: &TurnChange) -> Option<String> {
    match change {
        TurnChange::Finalize { event_id, .. } => Some(event_id.clone()),
        TurnChange::Event(event) if event.finalized == Some(true) => Some(event.id.clone()),
        _ => None,
    }
}

/// The event id of a text whose progress is stored, and the length of the text in bytes.
pub(super) fn stored_text(change: &TurnChange) -> Option<(String, usize)> {
    match change {
        TurnChange::Text { event_id, text, .. } => Some((event_id.clone(), text.len())),
        _ => None,
    }
}

/// The event id of a form that the handler asks.
pub(super) fn asked_form(change: &TurnChange) -> Option<&str> {
    match change {
        TurnChange::Event(event) if event.asked().is_some() => Some(&event.id),
        _ => None,
    }
}

/// The event id of a form whose time is over.
pub(super) fn expired_form(change: &TurnChange) -> Option<&str> {
    match change {
        TurnChange::EndQuestion {
            form_event_id,
            is_over: false,
        } => Some(form_event_id),
        _ => None,
    }
}

/// The event id of a form that was closed without an answer.
pub(super) fn closed_form(change: &Change) -> Option<String> {
    match &change.body {
        ChangeBody::Event(event) => event
            .asked()
            .is_some_and(|asked| asked.closed)
            .then(|| event.id.clone()),
        _ => None,
    }
}
