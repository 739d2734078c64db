//! A user's message on its way into the store.

use super::{
    AnswerSeal, AnsweredQuestion, Change, Claim, KeyedDigest, Participant, Position, Scope,
    SealedAnswer, StoreError,
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
    /// The thread that the message belongs to.
    pub thread: ThreadTarget,
    /// The id of the message's event.
    pub event_id: String,
    /// `message` or `form.response`.
    pub kind: EventType,
    /// The content of the message.
    pub content: Vec<ContentPart>,
    /// Data of the message. For a `form.response`, the answers.
    pub data: Option<Value>,
    /// The sealed answers of a `form.response`. Required if the form has password fields: their values are stored only
    /// in the seal.
    pub seal: Option<AnswerSeal>,
    /// JSON of the sender's identity for the handler. It is kept with the turn, and not in the event.
    pub identity: Option<String>,
    /// The sender's own id of the message.
    pub client_event_id: Option<String>,
    /// `true` if the program sends the message. Its ids are not those of clients, so that no client can use them up.
    pub is_of_program: bool,
    /// The sender.
    pub user: User,
    /// The participant that the sender acts as.
    pub participant: Participant,
    /// The time of the message.
    pub at: DateTime<Utc>,
}

/// The thread that a message is sent to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ThreadTarget {
    /// A thread that exists.
    Existing(String),
    /// A new thread.
    New(NewThread),
    /// The thread with this id, which is created if it does not exist.
    ExistingOrNew(NewThread),
}

/// A thread that is created for a message.
#[derive(Debug, Clone)]
pub struct NewThread {
    /// The id of the thread.
    pub id: String,
    /// The title of the thread.
    pub title: Option<String>,
    /// JSON that is stored with the thread.
    pub metadata: Option<Value>,
}

impl NewThread {
    /// Creates a thread with this id, without title and metadata.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: None,
            metadata: None,
        }
    }

    /// Creates the thread of this owner, in this scope.
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

/// Returns the user if clients show it. `None` for an anonymous user, whose id is empty.
pub(crate) fn shown(user: &User) -> Option<&User> {
    Some(user).filter(|user| !user.user_id.is_empty())
}

impl ThreadTarget {
    /// Returns the id of the thread.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Existing(id) => id,
            Self::New(thread) | Self::ExistingOrNew(thread) => &thread.id,
        }
    }
}

/// The result of beginning a turn: a stored message.
#[derive(Debug)]
pub struct BeginOutcome {
    /// The stored event.
    pub event: ThreadEvent,
    /// The `rev` with which the event was created.
    pub rev: u64,
    /// `true` if the message was stored before and nothing has changed now.
    pub is_repeated: bool,
    /// The changes that were made: the thread if it is new or its users changed, the event, and the run if the turn was
    /// claimed.
    pub changes: Vec<Change>,
    /// The turn, if it was claimed.
    pub claim: Option<Claim>,
    /// The messages whose turns run and must be cancelled in favour of this one.
    pub interrupted: Vec<String>,
    /// The question of a running turn, if the message answers it. Such a message has no turn of its own.
    pub answered: Option<AnsweredQuestion>,
}

impl BeginOutcome {
    /// Returns `true` if the message created the thread: the thread's own row is then its first change.
    pub(crate) fn makes_thread(&self) -> bool {
        self.changes.first().is_some_and(|change| change.rev == 1)
    }

    /// Returns the position of a reader that has everything up to this message, as it was when it was new.
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
    /// Creates the event with this `seq`.
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

    /// Parses the answer to a form, if the message is one.
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

    /// Returns the message as it is stored, if the answer fits the form's event. The values of password fields are only
    /// in the seal.
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
            // A cancelled form has no values that the agent needs.
            Some(name) if seal.is_none() && !answer.cancelled => Err(StoreError::Invalid(format!(
                "`payload.event.data.values.{name}` is for a password field, and the server has no key to seal the value with until the agent reads it; set WORKER_SECRET_KEY"
            ))),
            _ => Ok(Self {
                data,
                seal,
                ..self.clone()
            }),
        }
    }

    /// Returns the sealed values of the password fields that were filled.
    pub(crate) fn sealed(&self) -> Option<&SealedAnswer> {
        let seal = self.seal.as_ref();
        seal.filter(|_| self.kind == EventType::FormResponse)
            .map(|seal| &seal.sealed)
    }

    /// Returns `true` if the data equals that of a stored event. The values of password fields are compared by their
    /// hash, which exists as long as the event's turn.
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

    /// Refuses a message that differs from the stored one with the same `client_event_id`. The hash belongs to the
    /// event's turn.
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
        // The content of a removed message is gone, so it cannot be compared.
        if names_its_thread && (says_the_same || stored.is_deleted()) {
            return Ok(());
        }
        Err(id_was_used("for another message"))
    }
}

/// Returns the error for a message whose `client_event_id` was used for a message to another agent.
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
            .field("is_of_program", &self.is_of_program)
            .field("user", &self.user)
            .field("participant", &self.participant)
            .field("at", &self.at)
            .finish()
    }
}

/// Refuses an answer that does not fit the form's event. Returns the form.
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
            "this form is answered; another answer is accepted only if the turn of the first one does not succeed"
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
        // Without the form, the answer cannot be checked.
        None => {
            return Err(StoreError::Invalid(
                "the form that `payload.event.data.form_event_id` names cannot be read; it can only be cancelled"
                    .to_owned(),
            ));
        }
    }
    Ok(form_event.data.as_ref())
}
