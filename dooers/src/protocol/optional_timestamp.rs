//! Optional times on the wire: RFC 3339 or `null`.

use super::timestamp;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
