//! JSON that this server wrote.

use serde::de::DeserializeOwned;

/// Parses JSON that this server wrote, with any nesting depth. Earlier versions stored data that, within a frame, is
/// nested more deeply than parsers accept by default.
pub(crate) fn from_own_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    let mut input = serde_json::Deserializer::from_str(text);
    input.disable_recursion_limit();
    let value = T::deserialize(&mut input)?;
    input.end()?;
    Ok(value)
}
