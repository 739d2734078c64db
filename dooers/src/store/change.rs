//! What happened to a thread, in the order of its `rev`.

use super::{Participant, Scope, Viewer};
use crate::protocol::{Run, Thread, ThreadEvent};

/// One numbered change of a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which thread.
    pub thread_id: String,
    /// Its number: one more than that of the thread's change before.
    pub rev: u64,
    /// What changed.
    pub body: ChangeBody,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ChangeBody {
    /// The thread's own row, which may be new.
    Thread(Box<ThreadRecord>),
    /// An event, which may be new.
    Event(Box<ThreadEvent>),
    /// A run, which may be new.
    Run(Run),
    /// The thread is gone. This is how it stood.
    Deleted(Box<ThreadRecord>),
}

/// A thread and what a server knows about it that clients do not see.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadRecord {
    /// The thread.
    pub thread: Thread,
    /// The agent whose thread it is.
    pub agent: String,
    /// Everyone who has written in it.
    pub participants: Vec<Participant>,
    /// The `rev` of the thread's last change.
    pub rev: u64,
}

impl ThreadRecord {
    /// The scope that the thread lies in, without regard to who takes part.
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
}

impl Change {
    pub(crate) fn of_event(event: ThreadEvent, rev: u64) -> Self {
        Self {
            thread_id: event.thread_id.clone(),
            rev,
            body: ChangeBody::Event(Box::new(event)),
        }
    }

    pub(crate) fn of_run(run: Run, rev: u64) -> Self {
        Self {
            thread_id: run.thread_id.clone(),
            rev,
            body: ChangeBody::Run(run),
        }
    }

    /// The run that changed.
    pub(crate) fn run(&self) -> Option<&Run> {
        match &self.body {
            ChangeBody::Run(run) => Some(run),
            ChangeBody::Thread(_) | ChangeBody::Event(_) | ChangeBody::Deleted(_) => None,
        }
    }

    pub(crate) fn of_thread(record: ThreadRecord, rev: u64) -> Self {
        Self {
            thread_id: record.thread.id.clone(),
            rev,
            body: ChangeBody::Thread(Box::new(record)),
        }
    }

    pub(crate) fn of_deletion(record: ThreadRecord) -> Self {
        Self {
            thread_id: record.thread.id.clone(),
            rev: record.rev + 1,
            body: ChangeBody::Deleted(Box::new(record)),
        }
    }
}

/// Puts what a reader missed in the order in which to send it: by `rev`, but new events always in the order of
/// their `seq`, as clients append what they get. (An event that was edited later has a higher `rev` than its
/// followers.)
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
    // A stable sort: new events of one key keep their order.
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, change)| change).collect()
}
