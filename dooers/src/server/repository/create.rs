//! What a repository makes.

use super::RepositoryError;
use super::handle::{check_content, event_of, run_of, thread_of};
use crate::protocol::{
    Actor, MAX_CLIENT_ID_BYTES, Run, RunStatus, Thread, ThreadEvent, User, new_id, timestamp,
};
use crate::reply::Reply;
use crate::server::running::Running;
use crate::store::{NewThread, Scope, ThreadDraft, ThreadEdit};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;

/// Where something is made.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) running: Arc<Running>,
    pub(super) scope: Scope,
}

/// A thread that is about to be made: awaited it is there.
#[derive(Debug)]
#[must_use = "nothing is made until it is awaited"]
pub struct CreateThread {
    place: Place,
    thread: NewThread,
    owner: User,
}

impl CreateThread {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            thread: NewThread::new(new_id()),
            owner: User::new(""),
        }
    }

    /// Its id: one that no other thread has, of 1 to 128 bytes. Otherwise one is made.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.thread.id = id.into();
        self
    }

    /// Its title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.thread.title = Some(title.into());
        self
    }

    /// What is kept with it.
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.thread.metadata = Some(metadata.into());
        self
    }

    /// Whose it is. Where threads are private, nobody else sees it until they write in it; a thread without an owner is seen
    /// by nobody then.
    pub fn owner(mut self, owner: User) -> Self {
        self.owner = owner;
        self
    }
}

impl IntoFuture for CreateThread {
    type Output = Result<Thread, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            check_id("a thread", &self.thread.id)?;
            let draft = ThreadDraft {
                thread: self.thread,
                owner: self.owner,
                at: timestamp::now(),
            };
            let Place { running, scope } = self.place;
            let created = running.create_thread(scope, draft).await?;
            thread_of(vec![created])
        }
        .boxed()
    }
}

/// An event that is about to be made: awaited it is stored and told.
#[derive(Debug)]
#[must_use = "nothing is made until it is awaited"]
pub struct CreateEvent {
    place: Place,
    thread_id: String,
    reply: Reply,
    id: String,
    run_id: Option<String>,
    user: Option<User>,
}

impl CreateEvent {
    pub(super) fn new(place: Place, thread_id: String, reply: Reply) -> Self {
        Self {
            place,
            thread_id,
            reply,
            id: new_id(),
            run_id: None,
            user: None,
        }
    }

    /// Its id: one that no other event has, of 1 to 128 bytes. Otherwise one is made.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// The run that it belongs to, which is in the same thread.
    pub fn run(mut self, run_id: impl Into<String>) -> Self {
        self.run_id = Some(run_id.into());
        self
    }

    /// Who caused it, if not the assistant, or for the result of a tool the tool.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.reply.actor = actor;
        self
    }

    /// The user who said it, and takes part in the thread from then on. It begins no turn: nobody answers it.
    pub fn user(mut self, user: User) -> Self {
        self.user = Some(user);
        self.actor(Actor::User)
    }
}

impl IntoFuture for CreateEvent {
    type Output = Result<ThreadEvent, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            check_id("an event", &self.id)?;
            if let Some(content) = &self.reply.content {
                check_content(content)?;
            }
            let Place { running, scope } = self.place;
            let (assistant, at) = (&running.config.assistant_name, timestamp::now());
            let event = ThreadEvent {
                run_id: self.run_id,
                user: self.user,
                ..self
                    .reply
                    .into_event(self.id, &self.thread_id, assistant, at)
            };
            let edit = ThreadEdit::CreateEvent(Box::new(event));
            event_of(running.edit_thread(scope, self.thread_id, edit).await?)
        }
        .boxed()
    }
}

/// A run that is about to be made: awaited it is stored and told.
#[derive(Debug)]
#[must_use = "nothing is made until it is awaited"]
pub struct CreateRun {
    place: Place,
    run: Run,
}

impl CreateRun {
    pub(super) fn new(place: Place, thread_id: String) -> Self {
        let run = Run {
            id: new_id(),
            thread_id,
            event_id: None,
            agent_id: Some(place.scope.agent.clone()),
            status: RunStatus::Running,
            started_at: timestamp::now(),
            ended_at: None,
            error: None,
        };
        Self { place, run }
    }

    /// Its id: one that no other run has, of 1 to 128 bytes. Otherwise one is made.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.run.id = id.into();
        self
    }

    /// The name of who runs, if it is not the agent of the scope.
    pub fn agent(mut self, name: impl Into<String>) -> Self {
        self.run.agent_id = Some(name.into());
        self
    }
}

impl IntoFuture for CreateRun {
    type Output = Result<Run, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            check_id("a run", &self.run.id)?;
            let Place { running, scope } = self.place;
            let thread_id = self.run.thread_id.clone();
            let edit = ThreadEdit::CreateRun(Run {
                started_at: timestamp::now(),
                ..self.run
            });
            run_of(running.edit_thread(scope, thread_id, edit).await?)
        }
        .boxed()
    }
}

fn check_id(what: &str, id: &str) -> Result<(), RepositoryError> {
    if (1..=MAX_CLIENT_ID_BYTES).contains(&id.len()) {
        return Ok(());
    }
    let (is, most) = (id.len(), MAX_CLIENT_ID_BYTES);
    Err(RepositoryError::Invalid(format!(
        "the id of {what} has 1 to {most} bytes, and this one has {is}; leave it out, and one is made"
    )))
}
