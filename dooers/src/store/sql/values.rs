//! Values in the types of databases.

/// Converts a number to the type that databases use. Real values never reach the end of the range.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn json<T: serde::Serialize>(
    value: &Option<T>,
) -> Result<Option<String>, serde_json::Error> {
    value.as_ref().map(serde_json::to_string).transpose()
}
