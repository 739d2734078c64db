//! The rows that a batch knows of its threads.

use super::cache::{Cached, ThreadSlot};
use crate::protocol::FeedbackTarget;
use crate::store::feedback::KeptFeedback;
use crate::store::postgres::storable::is_storable;
use crate::store::rules::{SentEvent, SentKey};
use crate::store::state::{KeptEvent, KeptRun, ThreadState, Threads};
use crate::store::usage::UsageOwner;
use crate::store::{Participant, Scope};
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

/// A row that an operation needs before it can be executed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Dependency {
    /// The thread with this id, if it is visible in this scope.
    Thread { scope: Scope, thread_id: String },
    /// An event of a thread.
    Event { thread_id: String, event_id: String },
    /// The accepted answer to a form of a thread.
    Answer { thread_id: String, form_id: String },
    /// A run of a thread.
    Run { thread_id: String, run_id: String },
    /// The feedback of a participant on a target in a thread.
    Feedback {
        thread_id: String,
        participant: Participant,
        target: FeedbackTarget,
    },
    /// The event that was stored for a client's message.
    Sent(SentKey),
    /// The existence of a thread with this id, in any scope.
    ThreadId(String),
    /// The thread of the event with this id, in any scope.
    EventId(String),
    /// The existence of a run with this id, in any thread.
    RunId(String),
    /// The newest times in the lists of a scope, for all viewers.
    List(Scope),
    /// The totals of an owner of usage, in a range of days.
    Spent {
        owner: UsageOwner,
        days: RangeInclusive<i64>,
    },
}

impl Dependency {
    /// Returns the thread whose row this is. `None` for other rows.
    pub(crate) fn row_of(&self) -> Option<&str> {
        match self {
            Self::Event { thread_id, .. }
            | Self::Answer { thread_id, .. }
            | Self::Run { thread_id, .. }
            | Self::Feedback { thread_id, .. } => Some(thread_id),
            _ => None,
        }
    }

    /// Returns `true` if the database can store the ids of this need.
    pub(crate) fn is_storable(&self) -> bool {
        let is_each = |texts: &[&str]| texts.iter().all(|text| is_storable(text));
        match self {
            Self::Thread { scope, thread_id } => {
                let participant = scope.viewer.participant().map_or("", Participant::as_str);
                is_each(&[thread_id, participant])
            }
            Self::ThreadId(id) | Self::EventId(id) | Self::RunId(id) => is_storable(id),
            Self::Event { event_id: id, .. }
            | Self::Answer { form_id: id, .. }
            | Self::Run { run_id: id, .. } => is_storable(id),
            Self::Feedback {
                participant,
                target,
                ..
            } => is_each(&[participant.as_str(), target.id()]),
            Self::Spent { owner, .. } => is_each(&owner.columns()),
            Self::List(scope) => is_each(&[
                &scope.agent,
                &scope.worker_id,
                &scope.organization_id,
                &scope.workspace_id,
            ]),
            Self::Sent(key) => is_each(&[
                &key.worker_id,
                &key.organization_id,
                &key.workspace_id,
                key.participant.as_str(),
                &key.client_event_id,
            ]),
        }
    }
}

/// A thread as it was before the batch.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) place: ThreadSlot,
    pub(crate) state: ThreadState,
    /// `true` if everything was read for this batch at once. Otherwise another process may have changed the thread in
    /// between.
    pub(crate) is_fresh: bool,
}

impl Before {
    /// Returns the state, to add rows that were read later.
    fn with_more(&mut self) -> &mut ThreadState {
        self.is_fresh = false;
        &mut self.state
    }
}

/// The rows that a batch knows of its threads, before and after its operations.
#[derive(Debug, Default)]
pub(crate) struct WorkingSet {
    /// The current threads, and the messages that were sent.
    pub(crate) threads: Threads,
    /// The threads before the batch. A thread that is missing here is new.
    pub(crate) before: HashMap<String, Before>,
    /// The messages that were stored before the batch.
    pub(crate) sent_before: HashSet<SentKey>,
    /// The needs that were read. Their rows do not exist unless they are known.
    asked: HashSet<Dependency>,
    /// Threads for which the cache is not trusted, because another process has written in them.
    pub(crate) distrusted: Distrusted,
    /// Threads that another process has changed since they were read.
    pub(crate) outdated: HashSet<String>,
}

/// Threads for which the cache is not trusted, each for the operations of one scope. An operation that cannot see the
/// thread therefore does not affect those that can.
#[derive(Debug, Default, Clone)]
pub(crate) struct Distrusted(HashMap<String, HashSet<Scope>>);

impl Distrusted {
    pub(crate) fn contains(&self, scope: &Scope, thread_id: &str) -> bool {
        let scopes = self.0.get(thread_id);
        scopes.is_some_and(|scopes| scopes.contains(scope))
    }

    pub(crate) fn insert(&mut self, scope: &Scope, thread_id: &str) {
        let scopes = self.0.entry(thread_id.to_owned()).or_default();
        scopes.insert(scope.clone());
    }
}

impl WorkingSet {
    /// Returns `true` if the row is not known, and not known to be missing.
    fn is_open(&self, need: &Dependency) -> bool {
        if self.asked.contains(need) {
            return false;
        }
        match need {
            Dependency::Thread { scope, thread_id } => {
                let thread = self.threads.by_id.get(thread_id);
                thread.is_none_or(|thread| !thread.is_visible_in(scope))
            }
            Dependency::Event {
                thread_id,
                event_id,
            } => {
                let thread = self.threads.by_id.get(thread_id);
                thread.is_some_and(|thread| thread.event(event_id).is_none())
            }
            Dependency::Answer { thread_id, form_id } => {
                let thread = self.threads.by_id.get(thread_id);
                thread.is_some_and(|thread| !thread.has_answer_to(form_id))
            }
            Dependency::Run { thread_id, run_id } => {
                let thread = self.threads.by_id.get(thread_id);
                thread.is_some_and(|thread| thread.runs.iter().all(|kept| kept.run.id != *run_id))
            }
            Dependency::Feedback {
                thread_id,
                participant,
                target,
            } => {
                let thread = self.threads.by_id.get(thread_id);
                thread.is_some_and(|thread| thread.feedback_of(participant, target).is_none())
            }
            Dependency::Sent(key) => !self.threads.sent.contains_key(key),
            Dependency::ThreadId(_)
            | Dependency::EventId(_)
            | Dependency::RunId(_)
            | Dependency::List(_)
            | Dependency::Spent { .. } => true,
        }
    }

    /// Returns the needs that must be read.
    pub(crate) fn open(&self, needs: Vec<Dependency>) -> Vec<Dependency> {
        let mut open: Vec<_> = needs
            .into_iter()
            .filter(|need| self.is_open(need))
            .collect();
        let mut seen = HashSet::new();
        open.retain(|need| seen.insert(need.clone()));
        open
    }

    /// Marks these needs as read.
    pub(crate) fn asked(&mut self, needs: Vec<Dependency>) {
        self.asked.extend(needs);
    }

    /// Returns `true` if operations of this scope may assume that no other process has written in the thread. The
    /// statement that writes detects a wrong assumption.
    pub(crate) fn trusts(&self, scope: &Scope, thread_id: &str) -> bool {
        !self.distrusted.contains(scope, thread_id)
    }

    /// Returns `true` if the thread is known and visible in this scope, before or after the operations of the batch.
    pub(crate) fn shows(&self, scope: &Scope, thread_id: &str) -> bool {
        let before = self.before.get(thread_id).map(|before| &before.state);
        let mut states = before.into_iter().chain(self.threads.by_id.get(thread_id));
        states.any(|state| state.is_visible_in(scope))
    }

    /// Returns `true` if the database has no such thread that is visible in this scope.
    pub(crate) fn is_missing(&self, scope: &Scope, thread_id: &str) -> bool {
        if self.shows(scope, thread_id) {
            return false;
        }
        let thread = Dependency::Thread {
            scope: scope.clone(),
            thread_id: thread_id.to_owned(),
        };
        self.asked.contains(&thread)
    }

    /// Adds a thread that was read. A thread may be known already, if it is visible in the scope of another operation.
    pub(crate) fn add_thread(&mut self, cached: Cached, is_fresh: bool) {
        let id = cached.state.row.record.thread.id.clone();
        if let Some(before) = self.before.get(&id) {
            if before.place.version != cached.place.version {
                self.outdated.insert(id);
            }
            return;
        }
        let before = Before {
            place: cached.place,
            state: cached.state.clone(),
            is_fresh,
        };
        self.before.insert(id.clone(), before);
        self.threads.by_id.insert(id, cached.state);
    }

    /// Adds an event that was read to both states of its thread.
    pub(crate) fn add_event(&mut self, kept: &KeptEvent) {
        let id = &kept.event.thread_id;
        let before = self.before.get_mut(id).map(Before::with_more);
        for state in before.into_iter().chain(self.threads.by_id.get_mut(id)) {
            let events = &mut state.events;
            let place = events.partition_point(|other| other.event.seq < kept.event.seq);
            if events
                .get(place)
                .is_none_or(|other| other.event.seq != kept.event.seq)
            {
                events.insert(place, kept.clone());
            }
        }
    }

    /// Adds a run that was read to both states of its thread.
    pub(crate) fn add_run(&mut self, kept: &KeptRun) {
        let id = &kept.run.thread_id;
        let before = self.before.get_mut(id).map(Before::with_more);
        for state in before.into_iter().chain(self.threads.by_id.get_mut(id)) {
            if state.runs.iter().all(|other| other.run.id != kept.run.id) {
                state.runs.push(kept.clone());
            }
        }
    }

    /// Adds a feedback that was read to both states of its thread.
    pub(crate) fn add_feedback(&mut self, kept: &KeptFeedback) {
        let id = &kept.feedback.thread_id;
        let before = self.before.get_mut(id).map(Before::with_more);
        for state in before.into_iter().chain(self.threads.by_id.get_mut(id)) {
            state.feedback.push(kept.clone());
        }
    }

    pub(crate) fn add_sent(&mut self, key: SentKey, sent: SentEvent) {
        self.sent_before.insert(key.clone());
        self.threads.sent.insert(key, sent);
    }

    /// Returns `true` if an operation of this batch has changed, created or deleted the thread.
    pub(crate) fn is_changed(&self, thread_id: &str) -> bool {
        match (
            self.before.get(thread_id),
            self.threads.by_id.get(thread_id),
        ) {
            (Some(before), Some(now)) => before.state != *now,
            (None, None) => false,
            _ => true,
        }
    }
}
