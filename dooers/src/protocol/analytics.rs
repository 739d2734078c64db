//! Analytics events: facts about conversations, for the operator of an agent.

use super::{admit_json, check_id, json_bytes, timestamp};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Maximum length of the name of an analytics event, in bytes.
pub const MAX_ANALYTICS_NAME_BYTES: usize = 128;

/// Maximum size of the data of an analytics event: the length of its JSON without white space, in bytes.
pub const MAX_ANALYTICS_DATA_BYTES: usize = 64 * 1024;

/// Maximum number of analytics events that an attempt of a turn tracks.
pub const MAX_TRACKED_EVENTS: usize = 1_000;

/// Maximum size of the analytics events that an attempt of a turn tracks: the length of their JSON, in bytes.
pub const MAX_TRACKED_BYTES: usize = 4 * 1024 * 1024;

/// An analytics event that the server itself records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BuiltInEvent {
    /// A thread was created.
    ThreadCreated,
    /// A user's message or answer to a form was stored.
    MessageFromClient,
    /// A message, form or chart for the user was stored. A streamed text counts when it is complete.
    MessageToClient,
    /// A tool was called.
    ToolCalled,
    /// A run failed.
    ErrorOccurred,
    /// A run ended.
    RunFinished,
    /// A user liked an event, a run or a thread.
    FeedbackLike,
    /// A user disliked an event, a run or a thread.
    FeedbackDislike,
}

impl BuiltInEvent {
    /// All built-in events.
    pub const ALL: [Self; 8] = [
        Self::ThreadCreated,
        Self::MessageFromClient,
        Self::MessageToClient,
        Self::ToolCalled,
        Self::ErrorOccurred,
        Self::RunFinished,
        Self::FeedbackLike,
        Self::FeedbackDislike,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThreadCreated => "thread.created",
            Self::MessageFromClient => "message.c2s",
            Self::MessageToClient => "message.s2c",
            Self::ToolCalled => "tool.called",
            Self::ErrorOccurred => "error.occurred",
            Self::RunFinished => "run.finished",
            Self::FeedbackLike => "feedback.like",
            Self::FeedbackDislike => "feedback.dislike",
        }
    }

    /// Finds the built-in event with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

/// An analytics event, as subscribers and the webhook receive it. A member without a value is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnalyticsEvent {
    /// The name of the event.
    pub event: String,
    /// The time of the event.
    #[serde(with = "timestamp")]
    pub timestamp: DateTime<Utc>,
    /// The id of the worker.
    pub worker_id: String,
    /// The same id, under another name.
    pub agent_id: String,
    /// The id of the thread.
    pub thread_id: Option<String>,
    /// The id of the user.
    pub user_id: Option<String>,
    /// The id of the run.
    pub run_id: Option<String>,
    /// The id of the event in the thread.
    pub event_id: Option<String>,
    /// Further values. Built-in events have ids, names, counts and durations here, and never the content of a message.
    pub data: Option<Value>,
}

impl AnalyticsEvent {
    /// Creates an event of a worker, without a thread, user, run, event and data.
    #[must_use]
    pub fn new(
        event: impl Into<String>,
        worker_id: impl Into<String>,
        timestamp: DateTime<Utc>,
    ) -> Self {
        let worker_id = worker_id.into();
        Self {
            event: event.into(),
            timestamp,
            agent_id: worker_id.clone(),
            worker_id,
            thread_id: None,
            user_id: None,
            run_id: None,
            event_id: None,
            data: None,
        }
    }

    /// Checks an event of the program: its name, its ids, and the size and the depth of its data. Removes U+0000 from the
    /// data.
    ///
    /// # Errors
    ///
    /// [`InvalidAnalyticsEvent`] if the event breaks a rule.
    pub fn admit(&mut self) -> Result<(), InvalidAnalyticsEvent> {
        let name = &self.event;
        if BuiltInEvent::named(name).is_some() {
            return Err(InvalidAnalyticsEvent::Reserved(name.clone()));
        }
        if name.is_empty() || name.len() > MAX_ANALYTICS_NAME_BYTES {
            return Err(InvalidAnalyticsEvent::NameLength(name.len()));
        }
        if name.contains('\0') {
            return Err(InvalidAnalyticsEvent::NameWithNul);
        }
        let given = [("thread_id", &self.thread_id), ("user_id", &self.user_id)];
        for (member, id) in given {
            check_id(member, id.as_deref().unwrap_or_default())
                .map_err(|refused| InvalidAnalyticsEvent::Id(refused.to_string()))?;
        }
        let Some(data) = &mut self.data else {
            return Ok(());
        };
        admit_json("data", data)
            .map_err(|refused| InvalidAnalyticsEvent::Data(refused.to_string()))?;
        let bytes = json_bytes(data);
        if bytes > MAX_ANALYTICS_DATA_BYTES {
            return Err(InvalidAnalyticsEvent::DataSize(bytes));
        }
        Ok(())
    }
}

/// The reason why an analytics event of the program is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAnalyticsEvent {
    /// The name belongs to a built-in event.
    #[error("`{0}` is the name of an event that the server records itself; choose another name")]
    Reserved(String),
    /// The name is empty or too long. Contains its length in bytes.
    #[error(
        "the name of an analytics event has 1 to {MAX_ANALYTICS_NAME_BYTES} bytes, and this one has {0}; choose a shorter name that is not empty"
    )]
    NameLength(usize),
    /// The name contains the character U+0000.
    #[error(
        "the name of an analytics event must not contain U+0000, because databases cannot store it; remove it"
    )]
    NameWithNul,
    /// The data is too large. Contains its size in bytes.
    #[error(
        "the data of an analytics event has {0} bytes as JSON; at most {MAX_ANALYTICS_DATA_BYTES} are allowed; leave some out"
    )]
    DataSize(usize),
    /// The data nests too deeply, or has a value or a member name that JSON does not have.
    #[error("{0}")]
    Data(String),
    /// The id of the thread or of the user is too long, or contains U+0000.
    #[error("{0}")]
    Id(String),
    /// The turn has tracked as much as one attempt may.
    #[error(
        "an attempt of a turn tracks at most {MAX_TRACKED_EVENTS} events with {MAX_TRACKED_BYTES} bytes of JSON, because they are stored together when it ends; put a count into one event instead"
    )]
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(name: &str) -> AnalyticsEvent {
        AnalyticsEvent::new(name, "w1", timestamp::from_micros(1))
    }

    #[test]
    fn json_has_every_member_and_null_without_a_value() {
        let event = serde_json::to_value(named("order.placed")).unwrap();
        let expected = json!({
            "event": "order.placed", "timestamp": "1970-01-01T00:00:00.000001Z",
            "worker_id": "w1", "agent_id": "w1", "thread_id": null, "user_id": null,
            "run_id": null, "event_id": null, "data": null,
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn name_of_a_built_in_event_is_reserved() {
        for event in BuiltInEvent::ALL {
            let error = named(event.as_str()).admit().unwrap_err();
            assert!(error.to_string().contains("records itself"), "{error}");
            assert_eq!(BuiltInEvent::named(event.as_str()), Some(event));
        }
    }

    #[test]
    fn name_has_1_to_128_bytes() {
        assert!(named("é").admit().is_ok());
        assert!(named(&"x".repeat(128)).admit().is_ok());
        for name in [
            String::new(),
            "x".repeat(129),
            "é".repeat(65),
            "a\0".to_owned(),
        ] {
            assert!(named(&name).admit().is_err(), "{name:?}");
        }
    }

    #[test]
    fn data_has_at_most_64_kib() {
        let of = |bytes: usize| AnalyticsEvent {
            data: Some(json!("x".repeat(bytes - 2))),
            ..named("a")
        };
        assert!(of(64 * 1024).admit().is_ok());
        let error = of(64 * 1024 + 1).admit().unwrap_err();
        assert_eq!(error, InvalidAnalyticsEvent::DataSize(65_537));
    }

    #[test]
    fn text_of_the_data_loses_nul_and_ids_with_it_are_refused() {
        let mut event = named("a");
        event.data = Some(json!({ "a\0": "b\0c" }));
        assert_eq!(event.admit(), Ok(()));
        assert_eq!(event.data.take(), Some(json!({ "a": "bc" })));
        event.user_id = Some("u\0".to_owned());
        let error = event.admit().unwrap_err();
        assert!(error.to_string().starts_with("`user_id`"), "{error}");
    }

    #[test]
    fn data_nests_as_deep_as_other_json() {
        let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let of = |levels| AnalyticsEvent {
            data: Some(deep(levels)),
            ..named("a")
        };
        assert!(of(crate::protocol::MAX_JSON_DEPTH).admit().is_ok());
        assert!(of(crate::protocol::MAX_JSON_DEPTH + 1).admit().is_err());
    }
}
