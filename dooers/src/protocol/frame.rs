//! The frames that the server sends.

use super::{
    AnalyticsEvent, ErrorBody, FeedbackTargetType, FeedbackValue, FeedbackView, ItemView,
    PublicSchema, Run, ThreadEvent, ThreadView, new_id, timestamp,
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// A frame for a client, without its id. The id is added when the frame is encoded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "payload")]
#[non_exhaustive]
pub(crate) enum ServerFrame<'a> {
    /// A frame of the client was accepted or refused.
    #[serde(rename = "ack")]
    Ack {
        /// The id of the client's frame.
        ack_id: &'a str,
        /// True if the frame was accepted.
        ok: bool,
        /// The refusal.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a ErrorBody>,
        /// Information about the server. Only sent in response to `connect`.
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<ServerInfo>,
    },
    /// A page of threads.
    #[serde(rename = "thread.list.result")]
    ThreadListResult {
        /// The threads, the newest first.
        threads: &'a [ThreadView<'a>],
        /// The cursor of the next page.
        cursor: Option<&'a str>,
        /// The total number of threads on the first page, and 0 on later pages.
        total_count: u64,
    },
    /// The current state of a thread.
    #[serde(rename = "thread.snapshot")]
    ThreadSnapshot {
        /// The thread itself.
        thread: ThreadView<'a>,
        /// The events, the oldest first.
        events: &'a [ThreadEvent],
        /// The runs of these events, and all runs that have not ended.
        runs: &'a [Run],
        /// True if there are older events.
        has_more: bool,
        /// True if the events start after the event that the client named.
        recovered: bool,
        /// The feedback of the connection's own user on the events.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        feedback: &'a [FeedbackView<'a>],
    },
    /// New events, or new versions of known ones.
    #[serde(rename = "event.append")]
    EventAppend {
        /// The id of the thread.
        thread_id: &'a str,
        /// The events, in order.
        events: &'a [&'a ThreadEvent],
    },
    /// A piece of a streamed text, for clients that announced the capability.
    #[serde(rename = "event.delta")]
    EventDelta {
        /// The id of the thread.
        thread_id: &'a str,
        /// The id of the text's event.
        event_id: &'a str,
        /// The number of the piece in the event, starting at 0.
        delta_seq: u64,
        /// The text of the piece.
        text: &'a str,
    },
    /// A page of older events.
    #[serde(rename = "event.list.result")]
    EventListResult {
        /// The id of the thread.
        thread_id: &'a str,
        /// The events, the oldest first.
        events: &'a [ThreadEvent],
        /// The event before which the next page ends.
        cursor: Option<&'a str>,
        /// True if there are older events.
        has_more: bool,
    },
    /// A thread is new, or its own row has changed.
    #[serde(rename = "thread.upsert")]
    ThreadUpsert {
        /// The thread.
        thread: ThreadView<'a>,
    },
    /// A thread was deleted.
    #[serde(rename = "thread.deleted")]
    ThreadDeleted {
        /// The id of the thread.
        thread_id: &'a str,
    },
    /// A run has started or ended.
    #[serde(rename = "run.upsert")]
    RunUpsert {
        /// The run.
        run: &'a Run,
    },
    /// The settings of a worker, as an audience sees them.
    #[serde(rename = "settings.snapshot")]
    SettingsSnapshot {
        /// The id of the worker.
        worker_id: &'a str,
        /// The same id, under another name.
        agent_id: &'a str,
        /// Fields and groups with their values.
        fields: &'a [ItemView],
        /// The time of the last change.
        #[serde(with = "timestamp")]
        updated_at: DateTime<Utc>,
    },
    /// A setting has changed.
    #[serde(rename = "settings.patch")]
    SettingsPatch {
        /// The id of the worker.
        worker_id: &'a str,
        /// The same id, under another name.
        agent_id: &'a str,
        /// The id of the field.
        field_id: &'a str,
        /// The new value. The value of a password is always `null`.
        value: &'a Value,
        /// The time of the change.
        #[serde(with = "timestamp")]
        updated_at: DateTime<Utc>,
    },
    /// The public schema of an agent's settings.
    #[serde(rename = "settings.public_schema.result")]
    SettingsPublicSchemaResult {
        /// The fields that every user may see, with their defaults.
        schema: PublicSchema<'a>,
    },
    /// An analytics event, for a subscriber.
    #[serde(rename = "analytics.event")]
    AnalyticsEvent {
        /// The event.
        #[serde(flatten)]
        event: &'a AnalyticsEvent,
        /// The number of events that were dropped right before this one, because the subscriber read too slowly.
        #[serde(skip_serializing_if = "Option::is_none")]
        dropped: Option<u64>,
    },
    /// A feedback is stored.
    #[serde(rename = "feedback.ack")]
    FeedbackAck {
        /// The type of the target.
        target_type: FeedbackTargetType,
        /// The id of the target.
        target_id: &'a str,
        /// The user's opinion.
        feedback: FeedbackValue,
        /// Always true. A refused feedback is answered with `ack`.
        ok: bool,
    },
    /// The identity of the connection expires soon. The client may send another `connect`.
    #[serde(rename = "auth.expiring")]
    AuthExpiring {
        /// The time at which it expires.
        #[serde(with = "timestamp")]
        expires_at: DateTime<Utc>,
    },
    /// The response to `ping`.
    #[serde(rename = "pong")]
    Pong {},
}

/// Information about the server, for the response to `connect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ServerInfo {
    /// The name of the server, always `dooers`.
    pub name: &'static str,
    /// The version of this crate.
    pub version: &'static str,
    /// The extensions of the protocol that this server supports.
    pub capabilities: &'static [&'static str],
}

impl ServerInfo {
    /// Information about this server.
    #[must_use]
    pub(crate) fn current() -> Self {
        Self {
            name: "dooers",
            version: env!("CARGO_PKG_VERSION"),
            capabilities: &[
                "auth.expiring",
                "event.delta",
                "form.ask",
                "run.cancel",
                "thread.query",
                "thread.update",
            ],
        }
    }
}

impl ServerFrame<'_> {
    /// Encodes the frame as JSON, with a new id.
    #[must_use]
    pub(crate) fn encode(&self) -> String {
        self.encode_with_id(&new_id())
    }

    /// Encodes the frame as JSON, with this id.
    #[must_use]
    pub(crate) fn encode_with_id(&self, id: &str) -> String {
        #[derive(Serialize)]
        struct WithId<'a, T> {
            id: &'a str,
            #[serde(flatten)]
            frame: &'a T,
        }
        // A tagged enum flattens to its two members. Serialization cannot fail, because all maps have text keys.
        serde_json::to_string(&WithId { id, frame: self }).unwrap_or_default()
    }
}
