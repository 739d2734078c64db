//! A user's message on its way into the store.

use super::{
    AnswerSeal, Change, Claim, KeyedDigest, Participant, Position, Scope, SealedAnswer, StoreError,
};
use crate::protocol::{
    ContentPart, EventType, Form, FormAnswer, ShownData, Thread, ThreadEvent, User, hidden_fields,
    password_fields, without_values,
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::fmt;

/// A user's message.
///
/// `Debug` does not show the answers to a form.
#[derive(Clone)]
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
    /// The answers of a `form.response`, sealed. A form with password fields needs it: what was typed into these is stored
    /// in no other way.
    pub seal: Option<AnswerSeal>,
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
            author: self.user.author(),
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

    /// The answer as it is stored, if it fits the form's event. What was typed into password fields is only in its seal.
    ///
    /// # Errors
    ///
    /// `NotFound` for an event that is not a form, `Conflict` for a form that was answered before, `Invalid` for an answer
    /// that does not fit.
    pub(crate) fn accepted(
        &self,
        answer: &FormAnswer,
        form_event: Option<&ThreadEvent>,
        is_answered: bool,
    ) -> Result<Self, StoreError> {
        let form = check_answer(form_event, is_answered, answer)?;
        let passwords = form.map(password_fields).unwrap_or_default();
        let data = self
            .data
            .clone()
            .map(|data| without_values(data, &passwords));
        let hidden = data.as_ref().map(hidden_fields).unwrap_or_default();
        let seal = self.seal.clone().filter(|_| !hidden.is_empty());
        match hidden.first() {
            // Who cancels a form sends nothing that the agent needs.
            Some(name) if seal.is_none() && !answer.cancelled => Err(StoreError::Invalid(format!(
                "`payload.event.data.values.{name}` is for a password field, and the server has no key to seal it with until the agent reads it; set WORKER_SECRET_KEY"
            ))),
            _ => Ok(Self {
                data,
                seal,
                ..self.clone()
            }),
        }
    }

    /// The values of the password fields that were filled.
    pub(crate) fn sealed(&self) -> Option<&SealedAnswer> {
        let seal = self.seal.as_ref();
        seal.filter(|_| self.kind == EventType::FormResponse)
            .map(|seal| &seal.sealed)
    }

    /// Whether the data is that of a stored event. What was typed into password fields can be compared by its hash, which
    /// is there as long as the event's turn.
    fn has_data_of(&self, stored: &ThreadEvent, digest: Option<&KeyedDigest>) -> bool {
        if self.kind != EventType::FormResponse {
            return self.data == stored.data;
        }
        let hidden = stored.data.as_ref().map(hidden_fields).unwrap_or_default();
        let data = self.data.clone().map(|data| without_values(data, &hidden));
        let may_repeat = match (&self.seal, digest) {
            (Some(seal), Some(digest)) => seal.may_repeat(digest),
            _ => true,
        };
        data == stored.data && may_repeat
    }

    /// Refuses a message that is not the stored one of the same `client_event_id`. The hash is that of the event's turn.
    pub(crate) fn must_repeat(
        &self,
        stored: &ThreadEvent,
        digest: Option<&KeyedDigest>,
    ) -> Result<(), StoreError> {
        let names_its_thread = match &self.thread {
            ThreadTarget::Existing(id) => *id == stored.thread_id,
            ThreadTarget::ExistingOrNew(thread) => thread.id == stored.thread_id,
            ThreadTarget::New(_) => true,
        };
        let says_the_same = self.kind == stored.kind
            && Some(&self.content) == stored.content.as_ref()
            && self.has_data_of(stored, digest);
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

impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = ShownData {
            kind: self.kind,
            data: self.data.as_ref(),
        };
        f.debug_struct("NewMessage")
            .field("thread", &self.thread)
            .field("event_id", &self.event_id)
            .field("kind", &self.kind)
            .field("content", &self.content)
            .field("data", &data)
            .field("seal", &self.seal)
            .field("client_event_id", &self.client_event_id)
            .field("user", &self.user)
            .field("participant", &self.participant)
            .field("at", &self.at)
            .finish()
    }
}

/// Refuses an answer that the form's event does not allow. The result is the form.
fn check_answer<'a>(
    form_event: Option<&'a ThreadEvent>,
    is_answered: bool,
    answer: &FormAnswer,
) -> Result<Option<&'a Value>, StoreError> {
    let form_event = form_event
        .filter(|event| event.kind == EventType::Form)
        .ok_or(StoreError::NotFound("form in this thread"))?;
    if is_answered {
        return Err(StoreError::Conflict(
            "this form is answered; another answer is accepted only if the turn of that one does not succeed"
                .to_owned(),
        ));
    }
    let form: Option<Form> = form_event
        .data
        .clone()
        .and_then(|data| serde_json::from_value(data).ok());
    match form {
        Some(form) => answer
            .check(&form)
            .map_err(|misfit| StoreError::Invalid(misfit.to_string()))?,
        None if answer.cancelled => {}
        // Nobody could check what it is answered.
        None => {
            return Err(StoreError::Invalid(
                "the form that `payload.event.data.form_event_id` names cannot be read; it can only be cancelled"
                    .to_owned(),
            ));
        }
    }
    Ok(form_event.data.as_ref())
}
