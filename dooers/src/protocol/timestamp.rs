//! Times on the wire: RFC 3339 in UTC with microseconds.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(time: &DateTime<Utc>, output: S) -> Result<S::Ok, S::Error> {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
        .serialize(output)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<DateTime<Utc>, D::Error> {
    DateTime::deserialize(input)
}

/// The current time, with the precision of the wire and the stores.
pub(crate) fn now() -> DateTime<Utc> {
    from_micros(Utc::now().timestamp_micros())
}

/// The time that is this many microseconds after 1970.
pub(crate) fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
