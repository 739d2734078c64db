//! The message that a turn answers.

use super::secrets::AnswerSecrets;
use crate::auth::Identity;
use crate::protocol::{
    Actor, ContentPart, EventType, FormAnswer, Thread, ThreadEvent, User, hidden_fields,
    joined_text, new_id, with_values,
};
use crate::text::split_at_cluster;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;

/// A message of a user and its context.
///
/// ```
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn greeter(request: WorkerRequest) -> String {
///     let name = request.user.user_name.unwrap_or_else(|| "stranger".to_owned());
///     format!("Hello {name}, you wrote: {}", request.message)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // A unit test creates a request from its text.
/// let answer = greeter(WorkerRequest::new("Hi")).await;
/// assert_eq!(answer, "Hello stranger, you wrote: Hi");
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerRequest {
    /// The text of the message: its text parts, joined by line breaks.
    pub message: String,
    /// The parts of the message.
    pub content: Vec<ContentPart>,
    /// The thread of the message.
    pub thread: Thread,
    /// The id of the message's event.
    pub event_id: String,
    /// The author of the message.
    pub user: User,
    /// The organization of the author.
    pub organization_id: String,
    /// The workspace of the author.
    pub workspace_id: String,
    /// The data that the client sent with the message. Use [`form`](Self::form) to read the answers to a form: answers
    /// to password fields are not in `data`.
    pub data: Option<Value>,
    /// The metadata of the thread.
    pub metadata: Option<Value>,
    /// `message`, or `form.response` for the answers to a form.
    pub(crate) kind: EventType,
    /// The answers that are not in `data`.
    secrets: AnswerSecrets,
    /// The identity of the author, if an authenticator has confirmed it.
    identity: Option<Box<Identity>>,
    /// The number of this attempt, from 1.
    pub(crate) attempt: u32,
}

impl WorkerRequest {
    /// Creates a request for a unit test: a message with this text, by an anonymous user in a thread of its own.
    ///
    /// Tests can set all fields.
    pub fn new(message: impl Into<String>) -> Self {
        let event = ThreadEvent {
            content: Some(vec![ContentPart::text(message)]),
            ..ThreadEvent::of(new_id(), EventType::Message, Actor::User)
        };
        Self::of(Thread::of_nobody(), event, 1)
    }

    /// Creates a request for a unit test that answers a form. `form_event_id` is the id of the form's event, and
    /// `values` contains the answers by the names of the form's elements. The answers are not checked against a form.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use serde_json::json;
    ///
    /// let request = WorkerRequest::form_response("form-1", json!({"size": "L"}));
    /// let form = request.form().expect("it answers a form");
    /// assert_eq!(form.values["size"], "L");
    /// ```
    pub fn form_response(form_event_id: impl Into<String>, values: impl Into<Value>) -> Self {
        Self::answer(&form_event_id.into(), false, &values.into())
    }

    /// Creates a request for a unit test that cancels a form. `form_event_id` is the id of the form's event.
    pub fn form_cancelled(form_event_id: impl Into<String>) -> Self {
        Self::answer(&form_event_id.into(), true, &json!({}))
    }

    fn answer(form_event_id: &str, cancelled: bool, values: &Value) -> Self {
        let data =
            json!({"form_event_id": form_event_id, "cancelled": cancelled, "values": values});
        let event = ThreadEvent {
            data: Some(data),
            ..ThreadEvent::of(new_id(), EventType::FormResponse, Actor::User)
        };
        Self::of(Thread::of_nobody(), event, 1)
    }

    /// Creates a request from a stored message.
    pub(crate) fn of(thread: Thread, event: ThreadEvent, attempt: u32) -> Self {
        let content = event.content.unwrap_or_default();
        Self {
            message: joined_text(&content),
            content,
            event_id: event.id,
            user: event.user.unwrap_or_else(|| User::new("")),
            organization_id: thread.organization_id.clone(),
            workspace_id: thread.workspace_id.clone(),
            data: event.data,
            metadata: thread.metadata.clone(),
            kind: event.kind,
            secrets: AnswerSecrets::default(),
            identity: None,
            attempt,
            thread,
        }
    }

    /// Adds the answers to password fields.
    pub(crate) fn with_secrets(self, secrets: AnswerSecrets) -> Self {
        Self { secrets, ..self }
    }

    /// Adds the identity of the author, as the store has kept it.
    pub(crate) fn with_stored_identity(self, stored: Option<&str>) -> Self {
        let identity = stored.and_then(|json| match serde_json::from_str(json) {
            Ok(identity) => Some(identity),
            // The handler then sees a user without rights.
            Err(error) => {
                tracing::error!(target: "dooers::turn", event_id = self.event_id, %error, "the stored identity of a message is not readable");
                None
            }
        });
        Self { identity, ..self }
    }

    /// Sets the identity of the author, with its user, organization and workspace, for a unit test.
    ///
    /// ```
    /// use dooers::auth::Identity;
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent]
    /// async fn greeter(request: WorkerRequest) -> String {
    ///     let plan = request.identity().claims.get("plan").cloned();
    ///     format!("Hello {}, your plan is {}", request.user.user_id, plan.unwrap_or_default())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let ana = Identity::new("ana").claim("plan", "gold");
    /// let answer = greeter(WorkerRequest::new("Hi").with_identity(ana)).await;
    /// assert_eq!(answer, "Hello ana, your plan is \"gold\"");
    /// # }
    /// ```
    #[must_use]
    pub fn with_identity(self, identity: Identity) -> Self {
        Self {
            user: identity.user.clone(),
            organization_id: identity.organization_id.clone(),
            workspace_id: identity.workspace_id.clone(),
            identity: Some(Box::new(identity)),
            ..self
        }
    }

    /// The identity of the author: what the [`Authenticator`](crate::auth::Authenticator) returned, with its claims.
    ///
    /// Without an authenticator, and for a message of the program, it has the user, the organization and the workspace of the
    /// message, and no rights and claims.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.confirmed_identity().cloned().unwrap_or_else(|| {
            Identity::new(self.user.clone())
                .organization(&self.organization_id)
                .workspace(&self.workspace_id)
        })
    }

    /// The identity of the author, if an authenticator has confirmed it.
    pub(crate) fn confirmed_identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// The first `characters` characters of the message, as readers see them.
    ///
    /// Characters are grapheme clusters. A flag, a family emoji, a keycap or a letter with its accents is one
    /// character and is never cut. To make the title of a thread, use [`title_from`](crate::title_from).
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// let request = WorkerRequest::new("👩‍🚀🇧🇷 to the moon");
    /// assert_eq!(request.message_prefix(2), "👩‍🚀🇧🇷");
    /// ```
    #[must_use]
    pub fn message_prefix(&self, characters: usize) -> &str {
        split_at_cluster(&self.message, characters).0
    }

    /// The answers to a form. `None` for a message, even if its `data` looks like answers: only events of type
    /// `form.response` are checked against a form.
    ///
    /// Answers to password fields are only available here. They are not in `data`, in the history, or in the events
    /// that clients see.
    #[must_use]
    pub fn form(&self) -> Option<FormResponse> {
        FormResponse::of(self.kind, self.data.as_ref(), &self.secrets)
    }

    /// The number of this attempt to answer the message. It starts at 1 and increases with each retry.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// Converts the request to the event of its message, for [`WorkerMemory::of`](crate::WorkerMemory::of) in unit tests.
impl From<WorkerRequest> for ThreadEvent {
    fn from(request: WorkerRequest) -> Self {
        Self {
            thread_id: request.thread.id,
            author: request.user.author(),
            user: Some(request.user),
            content: Some(request.content),
            data: request.data,
            ..Self::of(request.event_id, request.kind, Actor::User)
        }
    }
}

/// The answers to a form.
///
/// `Debug` hides the answers to password fields.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct FormResponse {
    /// The id of the form's event.
    pub form_event_id: String,
    /// True if the user cancelled the form.
    pub cancelled: bool,
    /// The answers by the names of the form's elements.
    pub values: Map<String, Value>,
    /// The names of the password fields that have an answer.
    pub(super) hidden: Vec<String>,
}

impl FormResponse {
    /// Reads the answers from the data of an event. `None` if the event does not answer a form.
    pub(crate) fn of(
        kind: EventType,
        data: Option<&Value>,
        secrets: &AnswerSecrets,
    ) -> Option<Self> {
        let data = data.filter(|_| kind == EventType::FormResponse)?;
        let hidden = hidden_fields(data);
        let answer = FormAnswer::deserialize(data).ok()?;
        Some(Self {
            form_event_id: answer.form_event_id,
            cancelled: answer.cancelled,
            values: with_values(answer.values, &hidden, secrets.values()),
            hidden,
        })
    }

    /// Creates answers to no particular form. Values that are not an object count as no answers.
    pub(super) fn of_values(values: Value) -> Self {
        let values = match values {
            Value::Object(values) => values,
            _ => Map::new(),
        };
        Self {
            form_event_id: String::new(),
            cancelled: false,
            values,
            hidden: Vec::new(),
        }
    }
}

impl fmt::Debug for FormResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut values = self.values.clone();
        for name in &self.hidden {
            values.insert(name.clone(), Value::from("[hidden]"));
        }
        f.debug_struct("FormResponse")
            .field("form_event_id", &self.form_event_id)
            .field("cancelled", &self.cancelled)
            .field("values", &values)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_prefix_never_cuts_a_character() {
        for (message, prefix) in [
            ("größer", "grö"),
            ("gro\u{308}ßer", "gro\u{308}"),
            ("🇧🇷🇵🇹🇦🇴🇲🇿", "🇧🇷🇵🇹🇦🇴"),
            ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦!?", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦!"),
            ("1️⃣2️⃣3️⃣4️⃣", "1️⃣2️⃣3️⃣"),
        ] {
            let request = WorkerRequest::new(message);
            assert_eq!(request.message_prefix(3), prefix);
            assert_eq!(request.message_prefix(60), message);
            assert_eq!(request.message_prefix(0), "");
        }
    }

    #[test]
    fn form_reads_the_answers_of_a_form_response() {
        let request = WorkerRequest::form_response("f", json!({"name": "Ada"}));
        let form = request.form().unwrap();
        assert_eq!(form.form_event_id, "f");
        assert!(!form.cancelled);
        assert_eq!(form.values["name"], "Ada");
        let form = WorkerRequest::form_cancelled("f").form().unwrap();
        assert!(form.cancelled && form.values.is_empty());
    }

    #[test]
    fn form_is_none_for_a_message_that_looks_like_one() {
        let mut request = WorkerRequest::new("");
        assert_eq!(request.form(), None);
        request.data = Some(json!({"form_event_id": "f", "values": {"name": "Ada"}}));
        assert_eq!(request.form(), None);
        assert_eq!(ThreadEvent::from(request).kind, EventType::Message);
    }

    #[test]
    fn event_of_a_form_response_keeps_its_type() {
        let request = WorkerRequest::form_response("f", json!({}));
        let event = ThreadEvent::from(request);
        assert_eq!(event.kind, EventType::FormResponse);
        assert_eq!(event.answered_form(), Some("f"));
    }
}
