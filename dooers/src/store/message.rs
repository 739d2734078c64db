//! A user's message on its way into the store.

use super::{Change, Claim, Participant, Position, Scope, StoreError};
use crate::protocol::{ContentPart, EventType, Form, FormAnswer, Thread, ThreadEvent, User};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// A user's message.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Where it goes.
    pub thread: ThreadTarget,
    /// The id of its event.
    pub event_id: String,
    /// `message` or `form.response`.
    pub kind: EventType,
    /// What it says.
    pub content: Vec<ContentPart>,
    /// What came with it; the answers of a `form.response`.
    pub data: Option<Value>,
    /// The client's own id for it.
    pub client_event_id: Option<String>,
    /// Who wrote it.
    pub user: User,
    /// As whom they take part.
    pub participant: Participant,
    /// When.
    pub at: DateTime<Utc>,
}

/// The thread that a message goes to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ThreadTarget {
    /// One that is there.
    Existing(String),
    /// A new one.
    New(NewThread),
    /// The one of this id, which is made if there is none.
    ExistingOrNew(NewThread),
}

/// A thread that is made for a message.
#[derive(Debug, Clone)]
pub struct NewThread {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
    /// Kept with it.
    pub metadata: Option<Value>,
}

impl NewThread {
    /// A thread of this id, without a title and metadata.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: None,
            metadata: None,
        }
    }

    /// The thread of this owner, in this scope.
    pub(crate) fn thread(&self, scope: &Scope, owner: &User, at: DateTime<Utc>) -> Thread {
        Thread {
            id: self.id.clone(),
            worker_id: scope.worker_id.clone(),
            agent_id: scope.worker_id.clone(),
            organization_id: scope.organization_id.clone(),
            workspace_id: scope.workspace_id.clone(),
            owner: owner.clone(),
            users: shown(owner).cloned().into_iter().collect(),
            title: self.title.clone(),
            metadata: self.metadata.clone(),
            created_at: at,
            updated_at: at,
            last_event_at: at,
        }
    }
}

/// A user, as clients show them; nobody for an empty id.
pub(crate) fn shown(user: &User) -> Option<&User> {
    Some(user).filter(|user| !user.user_id.is_empty())
}

impl ThreadTarget {
    /// The thread's id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Existing(id) => id,
            Self::New(thread) | Self::ExistingOrNew(thread) => &thread.id,
        }
    }
}

/// A message that is stored.
#[derive(Debug)]
pub struct Begun {
    /// Its event, as it is stored.
    pub event: ThreadEvent,
    /// The `rev` with which it was made.
    pub rev: u64,
    /// Whether it was stored before and nothing has changed now.
    pub is_repeated: bool,
    /// What changed: the thread if it is new or has a new user, the event, the run if the turn was claimed.
    pub changes: Vec<Change>,
    /// The turn, if it was claimed.
    pub claim: Option<Claim>,
    /// Whether its turn is over, as it may be of a message that is repeated.
    pub is_over: bool,
    /// The messages whose turns run and are to be cancelled for this one.
    pub interrupted: Vec<String>,
}

impl Begun {
    /// Whether the thread is new: its own row is then its first change.
    pub(crate) fn makes_thread(&self) -> bool {
        self.changes.first().is_some_and(|change| change.rev == 1)
    }

    /// What a reader has who has all up to this message, as it was when it was new.
    pub(crate) fn position(&self) -> Position {
        Position {
            first_seq: self.event.seq,
            last_seq: self.event.seq,
            sent_from: self.event.seq,
            rev: self.rev,
            known: None,
        }
    }
}

impl NewMessage {
    /// The event, at this place in its thread.
    pub(crate) fn event(&self, seq: u64) -> ThreadEvent {
        ThreadEvent {
            id: self.event_id.clone(),
            thread_id: self.thread.id().to_owned(),
            run_id: None,
            kind: self.kind,
            actor: crate::protocol::Actor::User,
            author: None,
            user: Some(self.user.clone()),
            content: Some(self.content.clone()),
            data: self.data.clone(),
            created_at: self.at,
            streaming: None,
            finalized: None,
            delta_seq: None,
            deleted: None,
            client_event_id: self.client_event_id.clone(),
            seq,
        }
    }

    /// The form that is answered, with the answers.
    pub(crate) fn form_answer(&self) -> Result<Option<FormAnswer>, StoreError> {
        if self.kind != EventType::FormResponse {
            return Ok(None);
        }
        let data = self.data.clone().unwrap_or_default();
        let answer = serde_json::from_value(data).map_err(|error| {
            StoreError::Invalid(format!(
                "`payload.event.data` of a `form.response` is {{\"form_event_id\", \"cancelled\", \"values\"}}: {error}"
            ))
        })?;
        Ok(Some(answer))
    }

    /// Refuses a message that is not the stored one of the same `client_event_id`.
    pub(crate) fn must_repeat(&self, stored: &ThreadEvent) -> Result<(), StoreError> {
        let names_its_thread = match &self.thread {
            ThreadTarget::Existing(id) => *id == stored.thread_id,
            ThreadTarget::ExistingOrNew(thread) => thread.id == stored.thread_id,
            ThreadTarget::New(_) => true,
        };
        let says_the_same = self.kind == stored.kind
            && Some(&self.content) == stored.content.as_ref()
            && self.data == stored.data;
        // What a message that was removed had said is gone.
        if names_its_thread && (says_the_same || stored.is_deleted()) {
            return Ok(());
        }
        Err(id_was_used("for another message"))
    }
}

/// A message is not the one to another agent that was stored under its `client_event_id`.
pub(crate) fn was_sent_to_another_agent() -> StoreError {
    id_was_used("with another agent of the worker")
}

fn id_was_used(how: &str) -> StoreError {
    StoreError::Conflict(format!(
        "this `client_event_id` was used {how}; make a new one for each message"
    ))
}

/// Refuses an answer that the form's event does not allow.
pub(crate) fn check_answer(
    form_event: Option<&ThreadEvent>,
    is_answered: bool,
    answer: &FormAnswer,
) -> Result<(), StoreError> {
    let form_event = form_event
        .filter(|event| event.kind == EventType::Form)
        .ok_or(StoreError::NotFound("form in this thread"))?;
    if is_answered {
        return Err(StoreError::Conflict(
            "this form has been answered".to_owned(),
        ));
    }
    let form: Option<Form> = form_event
        .data
        .clone()
        .and_then(|data| serde_json::from_value(data).ok());
    match form {
        Some(form) => answer
            .check(&form)
            .map_err(|misfit| StoreError::Invalid(misfit.to_string())),
        None if answer.cancelled => Ok(()),
        // Nobody could check what it is answered.
        None => Err(StoreError::Invalid(
            "the form that `payload.event.data.form_event_id` names cannot be read; it can only be cancelled"
                .to_owned(),
        )),
    }
}
