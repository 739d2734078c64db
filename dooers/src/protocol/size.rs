//! The size limits of users, titles and metadata, which every frame with a thread contains.

use super::{MAX_CLIENT_ID_BYTES, NotAdmitted};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};

/// Maximum length of the name and of the email address of a [`User`](super::User), in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// Maximum length of each role of a [`User`](super::User), in bytes.
pub const MAX_ROLE_BYTES: usize = 64;

/// Maximum number of `identity_ids` of a [`User`](super::User). Each has at most [`MAX_CLIENT_ID_BYTES`].
pub const MAX_IDENTITY_IDS: usize = 32;

/// Maximum length of the title of a thread, in bytes. [`title_from`](crate::title_from) keeps this limit.
pub const MAX_TITLE_BYTES: usize = 1024;

/// Maximum size of the metadata of a thread: the length of its JSON without white space, in bytes.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;

/// Maximum number of users of a thread in one frame. The thread may have more.
pub const MAX_SHOWN_USERS: usize = 100;

/// Refuses a text of a user or a thread that is too long.
pub(crate) fn check_bytes(
    member: &'static str,
    text: &str,
    most: usize,
) -> Result<(), NotAdmitted> {
    if text.len() <= most {
        return Ok(());
    }
    let is = text.len();
    Err(NotAdmitted::new(
        member,
        format!("is {is} bytes long; at most {most} are allowed, {BECAUSE}; shorten it"),
    ))
}

/// Refuses a text that is too long and is not part of every list.
pub(crate) fn check_length(
    member: &'static str,
    text: &str,
    most: usize,
) -> Result<(), NotAdmitted> {
    let is = text.len();
    if is <= most {
        return Ok(());
    }
    Err(NotAdmitted::new(
        member,
        format!("is {is} bytes long; at most {most} are allowed; shorten it"),
    ))
}

/// Refuses a list of a user's ids that is too long.
pub(crate) fn check_identity_ids(member: &'static str, ids: &[String]) -> Result<(), NotAdmitted> {
    if ids.len() <= MAX_IDENTITY_IDS {
        return Ok(());
    }
    let is = ids.len();
    Err(NotAdmitted::new(
        member,
        format!("has {is} ids; at most {MAX_IDENTITY_IDS} are allowed, {BECAUSE}; leave some out"),
    ))
}

/// Refuses metadata whose JSON is too long.
pub(crate) fn check_metadata(
    member: &'static str,
    metadata: Option<&Value>,
) -> Result<(), NotAdmitted> {
    let is = metadata.map_or(0, json_bytes);
    if is <= MAX_METADATA_BYTES {
        return Ok(());
    }
    Err(NotAdmitted::new(
        member,
        format!(
            "is {is} bytes long as JSON; at most {MAX_METADATA_BYTES} are allowed, {BECAUSE}; keep the rest elsewhere, and its id here"
        ),
    ))
}

/// Refuses an id that is too long.
pub(crate) fn check_id_bytes(member: &'static str, id: &str) -> Result<(), NotAdmitted> {
    let is = id.len();
    if is <= MAX_CLIENT_ID_BYTES {
        return Ok(());
    }
    Err(NotAdmitted::new(
        member,
        format!("is {is} bytes long; at most {MAX_CLIENT_ID_BYTES} are allowed"),
    ))
}

const BECAUSE: &str = "because every list of threads contains it";

/// The length of a value's JSON.
pub(crate) fn json_bytes(value: &impl Serialize) -> usize {
    let mut length = Length(0);
    // Serialization cannot fail, because neither the value nor the counter returns an error.
    let _ = serde_json::to_writer(&mut length, value);
    length.0
}

/// Counts the bytes that are written to it.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_of_the_limit_is_admitted_and_one_more_is_not() {
        for text in ["x".repeat(64), "ö".repeat(32), "😀".repeat(16)] {
            assert_eq!(check_bytes("title", &text, 64), Ok(()));
            let refused = check_bytes("title", &(text + "y"), 64).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "`title` is 65 bytes long; at most 64 are allowed, because every list of threads contains it; shorten it"
            );
        }
    }

    #[test]
    fn metadata_is_measured_as_its_json() {
        for (value, bytes) in [
            (json!({"a": [1, 2.5, null]}), r#"{"a":[1,2.5,null]}"#.len()),
            (json!("\n\"ö\u{1}"), 2 + 2 + 2 + 2 + 6),
            (json!(1e20), "1e+20".len()),
            (json!(u64::MAX), 20),
            (Value::Null, 4),
        ] {
            assert_eq!(json_bytes(&value), bytes, "{value}");
            assert_eq!(value.to_string().len(), bytes, "{value}");
        }
        let just = json!({"k": "x".repeat(MAX_METADATA_BYTES - 8)});
        assert_eq!(check_metadata("metadata", Some(&just)), Ok(()));
        let over = json!({"k": "x".repeat(MAX_METADATA_BYTES - 7)});
        let refused = check_metadata("metadata", Some(&over)).unwrap_err();
        assert!(
            refused
                .problem
                .starts_with("is 16385 bytes long as JSON; at most 16384"),
            "{refused}"
        );
    }
}
