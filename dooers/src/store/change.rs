//! Changes of a thread, in the order of their `rev`.

use super::{Participant, Scope, Viewer};
use crate::protocol::{Run, Thread, ThreadEvent};

/// One numbered change of a thread.
///
/// Two changes are equal if they leave the same row, whatever their [`origin`](Self::origin).
#[derive(Debug, Clone)]
pub struct Change {
    /// The thread that changed.
    pub thread_id: String,
    /// The number of this change: one more than that of the thread's previous change.
    pub rev: u64,
    /// The changed row.
    pub body: ChangeBody,
    /// The way in which the change was made. Changes that are read from a store are [`Origin::Other`].
    pub origin: Origin,
}

impl PartialEq for Change {
    fn eq(&self, other: &Self) -> bool {
        self.thread_id == other.thread_id && self.rev == other.rev && self.body == other.body
    }
}

/// The way in which a change was made, for analytics. The changed row alone does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Origin {
    /// Any other change, such as an edit.
    #[default]
    Other,
    /// The row is new.
    Created,
    /// A streamed text was completed.
    Completed,
    /// The store itself ended a turn: it was withdrawn, or its process died. Contains the number of attempts that the turn
    /// had. It is 0 if the turn never ran.
    EndedTurn(u64),
}

/// The row that a change created, changed or deleted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ChangeBody {
    /// The thread's own row, which may be new.
    Thread(Box<ThreadRecord>),
    /// An event, which may be new.
    Event(Box<ThreadEvent>),
    /// A run, which may be new.
    Run(Run),
    /// The thread was deleted by this change. The record is its last state.
    Deleted(Box<ThreadRecord>),
}

/// A thread, with the data that only the server sees.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadRecord {
    /// The thread.
    pub thread: Thread,
    /// The agent that the thread belongs to.
    pub agent: String,
    /// All participants that have written in the thread.
    pub participants: Vec<Participant>,
    /// The `rev` of the thread's last change.
    pub rev: u64,
}

impl ThreadRecord {
    /// Returns the scope that contains the thread, for all viewers.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope {
            agent: self.agent.clone(),
            worker_id: self.thread.worker_id.clone(),
            organization_id: self.thread.organization_id.clone(),
            workspace_id: self.thread.workspace_id.clone(),
            viewer: Viewer::Everyone,
        }
    }

    /// Returns `true` if the thread is in the agent, worker, organization and workspace of this scope. The viewer does not
    /// matter.
    pub(crate) fn lies_in(&self, scope: &Scope) -> bool {
        let thread = &self.thread;
        self.agent == scope.agent
            && thread.worker_id == scope.worker_id
            && thread.organization_id == scope.organization_id
            && thread.workspace_id == scope.workspace_id
    }

    /// Returns `true` if the thread is visible in this scope.
    pub(crate) fn is_visible_in(&self, scope: &Scope) -> bool {
        self.lies_in(scope) && scope.admits(&self.participants)
    }
}

impl Change {
    /// Sets the way in which the change was made.
    pub(crate) fn by(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    pub(crate) fn of_event(event: ThreadEvent, rev: u64) -> Self {
        Self {
            thread_id: event.thread_id.clone(),
            rev,
            body: ChangeBody::Event(Box::new(event)),
            origin: Origin::Other,
        }
    }

    pub(crate) fn of_run(run: Run, rev: u64) -> Self {
        Self {
            thread_id: run.thread_id.clone(),
            rev,
            body: ChangeBody::Run(run),
            origin: Origin::Other,
        }
    }

    /// Returns the run that changed, if the change is one of a run.
    pub(crate) fn run(&self) -> Option<&Run> {
        match &self.body {
            ChangeBody::Run(run) => Some(run),
            ChangeBody::Thread(_) | ChangeBody::Event(_) | ChangeBody::Deleted(_) => None,
        }
    }

    /// The thread, if its own row changed or the thread was deleted.
    pub(crate) fn record(&self) -> Option<&ThreadRecord> {
        match &self.body {
            ChangeBody::Thread(record) | ChangeBody::Deleted(record) => Some(record),
            ChangeBody::Event(_) | ChangeBody::Run(_) => None,
        }
    }

    pub(crate) fn of_thread(record: ThreadRecord, rev: u64) -> Self {
        Self {
            thread_id: record.thread.id.clone(),
            rev,
            body: ChangeBody::Thread(Box::new(record)),
            origin: Origin::Other,
        }
    }

    pub(crate) fn of_deletion(record: ThreadRecord) -> Self {
        Self {
            thread_id: record.thread.id.clone(),
            rev: record.rev + 1,
            body: ChangeBody::Deleted(Box::new(record)),
            origin: Origin::Other,
        }
    }
}

/// Sorts missed changes into the order in which they are sent: by `rev`, but new events in the order of their `seq`,
/// because clients append them. (An event that was edited later has a higher `rev` than the events after it.)
pub(crate) fn in_sending_order(new_events: Vec<Change>, others: Vec<Change>) -> Vec<Change> {
    let mut lowest_behind = u64::MAX;
    let mut keyed: Vec<(u64, Change)> = new_events
        .into_iter()
        .rev()
        .map(|change| {
            lowest_behind = lowest_behind.min(change.rev);
            (lowest_behind, change)
        })
        .collect();
    keyed.reverse();
    keyed.extend(others.into_iter().map(|change| (change.rev, change)));
    // The sort is stable: new events with the same key keep their order.
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, change)| change).collect()
}
