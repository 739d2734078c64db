//! What the server sends.

use super::{ErrorBody, PublicSchema, Run, ShownItem, ShownThread, ThreadEvent, new_id};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A frame to a client, but for the id that it gets when it is encoded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "payload")]
#[non_exhaustive]
pub enum ServerFrame<'a> {
    /// A frame of the client was taken or refused.
    #[serde(rename = "ack")]
    Ack {
        /// The id of the client's frame.
        ack_id: &'a str,
        /// Whether it was taken.
        ok: bool,
        /// Why it was refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a ErrorBody>,
        /// Who answers; only to `connect`.
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<ServerInfo>,
    },
    /// A page of threads.
    #[serde(rename = "thread.list.result")]
    ThreadListResult {
        /// The newest first.
        threads: &'a [ShownThread<'a>],
        /// Where the next page begins.
        cursor: Option<&'a str>,
        /// How many there are; on the first page only.
        total_count: u64,
    },
    /// A thread as it stands.
    #[serde(rename = "thread.snapshot")]
    ThreadSnapshot {
        /// The thread itself.
        thread: ShownThread<'a>,
        /// The oldest first.
        events: &'a [ThreadEvent],
        /// The runs of these events, and any that goes on.
        runs: &'a [Run],
        /// Whether there are older events.
        has_more: bool,
        /// Whether it goes on from the event that the client named.
        recovered: bool,
    },
    /// New events, or new states of known ones.
    #[serde(rename = "event.append")]
    EventAppend {
        /// Their thread.
        thread_id: &'a str,
        /// In order.
        events: &'a [&'a ThreadEvent],
    },
    /// More of a text that grows, for clients that announced that they take it so.
    #[serde(rename = "event.delta")]
    EventDelta {
        /// The thread.
        thread_id: &'a str,
        /// The event whose text it is.
        event_id: &'a str,
        /// 0, 1, 2 … within the event.
        delta_seq: u64,
        /// What comes behind the text so far.
        text: &'a str,
    },
    /// A page of older events.
    #[serde(rename = "event.list.result")]
    EventListResult {
        /// Their thread.
        thread_id: &'a str,
        /// The oldest first.
        events: &'a [ThreadEvent],
        /// The event to page before.
        cursor: Option<&'a str>,
        /// Whether there are older ones.
        has_more: bool,
    },
    /// A thread is new, or its own row changed.
    #[serde(rename = "thread.upsert")]
    ThreadUpsert {
        /// The thread.
        thread: ShownThread<'a>,
    },
    /// A thread is gone.
    #[serde(rename = "thread.deleted")]
    ThreadDeleted {
        /// Its id.
        thread_id: &'a str,
    },
    /// A run began or ended.
    #[serde(rename = "run.upsert")]
    RunUpsert {
        /// The run.
        run: &'a Run,
    },
    /// The settings of a worker, as an audience sees them.
    #[serde(rename = "settings.snapshot")]
    SettingsSnapshot {
        /// The worker.
        worker_id: &'a str,
        /// The same.
        agent_id: &'a str,
        /// Fields and groups, with their values.
        fields: &'a [ShownItem],
        /// When one of them was changed last.
        #[serde(with = "timestamp")]
        updated_at: DateTime<Utc>,
    },
    /// A setting was changed.
    #[serde(rename = "settings.patch")]
    SettingsPatch {
        /// The worker.
        worker_id: &'a str,
        /// The same.
        agent_id: &'a str,
        /// The field.
        field_id: &'a str,
        /// Its value now; of a password always `null`.
        value: &'a Value,
        /// When it was changed.
        #[serde(with = "timestamp")]
        updated_at: DateTime<Utc>,
    },
    /// What settings an agent has.
    #[serde(rename = "settings.public_schema.result")]
    SettingsPublicSchemaResult {
        /// The fields that everybody sees, with their defaults.
        schema: PublicSchema<'a>,
    },
    /// The answer to `ping`.
    #[serde(rename = "pong")]
    Pong {},
}

/// Who answers a `connect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerInfo {
    /// Always `dooers`.
    pub name: &'static str,
    /// Version of this crate.
    pub version: &'static str,
    /// Additions to the protocol that this server has.
    pub capabilities: &'static [&'static str],
}

impl ServerInfo {
    /// This server.
    #[must_use]
    pub fn current() -> Self {
        Self {
            name: "dooers",
            version: env!("CARGO_PKG_VERSION"),
            capabilities: &["event.delta", "run.cancel"],
        }
    }
}

impl ServerFrame<'_> {
    /// The frame as JSON text, with an id of its own.
    #[must_use]
    pub fn encode(&self) -> String {
        self.encode_with_id(&new_id())
    }

    /// The frame as JSON text, with this id.
    #[must_use]
    pub fn encode_with_id(&self, id: &str) -> String {
        #[derive(Serialize)]
        struct WithId<'a, T> {
            id: &'a str,
            #[serde(flatten)]
            frame: &'a T,
        }
        // A tagged enum flattens to its two members. None of the types within can fail to serialize:
        // no map has keys other than texts.
        serde_json::to_string(&WithId { id, frame: self }).unwrap_or_default()
    }
}

/// RFC 3339 in UTC with microseconds.
pub(crate) mod timestamp {
    use super::{Deserialize, Serialize};
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        time: &DateTime<Utc>,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        time.to_rfc3339_opts(SecondsFormat::Micros, true)
            .serialize(output)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<DateTime<Utc>, D::Error> {
        DateTime::deserialize(input)
    }

    /// Now, as exact as the wire and the stores are.
    pub(crate) fn now() -> DateTime<Utc> {
        from_micros(Utc::now().timestamp_micros())
    }

    /// The time this many microseconds after 1970.
    pub(crate) fn from_micros(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(micros).unwrap_or_default()
    }
}

/// The same, or `null`.
pub(crate) mod optional_timestamp {
    use super::{Deserialize, Serialize, timestamp};
    use chrono::{DateTime, Utc};
    use serde::{Deserializer, Serializer};

    #[expect(
        clippy::ref_option,
        reason = "serde calls it with a reference to the field"
    )]
    pub(crate) fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Given<'a>(#[serde(with = "timestamp")] &'a DateTime<Utc>);
        time.as_ref().map(Given).serialize(output)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::deserialize(input)
    }
}
