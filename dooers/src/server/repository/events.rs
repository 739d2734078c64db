//! Events.

use super::handle::{Place, check_id, found};
use super::list::{FindError, Part, Sealed};
use super::{List, Listed, Repository, RepositoryError};
use crate::handler::{Reply, ReplyError};
use crate::protocol::{
    Actor, ContentPart, EventType, Form, ThreadEvent, UploadNotFound, User, new_id, timestamp,
};
use crate::server::running::Running;
use crate::store::{
    Admit, Change, ChangeBody, EventPatch, EventQuery, NotACursor, Order, Scope, Store, StoreError,
    ThreadEdit,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

/// Events.
impl Repository {
    /// The events of a thread, the newest first.
    pub fn events(&self, scope: &Scope, thread_id: impl Into<String>) -> List<Events> {
        let listed = Events {
            thread_id: thread_id.into(),
            query: EventQuery::newest(0),
        };
        self.list(scope, listed)
    }

    /// An event of a thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, and for an event that is not in it or was removed.
    pub async fn event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, RepositoryError> {
        let event = self.running.store.event(scope, thread_id, event_id).await?;
        if event.is_deleted() {
            return Err(RepositoryError::NotFound("event in this thread"));
        }
        Ok(event)
    }

    /// Adds an event to a thread, behind those that are there.
    ///
    /// It begins no turn, whoever says it. A form can be answered by a user as one of a handler can.
    ///
    /// Awaiting it gives the event; `NotFound` for a thread outside the scope, or a run that is not in it;
    /// `UploadNotFound` for a part that has a `ref_id` and no `url`; `Conflict` for an id that is taken; `Invalid` for a
    /// message without content, and for a form that its [`check`](crate::protocol::Form::check) refuses or
    /// that has a password field while the server has no `WORKER_SECRET_KEY`.
    pub fn create_event(
        &self,
        scope: &Scope,
        thread_id: impl Into<String>,
        event: impl Into<Reply>,
    ) -> CreateEvent {
        CreateEvent::new(self.place(scope), thread_id.into(), event.into())
    }

    /// Changes what an event says. Its place stays. The result is the event as it is then.
    ///
    /// A turn that answers it already has read what it said before.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, and for an event that is not in it or was removed; `Conflict` for a text
    /// that still grows; `UploadNotFound` for a part that has a `ref_id` and no `url`; `Invalid` for no content at all,
    /// for a form's data that is not a [`Form`](crate::protocol::Form) or that its
    /// [`check`](crate::protocol::Form::check) refuses, and for a form with a password field if the server has no
    /// `WORKER_SECRET_KEY`.
    pub async fn update_event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
        change: impl FnOnce(EventPatch) -> EventPatch + Send,
    ) -> Result<ThreadEvent, RepositoryError> {
        let mut patch = change(EventPatch::default());
        patch.admit().map_err(StoreError::from)?;
        if let Some(content) = patch.new_content() {
            check_content(content)?;
            UploadNotFound::check(content)?;
        }
        if patch == EventPatch::default() {
            return self.event(scope, thread_id, event_id).await;
        }
        if let Some(data) = patch.new_data() {
            let event = self.event(scope, thread_id, event_id).await?;
            check_data(&self.running, event.kind, Some(data))?;
        }
        let event_id = event_id.to_owned();
        let edit = ThreadEdit::UpdateEvent { event_id, patch };
        event_of(self.edit(scope, thread_id, edit).await?)
    }

    /// Removes an event: what it said is gone, and its place stays, with an empty message that is
    /// [`deleted`](ThreadEvent::deleted).
    ///
    /// If it is a message that waits for its answer, or is being answered, that is cancelled. A form that was not answered
    /// cannot be any more.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, and for an event that is not in it or was removed already; `Conflict` for
    /// a text that still grows.
    pub async fn remove_event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<(), RepositoryError> {
        let edit = ThreadEdit::RemoveEvent {
            event_id: event_id.to_owned(),
            run_id: new_id(),
            at: timestamp::now(),
        };
        self.edit(scope, thread_id, edit).await?;
        Ok(())
    }
}

/// The events of a thread, in the order in which they came.
#[derive(Debug, Clone)]
pub struct Events {
    thread_id: String,
    query: EventQuery,
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
                    Order::NewestFirst => query.before = seq,
                    Order::OldestFirst => query.after = seq,
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

    /// The user who said it, and takes part in the thread from then on. It begins no turn: nobody answers it. Unless the
    /// reply names an author, that is the user's name, or else the mail address.
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.user = Some(user.into());
        self.actor(Actor::User)
    }
}

impl IntoFuture for CreateEvent {
    type Output = Result<ThreadEvent, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            check_id("an event", &self.id)?;
            let mut reply = self.reply;
            reply.admit().map_err(ReplyError::from)?;
            if let Some(content) = &reply.content {
                check_content(content)?;
            }
            UploadNotFound::check(reply.content())?;
            let Place { running, scope } = self.place;
            check_data(&running, reply.kind, reply.data.as_ref())?;
            let (assistant, at) = (&running.config.assistant_name, timestamp::now());
            let said = reply.into_event(self.id, &self.thread_id, assistant, at);
            let user = self.user.as_ref().filter(|_| said.actor == Actor::User);
            let event = ThreadEvent {
                run_id: self.run_id,
                author: said.author.clone().or_else(|| user?.author()),
                user: self.user,
                ..said
            };
            let edit = ThreadEdit::CreateEvent(Box::new(event));
            event_of(running.edit_thread(scope, self.thread_id, edit).await?)
        }
        .boxed()
    }
}

/// Refuses a form that could not be answered.
fn check_data(
    running: &Running,
    kind: EventType,
    data: Option<&Value>,
) -> Result<(), RepositoryError> {
    if kind != EventType::Form {
        return Ok(());
    }
    let form = data.map(Form::deserialize).transpose();
    let form = form.map_err(|error| {
        RepositoryError::Invalid(format!(
            "`data` of an event of type `form` is not a form: {error}; make it of a `Form`"
        ))
    })?;
    if let Some(form) = form {
        form.check().map_err(ReplyError::from)?;
    }
    let keys = &running.runner.answer_keys;
    keys.check_form(kind, data)
        .map_err(RepositoryError::Invalid)
}

/// Refuses content that says nothing.
fn check_content(content: &[ContentPart]) -> Result<(), RepositoryError> {
    if content.is_empty() {
        return Err(RepositoryError::Invalid(
            "`content` is empty, and an event says something; to take away what it says, remove it"
                .to_owned(),
        ));
    }
    Ok(())
}

/// The event among what changed.
fn event_of(changes: Vec<Change>) -> Result<ThreadEvent, RepositoryError> {
    found(changes, |body| match body {
        ChangeBody::Event(event) => Some(*event),
        _ => None,
    })
}
