//! What there are lists of, and their filters.

use super::list::{FindError, List, Listed, Part, Sealed};
use crate::protocol::{Actor, EventType, Run, RunStatus, Thread, ThreadEvent, User};
use crate::store::{
    EventOrder, EventQuery, NotACursor, Participant, RunCursor, RunQuery, Scope, Store,
    ThreadCursor, ThreadQuery,
};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;

/// The threads of a scope, in the order of their newest events.
#[derive(Debug, Clone)]
pub struct Threads(pub(super) ThreadQuery);

impl List<Threads> {
    /// Only those in which this user takes part: who made the thread or has written in it.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        let user = Participant::user(&User::new(user_id));
        self.listed.0.participant = Some(user);
        self
    }

    /// Only those whose newest event came at this time or later.
    pub fn active_since(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.active_since = Some(at);
        self
    }

    /// Only those whose newest event came before this time.
    pub fn active_before(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.active_before = Some(at);
        self
    }
}

impl Sealed for Threads {}

impl Listed for Threads {
    type Item = Thread;

    fn find<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope,
        part: Part<'a>,
    ) -> BoxFuture<'a, Result<Vec<Thread>, FindError>> {
        async move {
            let query = ThreadQuery {
                order: part.order,
                after: part.after.map(str::parse).transpose()?,
                limit: part.limit,
                ..self.0.clone()
            };
            Ok(store.find_threads(scope, &query).await?)
        }
        .boxed()
    }

    fn cursor(thread: &Thread) -> String {
        ThreadCursor {
            last_event_at: thread.last_event_at,
            thread_id: thread.id.clone(),
        }
        .to_string()
    }
}

/// The events of a thread, in the order in which they came.
#[derive(Debug, Clone)]
pub struct Events {
    pub(super) thread_id: String,
    pub(super) query: EventQuery,
}

/// Each of these can be called several times; then what passes any of its values is listed.
impl List<Events> {
    /// Only what this actor caused.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.listed.query.actors.push(actor);
        self
    }

    /// Only events of this kind.
    pub fn kind(mut self, kind: EventType) -> Self {
        self.listed.query.kinds.push(kind);
        self
    }

    /// Only what the user of this id sent.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        self.listed.query.user_ids.push(user_id.into());
        self
    }

    /// Only what belongs to the run of this id.
    pub fn run(mut self, run_id: impl Into<String>) -> Self {
        self.listed.query.run_ids.push(run_id.into());
        self
    }

    /// Those that were removed, too, of which only the place is left.
    pub fn with_deleted(mut self) -> Self {
        self.listed.query.with_deleted = true;
        self
    }
}

impl Sealed for Events {}

impl Listed for Events {
    type Item = ThreadEvent;

    fn find<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope,
        part: Part<'a>,
    ) -> BoxFuture<'a, Result<Vec<ThreadEvent>, FindError>> {
        async move {
            let mut query = EventQuery {
                order: part.order,
                limit: part.limit,
                ..self.query.clone()
            };
            if let Some(after) = part.after {
                let seq = after.parse().map_err(|_| NotACursor)?;
                match part.order {
                    EventOrder::NewestFirst => query.before = seq,
                    EventOrder::OldestFirst => query.after = seq,
                }
            }
            Ok(store.find_events(scope, &self.thread_id, &query).await?)
        }
        .boxed()
    }

    fn cursor(event: &ThreadEvent) -> String {
        event.seq.to_string()
    }
}

/// The runs of a scope, in the order in which they began.
#[derive(Debug, Clone)]
pub struct Runs(pub(super) RunQuery);

impl List<Runs> {
    /// Only those of this thread.
    pub fn thread(mut self, thread_id: impl Into<String>) -> Self {
        self.listed.0.thread_id = Some(thread_id.into());
        self
    }

    /// Only those that answer the message of this id.
    pub fn answering(mut self, event_id: impl Into<String>) -> Self {
        self.listed.0.event_id = Some(event_id.into());
        self
    }

    /// Only those that stand so. It can be called several times; then what stands any of these ways is listed.
    pub fn status(mut self, status: RunStatus) -> Self {
        self.listed.0.statuses.push(status);
        self
    }

    /// Only those that began at this time or later.
    pub fn started_since(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.started_since = Some(at);
        self
    }

    /// Only those that began before this time.
    pub fn started_before(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.started_before = Some(at);
        self
    }
}

impl Sealed for Runs {}

impl Listed for Runs {
    type Item = Run;

    fn find<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope,
        part: Part<'a>,
    ) -> BoxFuture<'a, Result<Vec<Run>, FindError>> {
        async move {
            let query = RunQuery {
                order: part.order,
                after: part.after.map(str::parse).transpose()?,
                limit: part.limit,
                ..self.0.clone()
            };
            Ok(store.find_runs(scope, &query).await?)
        }
        .boxed()
    }

    fn cursor(run: &Run) -> String {
        RunCursor {
            started_at: run.started_at,
            run_id: run.id.clone(),
        }
        .to_string()
    }
}
