//! The commands of clients.

use super::user::null_as_default;
use super::{
    ConnectPayload, ContentPart, ErrorBody, EventType, FeedbackPayload, SettingsPatchPayload,
    SettingsSubscribePayload, ShownData, WorkerPayload, clean_id, integers, scan, whole_number,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// The command verbs, by their name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum IncomingKind {
    #[serde(rename = "connect")]
    Connect,
    #[serde(rename = "ping")]
    Ping,
    #[serde(rename = "thread.list")]
    ThreadList,
    #[serde(rename = "thread.subscribe")]
    ThreadSubscribe,
    #[serde(rename = "thread.unsubscribe")]
    ThreadUnsubscribe,
    #[serde(rename = "thread.update")]
    ThreadUpdate,
    #[serde(rename = "thread.delete")]
    ThreadDelete,
    #[serde(rename = "event.create")]
    EventCreate,
    #[serde(rename = "event.list")]
    EventList,
    #[serde(rename = "feedback")]
    Feedback,
    #[serde(rename = "analytics.subscribe")]
    AnalyticsSubscribe,
    #[serde(rename = "analytics.unsubscribe")]
    AnalyticsUnsubscribe,
    #[serde(rename = "settings.subscribe")]
    SettingsSubscribe,
    #[serde(rename = "settings.unsubscribe")]
    SettingsUnsubscribe,
    #[serde(rename = "settings.patch")]
    SettingsPatch,
    #[serde(rename = "settings.public_schema")]
    SettingsPublicSchema,
    #[serde(rename = "run.cancel")]
    RunCancel,
}

impl IncomingKind {
    /// Returns true if a client may send this verb before `connect`.
    pub(crate) fn is_allowed_before_connect(self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Ping | Self::SettingsPublicSchema
        )
    }
}

/// A frame whose payload has not been parsed yet.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) kind: IncomingKind,
    payload: Option<Box<RawValue>>,
    /// Some clients put the metadata of a new thread beside the payload.
    metadata: Option<Box<RawValue>>,
    /// True if the frame may contain an integer that does not fit in 64 bits.
    has_long_integer: bool,
}

/// A refusal with the id of the frame that it answers. The id is `""` if it could not be read.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) ack_id: String,
    pub(crate) error: ErrorBody,
}

#[derive(Deserialize)]
struct RawEnvelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    metadata: Option<Box<RawValue>>,
}

impl Envelope {
    /// Parses the outer members of a frame.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let unreadable = |error| Refusal {
            ack_id: String::new(),
            error,
        };
        let scan::Scan { has_long_integer } = scan::scan(text).map_err(unreadable)?;
        if !text.trim_start().starts_with('{') {
            return Err(unreadable(ErrorBody::invalid_frame(
                "a frame is one JSON object: {\"id\": …, \"type\": …, \"payload\": {…}}",
            )));
        }
        let raw: RawEnvelope<'_> = serde_json::from_str(text).map_err(|error| {
            unreadable(ErrorBody::invalid_frame(format!(
                "the frame is not readable JSON: {error}"
            )))
        })?;
        let Some(id) = raw.id.and_then(as_text) else {
            return Err(unreadable(ErrorBody::invalid_frame(
                "the frame's `id` must be a text",
            )));
        };
        clean_id("id", &id).map_err(|error| Refusal {
            // An id with U+0000 cannot be sent back. Without the character, it may be the id of another frame.
            ack_id: if id.contains('\0') {
                String::new()
            } else {
                id.clone()
            },
            error,
        })?;
        let refused = |error| Refusal {
            ack_id: id.clone(),
            error,
        };
        let Some(name) = raw.kind.and_then(as_text) else {
            return Err(refused(ErrorBody::invalid_frame(
                "the frame's `type` must be a text",
            )));
        };
        let name_input = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&name);
        let Ok(kind) = IncomingKind::deserialize(name_input) else {
            return Err(refused(ErrorBody::invalid_frame(format!(
                "there is no frame type `{}`",
                shortened(&name)
            ))));
        };
        Ok(Self {
            kind,
            payload: raw.payload,
            metadata: raw.metadata,
            has_long_integer,
            id,
        })
    }

    /// Parses the payload.
    pub(crate) fn command(self) -> Result<Command, ErrorBody> {
        self.check_integers()?;
        Ok(match self.kind {
            IncomingKind::Connect => Command::Connect(Box::new(self.payload()?)),
            IncomingKind::Ping => {
                self.payload::<Empty>()?;
                Command::Ping
            }
            IncomingKind::ThreadList => Command::ThreadList(self.payload()?),
            IncomingKind::ThreadSubscribe => {
                let payload: ThreadSubscribePayload = self.payload()?;
                Command::ThreadSubscribe {
                    thread_id: payload.thread_id,
                    after_event_id: payload.after_event_id,
                }
            }
            IncomingKind::ThreadUnsubscribe => {
                Command::ThreadUnsubscribe(self.payload::<ThreadPayload>()?.thread_id)
            }
            IncomingKind::ThreadUpdate => Command::ThreadUpdate(self.payload()?),
            IncomingKind::ThreadDelete => {
                Command::ThreadDelete(self.payload::<ThreadPayload>()?.thread_id)
            }
            IncomingKind::EventCreate => {
                let mut draft: EventDraft = self.payload()?;
                if draft.metadata.is_none() {
                    draft.metadata = self.metadata_beside()?;
                }
                Command::EventCreate(Box::new(draft))
            }
            IncomingKind::EventList => Command::EventList(self.payload()?),
            IncomingKind::SettingsSubscribe => Command::SettingsSubscribe(self.payload()?),
            IncomingKind::SettingsUnsubscribe => Command::SettingsUnsubscribe(self.payload()?),
            IncomingKind::SettingsPatch => Command::SettingsPatch(self.payload()?),
            IncomingKind::SettingsPublicSchema => {
                self.payload::<Empty>()?;
                Command::SettingsPublicSchema
            }
            IncomingKind::RunCancel => Command::RunCancel(self.payload()?),
            IncomingKind::Feedback => Command::Feedback(self.payload()?),
            IncomingKind::AnalyticsSubscribe => Command::AnalyticsSubscribe(self.payload()?),
            IncomingKind::AnalyticsUnsubscribe => Command::AnalyticsUnsubscribe(self.payload()?),
        })
    }

    /// Refuses integers that would be rounded, in the members whose JSON is stored.
    fn check_integers(&self) -> Result<(), ErrorBody> {
        if !self.has_long_integer {
            return Ok(());
        }
        let payload = self.payload.as_deref().map(RawValue::get);
        // A payload with another structure is refused when it is parsed.
        let kept = payload.and_then(|text| serde_json::from_str::<Kept<'_>>(text).ok());
        let Kept {
            event,
            metadata,
            value,
        } = kept.unwrap_or_default();
        let data = match event {
            Some(event) if event.get().starts_with('{') => {
                let event = serde_json::from_str::<KeptEvent<'_>>(event.get());
                (
                    "payload.event.data",
                    event.ok().and_then(|event| event.data),
                )
            }
            // The parser also accepts a list of the members' values.
            event => ("payload.event", event),
        };
        let places = match self.kind {
            IncomingKind::EventCreate => vec![
                data,
                ("payload.metadata", metadata),
                ("metadata", self.metadata.as_deref()),
            ],
            IncomingKind::SettingsPatch => vec![("payload.value", value)],
            _ => Vec::new(),
        };
        for (member, value) in places {
            if let Some(value) = value {
                integers::check_integers(member, value.get())?;
            }
        }
        Ok(())
    }

    /// Parses the metadata beside the payload. It is parsed on its own like the payload: as part of the frame, it
    /// could be one level deeper than the parser accepts, although [`scan`] accepts it.
    fn metadata_beside(&self) -> Result<Option<Value>, ErrorBody> {
        let text = self.metadata.as_deref().map_or("null", RawValue::get);
        serde_json::from_str(text)
            .map_err(|error| ErrorBody::invalid_payload(format!("`metadata`: {error}")))
    }

    fn payload<T: DeserializeOwned>(&self) -> Result<T, ErrorBody> {
        let text = self.payload.as_deref().map_or("{}", RawValue::get);
        if !text.starts_with('{') {
            return Err(ErrorBody::invalid_payload("`payload` must be an object"));
        }
        let mut input = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut input).map_err(|error| {
            let path = error.path().to_string();
            let problem = error.into_inner();
            // The position counts from the start of the payload, so it does not help a client.
            let problem = problem.to_string();
            let problem = problem
                .split_once(" at line ")
                .map_or(problem.as_str(), |(what, _)| what);
            ErrorBody::invalid_payload(if path == "." {
                format!("`payload`: {problem}")
            } else {
                format!("`payload.{path}`: {problem}")
            })
        })
    }
}

/// The members of a payload whose JSON is stored.
#[derive(Default, Deserialize)]
struct Kept<'a> {
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct KeptEvent<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// A command with its payload.
#[derive(Debug)]
pub(crate) enum Command {
    /// Identifies the client.
    Connect(Box<ConnectPayload>),
    /// Checks that the server responds.
    Ping,
    /// Lists the threads that the connection may see.
    ThreadList(ThreadListPayload),
    /// Subscribes to a thread: its events and all later changes.
    ThreadSubscribe {
        /// The id of the thread.
        thread_id: String,
        /// The id of the last event that the client has.
        after_event_id: Option<String>,
    },
    /// Ends the subscription to a thread.
    ThreadUnsubscribe(String),
    /// Changes the title of a thread.
    ThreadUpdate(ThreadUpdatePayload),
    /// Deletes a thread with all its events.
    ThreadDelete(String),
    /// Sends a message or form answers.
    EventCreate(Box<EventDraft>),
    /// Lists older events.
    EventList(EventListPayload),
    /// Subscribes to the settings of a worker: their values and all later changes.
    SettingsSubscribe(SettingsSubscribePayload),
    /// Ends the subscription to settings.
    SettingsUnsubscribe(WorkerPayload),
    /// Changes a setting.
    SettingsPatch(SettingsPatchPayload),
    /// Gets the public schema of the agent's settings.
    SettingsPublicSchema,
    /// Cancels a turn.
    RunCancel(RunCancelPayload),
    /// Likes or dislikes an event, a run or a thread.
    Feedback(FeedbackPayload),
    /// Subscribes to the analytics events of a worker.
    AnalyticsSubscribe(WorkerPayload),
    /// Ends the subscription to analytics events.
    AnalyticsUnsubscribe(WorkerPayload),
}

#[derive(Deserialize)]
struct Empty {}

#[derive(Deserialize)]
struct ThreadPayload {
    thread_id: String,
}

#[derive(Deserialize)]
struct ThreadSubscribePayload {
    thread_id: String,
    #[serde(default)]
    after_event_id: Option<String>,
}

/// The payload of `thread.list`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ThreadListPayload {
    /// The cursor from the previous page.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
    /// Maximum number of threads.
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub(crate) limit: Option<i128>,
    /// Only threads whose titles contain this text. A blank one does not filter.
    #[serde(default)]
    pub(crate) query: Option<String>,
}

/// The payload of `thread.update`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ThreadUpdatePayload {
    /// The id of the thread.
    pub(crate) thread_id: String,
    /// The new title. A blank one removes the title.
    #[serde(default)]
    pub(crate) title: Option<String>,
}

/// The payload of `event.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EventListPayload {
    /// The id of the thread.
    pub(crate) thread_id: String,
    /// Only events before this event.
    #[serde(default)]
    pub(crate) before_event_id: Option<String>,
    /// Maximum number of events.
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub(crate) limit: Option<i128>,
}

/// The payload of `run.cancel`. It has one of the two members.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RunCancelPayload {
    /// The id of a run.
    #[serde(default)]
    pub(crate) run_id: Option<String>,
    /// The id of a message whose turn may still be queued.
    #[serde(default)]
    pub(crate) event_id: Option<String>,
}

/// The payload of `event.create`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EventDraft {
    /// The thread of the event. `None` starts a new thread.
    #[serde(default)]
    pub(crate) thread_id: Option<String>,
    /// The client's own id for this event. An event that is sent again is recognized by it.
    #[serde(default)]
    pub(crate) client_event_id: Option<String>,
    /// The event itself.
    pub(crate) event: EventDraftBody,
    /// The metadata of a new thread.
    #[serde(default)]
    pub(crate) metadata: Option<Value>,
}

/// The event that a client sends.
#[derive(Clone, Deserialize)]
pub(crate) struct EventDraftBody {
    /// `message` or `form.response`.
    #[serde(rename = "type")]
    pub(crate) kind: DraftKind,
    /// The actor, which is always `user`.
    #[serde(rename = "actor")]
    _actor: DraftActor,
    /// The content of the message.
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) content: Vec<ContentPart>,
    /// The answers to a form, or data that the client sends with a message.
    #[serde(default)]
    pub(crate) data: Option<Value>,
}

/// The types of events that a client may create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum DraftKind {
    /// A message.
    #[serde(rename = "message")]
    Message,
    /// The answers to a form.
    #[serde(rename = "form.response")]
    FormResponse,
}

impl From<DraftKind> for EventType {
    fn from(kind: DraftKind) -> Self {
        match kind {
            DraftKind::Message => Self::Message,
            DraftKind::FormResponse => Self::FormResponse,
        }
    }
}

impl fmt::Debug for EventDraftBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = ShownData {
            kind: self.kind.into(),
            data: self.data.as_ref(),
        };
        f.debug_struct("EventDraftBody")
            .field("kind", &self.kind)
            .field("content", &self.content)
            .field("data", &data)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum DraftActor {
    #[serde(rename = "user")]
    User,
}

fn as_text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
