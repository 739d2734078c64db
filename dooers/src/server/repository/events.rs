//! The events of a [`Repository`].

use super::handle::{check_id, found};
use super::list::{FindError, Part, Sealed};
use super::target::Target;
use super::{List, Listed, Repository, RepositoryError};
use crate::handler::{Reply, ReplyError};
use crate::protocol::{
    Actor, ContentPart, EventType, Form, ThreadEvent, UploadNotFound, User, new_id, timestamp,
};
use crate::server::server_state::ServerState;
use crate::store::{
    Admit, Change, ChangeBody, EventPatch, EventQuery, InvalidCursor, Order, Scope, Store,
    StoreError, ThreadEdit,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

/// Methods for events.
impl Repository {
    /// Lists the events of a thread, the newest first.
    pub fn events(&self, scope: &Scope, thread_id: impl Into<String>) -> List<Events> {
        let listed = Events {
            thread_id: thread_id.into(),
            query: EventQuery::newest(0),
        };
        self.list(scope, listed)
    }

    /// Reads an event of a thread.
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
        let place = self.place(scope);
        let (server, scope) = place.open()?;
        let event = server.store.event(scope, thread_id, event_id).await?;
        if event.is_deleted() {
            return Err(RepositoryError::NotFound("event in this thread"));
        }
        Ok(event)
    }

    /// Adds an event at the end of a thread.
    ///
    /// It starts no turn, even if its actor is a user. Users can answer a form of the program like a form of a handler.
    ///
    /// # Errors
    ///
    /// Awaiting it returns the event, or one of these errors:
    ///
    /// * `NotFound` for a thread outside the scope, or a run that is not in the thread
    /// * `UploadNotFound` for a part that has a `ref_id` and no `url`
    /// * `Conflict` for an id that is taken
    /// * `Invalid` for a message without content, for a form that its [`check`](crate::protocol::Form::check) refuses,
    ///   and for a form with a password field if the server has no `WORKER_SECRET_KEY`
    pub fn create_event(
        &self,
        scope: &Scope,
        thread_id: impl Into<String>,
        event: impl Into<Reply>,
    ) -> CreateEvent {
        CreateEvent::new(self.place(scope), thread_id.into(), event.into())
    }

    /// Changes the content or the data of an event, and returns the changed event. Its position in the thread stays.
    ///
    /// A turn that is already answering the event has read the previous content.
    ///
    /// # Errors
    ///
    /// * `NotFound` for a thread outside the scope, and for an event that is not in it or was removed
    /// * `Conflict` for a text that is still growing
    /// * `UploadNotFound` for a part that has a `ref_id` and no `url`
    /// * `Invalid` for empty content, for data of a form that is not a [`Form`] or that its
    ///   [`check`](crate::protocol::Form::check) refuses, and for a form with a password field if the server has no
    ///   `WORKER_SECRET_KEY`
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
            check_data(self.place(scope).open()?.0, event.kind, Some(data))?;
        }
        let event_id = event_id.to_owned();
        let edit = ThreadEdit::UpdateEvent { event_id, patch };
        event_of(self.edit(scope, thread_id, edit).await?)
    }

    /// Removes an event. Its content is deleted. Its position stays, with an empty message that is
    /// [`deleted`](ThreadEvent::deleted).
    ///
    /// If the event is a message whose turn is queued or running, the turn is cancelled. A form that was not answered
    /// can no longer be answered.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, and for an event that is not in it or was removed already; `Conflict` for
    /// a text that is still growing.
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

/// The events of a thread, ordered by their position.
#[derive(Debug, Clone)]
pub struct Events {
    thread_id: String,
    query: EventQuery,
}

/// Filters. Each of them can be called several times, and then accepts any of its values.
impl List<Events> {
    /// Lists only events of this actor.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.listed.query.actors.push(actor);
        self
    }

    /// Lists only events of this kind.
    pub fn kind(mut self, kind: EventType) -> Self {
        self.listed.query.kinds.push(kind);
        self
    }

    /// Lists only events of the user with this id.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        self.listed.query.user_ids.push(user_id.into());
        self
    }

    /// Lists only events of the run with this id.
    pub fn run(mut self, run_id: impl Into<String>) -> Self {
        self.listed.query.run_ids.push(run_id.into());
        self
    }

    /// Includes removed events, of which only the position is left.
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
                let seq = after.parse().map_err(|_| InvalidCursor)?;
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

/// The builder of an event. Awaiting it stores and publishes the event.
#[derive(Debug)]
#[must_use = "nothing is stored until it is awaited"]
pub struct CreateEvent {
    place: Target,
    thread_id: String,
    reply: Reply,
    id: String,
    run_id: Option<String>,
    user: Option<User>,
}

impl CreateEvent {
    pub(super) fn new(place: Target, thread_id: String, reply: Reply) -> Self {
        Self {
            place,
            thread_id,
            reply,
            id: new_id(),
            run_id: None,
            user: None,
        }
    }

    /// Sets the id, of 1 to 128 bytes, which no other event may have. By default, an id is generated.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the run that the event belongs to. The run must be in the same thread.
    pub fn run(mut self, run_id: impl Into<String>) -> Self {
        self.run_id = Some(run_id.into());
        self
    }

    /// Sets the actor. The default is the assistant, or the tool for the result of a tool.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.reply.actor = actor;
        self
    }

    /// Sets the user as the sender, who is a participant of the thread from then on. The event still starts no turn.
    /// Unless the reply names an author, the author is the name of the user, or else the mail address.
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
            let (server, scope) = self.place.open()?;
            check_data(server, reply.kind, reply.data.as_ref())?;
            let (assistant, at) = (&server.config.assistant_name, timestamp::now());
            let said = reply.into_event(self.id, &self.thread_id, assistant, at);
            let user = self.user.as_ref().filter(|_| said.actor == Actor::User);
            let event = ThreadEvent {
                run_id: self.run_id,
                author: said.author.clone().or_else(|| user?.author()),
                user: self.user,
                ..said
            };
            let edit = ThreadEdit::CreateEvent(Box::new(event));
            event_of(
                server
                    .edit_thread(scope.clone(), self.thread_id, edit)
                    .await?,
            )
        }
        .boxed()
    }
}

/// Refuses a form that cannot be answered.
fn check_data(
    server: &ServerState,
    kind: EventType,
    data: Option<&Value>,
) -> Result<(), RepositoryError> {
    if kind != EventType::Form {
        return Ok(());
    }
    let form = data.map(Form::deserialize).transpose();
    let form = form.map_err(|error| {
        RepositoryError::Invalid(format!(
            "`data` of an event of type `form` is not a form: {error}; create it from a `Form`"
        ))
    })?;
    if let Some(form) = form {
        form.check().map_err(ReplyError::from)?;
    }
    let keys = &server.runner.answer_keys;
    keys.check_form(kind, data)
        .map_err(RepositoryError::Invalid)
}

/// Refuses empty content.
fn check_content(content: &[ContentPart]) -> Result<(), RepositoryError> {
    if content.is_empty() {
        return Err(RepositoryError::Invalid(
            "`content` is empty, and an event must have content; to delete the content, remove the event"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Finds the event among the changes.
fn event_of(changes: Vec<Change>) -> Result<ThreadEvent, RepositoryError> {
    found(changes, |body| match body {
        ChangeBody::Event(event) => Some(*event),
        _ => None,
    })
}
