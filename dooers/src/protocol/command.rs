//! What a client may ask for.

use super::user::null_as_default;
use super::{
    ConnectPayload, ContentPart, ErrorBody, EventType, MAX_CLIENT_ID_BYTES, SettingsPatchPayload,
    SettingsSubscribePayload, SettingsWorkerPayload, ShownData, scan,
};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Number, Value};
use std::fmt;

/// The verbs, by their name on the wire.
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
    /// Whether a client may send it before `connect`.
    pub(crate) fn is_allowed_before_connect(self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Ping | Self::SettingsPublicSchema
        )
    }
}

/// A frame whose payload has not been read yet.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) kind: IncomingKind,
    payload: Option<Box<RawValue>>,
    /// Some clients put a new thread's metadata beside the payload.
    metadata: Option<Box<RawValue>>,
}

/// A refusal together with the id of the frame it answers, `""` where that could not be read.
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
    /// Reads a frame's outer members.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let unreadable = |error| Refusal {
            ack_id: String::new(),
            error,
        };
        let text = scan::checked(text).map_err(unreadable)?;
        if !text.trim_start().starts_with('{') {
            return Err(unreadable(ErrorBody::invalid_frame(
                "a frame is one JSON object: {\"id\": …, \"type\": …, \"payload\": {…}}",
            )));
        }
        let raw: RawEnvelope<'_> = serde_json::from_str(&text).map_err(|error| {
            unreadable(ErrorBody::invalid_frame(format!(
                "the frame is not readable JSON: {error}"
            )))
        })?;
        let Some(id) = raw.id.and_then(as_text) else {
            return Err(unreadable(ErrorBody::invalid_frame(
                "the frame's `id` must be a text",
            )));
        };
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
        clean_id("id", &id).map_err(refused)?;
        Ok(Self {
            kind,
            payload: raw.payload,
            metadata: raw.metadata,
            id,
        })
    }

    /// Reads the payload. The verbs of features that this agent has not are [`Command::Unavailable`].
    pub(crate) fn command(self) -> Result<Command, ErrorBody> {
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
            IncomingKind::Feedback
            | IncomingKind::AnalyticsSubscribe
            | IncomingKind::AnalyticsUnsubscribe => {
                self.payload::<Empty>()?;
                Command::Unavailable
            }
        })
    }

    /// Read from its own start, as the payload is: within the frame it would be one level deeper than the parser
    /// allows what [`scan`] lets through.
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
            // The position counts from the payload's own start, which tells a client nothing.
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

/// What a client asks for, with its payload.
#[derive(Debug)]
pub(crate) enum Command {
    /// Say who one is.
    Connect(Box<ConnectPayload>),
    /// Ask whether the server is there.
    Ping,
    /// List the threads one may see.
    ThreadList(ThreadListPayload),
    /// Get a thread's events and all that follow.
    ThreadSubscribe {
        /// Which thread.
        thread_id: String,
        /// The last event the client has already.
        after_event_id: Option<String>,
    },
    /// Get no more of a thread.
    ThreadUnsubscribe(String),
    /// Delete a thread and all in it.
    ThreadDelete(String),
    /// Send a message, or the answer to a form.
    EventCreate(Box<EventDraft>),
    /// Get older events.
    EventList(EventListPayload),
    /// See a worker's settings and all changes of them.
    SettingsSubscribe(SettingsSubscribePayload),
    /// See no more of them.
    SettingsUnsubscribe(SettingsWorkerPayload),
    /// Change a setting.
    SettingsPatch(SettingsPatchPayload),
    /// See what settings the agent has.
    SettingsPublicSchema,
    /// End a turn early.
    RunCancel(RunCancelPayload),
    /// A verb of a feature that is not there.
    Unavailable,
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
    /// Where the last page ended.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
    /// How many threads at the most.
    #[serde(default, deserialize_with = "page_limit")]
    pub(crate) limit: Option<i64>,
}

/// The payload of `event.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EventListPayload {
    /// Which thread.
    pub(crate) thread_id: String,
    /// Only what is older than this event.
    #[serde(default)]
    pub(crate) before_event_id: Option<String>,
    /// How many events at the most.
    #[serde(default, deserialize_with = "page_limit")]
    pub(crate) limit: Option<i64>,
}

/// The payload of `run.cancel`: one of the two.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RunCancelPayload {
    /// A run.
    #[serde(default)]
    pub(crate) run_id: Option<String>,
    /// A message whose turn may still wait.
    #[serde(default)]
    pub(crate) event_id: Option<String>,
}

/// The payload of `event.create`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EventDraft {
    /// The thread to write in; none begins a new one.
    #[serde(default)]
    pub(crate) thread_id: Option<String>,
    /// The client's own id for this event, by which a repeated sending is known.
    #[serde(default)]
    pub(crate) client_event_id: Option<String>,
    /// The event itself.
    pub(crate) event: EventDraftBody,
    /// Kept with a new thread.
    #[serde(default)]
    pub(crate) metadata: Option<Value>,
}

/// What a client may say of an event of its own.
#[derive(Clone, Deserialize)]
pub(crate) struct EventDraftBody {
    /// `message` or `form.response`.
    #[serde(rename = "type")]
    pub(crate) kind: DraftKind,
    /// Always the user.
    #[serde(rename = "actor")]
    _actor: DraftActor,
    /// What is said.
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) content: Vec<ContentPart>,
    /// The answers to a form, or what the client sends with a message.
    #[serde(default)]
    pub(crate) data: Option<Value>,
}

/// The kinds of event that a client may create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum DraftKind {
    /// Something said.
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

/// Refuses an id of the client's own making that is too long.
pub(crate) fn clean_id(member: &str, id: &str) -> Result<(), ErrorBody> {
    if id.len() <= MAX_CLIENT_ID_BYTES {
        return Ok(());
    }
    Err(ErrorBody::invalid_payload(format!(
        "`{member}` is {} bytes long; at most {MAX_CLIENT_ID_BYTES} are allowed",
        id.len()
    )))
}

/// A whole number of any size: one that is larger than ours is a page's maximum as any other.
fn page_limit<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(input)? else {
        return Ok(None);
    };
    let limit = match (number.as_i64(), number.as_f64()) {
        (Some(limit), _) => limit,
        // Whole numbers beyond 64 bits come as floating point.
        (None, Some(large)) if large >= i64::MAX as f64 => i64::MAX,
        (None, Some(small)) if small <= i64::MIN as f64 => i64::MIN,
        _ => return Err(D::Error::custom(format!("`{number}` is no whole number"))),
    };
    Ok(Some(limit))
}

fn as_text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ErrorCode;

    fn refusal(text: &str) -> (String, ErrorCode) {
        let refusal = Envelope::parse(text).expect_err(text);
        (refusal.ack_id, refusal.error.code)
    }

    fn payload_error(kind: &str, payload: &str) -> String {
        let text = format!(r#"{{"id":"1","type":"{kind}","payload":{payload}}}"#);
        let error = Envelope::parse(&text).unwrap().command().unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidPayload);
        error.message
    }

    #[test]
    fn what_is_no_frame_is_refused_without_an_id() {
        for text in [
            "",
            "nonsense",
            "[]",
            "null",
            "5",
            "{}",
            r#"{"id":5,"type":"ping"}"#,
        ] {
            assert_eq!(
                refusal(text),
                (String::new(), ErrorCode::InvalidFrame),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unknown_or_missing_type_is_refused_with_the_frames_id() {
        for text in [
            r#"{"id":"7","type":"dance"}"#,
            r#"{"id":"7"}"#,
            r#"{"id":"7","type":3}"#,
        ] {
            assert_eq!(
                refusal(text),
                ("7".to_owned(), ErrorCode::InvalidFrame),
                "{text}"
            );
        }
    }

    #[test]
    fn an_id_of_a_clients_own_making_has_128_bytes_at_most() {
        let ping = |id: String| format!(r#"{{"id":"{id}","type":"ping"}}"#);
        assert!(Envelope::parse(&ping("x".repeat(128))).is_ok());
        assert_eq!(refusal(&ping("x".repeat(129))).1, ErrorCode::InvalidPayload);
    }

    #[test]
    fn a_payload_may_be_absent_or_null_but_is_nothing_else_than_an_object() {
        for text in [
            r#"{"id":"1","type":"ping"}"#,
            r#"{"id":"1","type":"ping","payload":null}"#,
        ] {
            assert!(matches!(
                Envelope::parse(text).unwrap().command(),
                Ok(Command::Ping)
            ));
        }
        assert_eq!(
            payload_error("ping", r#""x""#),
            "`payload` must be an object"
        );
        assert_eq!(payload_error("ping", "[]"), "`payload` must be an object");
    }

    #[test]
    fn a_payload_error_names_the_member() {
        assert_eq!(
            payload_error("thread.subscribe", r#"{"thread_id":5}"#),
            "`payload.thread_id`: invalid type: integer `5`, expected a string"
        );
        assert_eq!(
            payload_error("thread.subscribe", "{}"),
            "`payload`: missing field `thread_id`"
        );
        let message = r#"{"event":{"type":"message","actor":"assistant","content":[]}}"#;
        assert_eq!(
            payload_error("event.create", message),
            "`payload.event.actor`: unknown variant `assistant`, expected `user`"
        );
        let part = r#"{"event":{"type":"message","actor":"user","content":[{"type":"video"}]}}"#;
        assert!(
            payload_error("event.create", part).starts_with("`payload.event.content[0]"),
            "{}",
            payload_error("event.create", part)
        );
    }

    #[test]
    fn metadata_of_a_new_thread_may_stand_beside_the_payload() {
        let text = r#"{"id":"1","type":"event.create","metadata":{"a":1},
            "payload":{"event":{"type":"message","actor":"user","content":[]}}}"#;
        let Ok(Command::EventCreate(draft)) = Envelope::parse(text).unwrap().command() else {
            panic!("not an event.create");
        };
        assert_eq!(draft.metadata, Some(serde_json::json!({"a": 1})));
    }

    #[test]
    fn a_limit_may_be_larger_than_any_number_of_ours() {
        let limit = |limit: &str| {
            let text =
                format!(r#"{{"id":"1","type":"thread.list","payload":{{"limit":{limit}}}}}"#);
            match Envelope::parse(&text).unwrap().command() {
                Ok(Command::ThreadList(payload)) => Ok(payload.limit),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.message),
            }
        };
        assert_eq!(limit("7"), Ok(Some(7)));
        assert_eq!(limit("null"), Ok(None));
        assert_eq!(limit("18446744073709551615"), Ok(Some(i64::MAX)));
        assert_eq!(limit("99999999999999999999999"), Ok(Some(i64::MAX)));
        assert_eq!(limit("-99999999999999999999999"), Ok(Some(i64::MIN)));
        assert_eq!(
            limit("1.5"),
            Err("`payload.limit`: `1.5` is no whole number".to_owned())
        );
    }

    #[test]
    fn what_stands_beside_the_payload_may_be_nested_as_deep_as_a_frame() {
        let (open, close) = ("[".repeat(127), "]".repeat(127));
        let text = format!(
            r#"{{"id":"1","type":"event.create","metadata":{open}{close},
                "payload":{{"event":{{"type":"message","actor":"user","content":[]}}}}}}"#
        );
        assert!(Envelope::parse(&text).unwrap().command().is_ok());
    }
}
