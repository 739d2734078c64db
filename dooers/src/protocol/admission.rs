//! The rules for texts and JSON that are stored. They apply to clients, handlers and programs alike.
//!
//! * **Text** does not contain U+0000. The character is removed, because PostgreSQL cannot store it.
//! * **Ids** with U+0000 are refused. An id from which a character is removed may be the id of something else.
//! * **JSON** has at most [`MAX_JSON_DEPTH`] levels, so that every frame stays within the 128 levels that parsers
//!   accept.
//! * **Sizes** of ids, users, titles and metadata are limited, see [`size`](super::size). They are measured without
//!   U+0000.

use super::size::{check_bytes, check_id_bytes, check_identity_ids, check_metadata};
use super::{
    ErrorBody, MAX_NAME_BYTES, MAX_ROLE_BYTES, MAX_TITLE_BYTES, NotAdmitted, User, clean_text,
    cleaned,
};
use serde_json::{Map, Value};
use std::mem::take;

/// Refuses an id that is too long or has U+0000.
pub(crate) fn check_id(member: &'static str, id: &str) -> Result<(), NotAdmitted> {
    check_id_bytes(member, id)?;
    check_no_nul(member, id)
}

/// Refuses an id with U+0000 or one that is too long, at any place in a frame.
pub(crate) fn clean_id(member: &str, id: &str) -> Result<(), ErrorBody> {
    check_id("", id).map_err(|refused| refused.at(member))
}

fn check_no_nul(member: &'static str, id: &str) -> Result<(), NotAdmitted> {
    if id.contains('\0') {
        return Err(NotAdmitted::new(member, NUL_IN_ID));
    }
    Ok(())
}

fn check_role(member: &'static str, role: &str) -> Result<(), NotAdmitted> {
    check_bytes(member, role, MAX_ROLE_BYTES)?;
    check_no_nul(member, role)
}

fn admit_name(member: &'static str, name: &mut Option<String>) -> Result<(), NotAdmitted> {
    name.iter_mut().for_each(clean_text);
    check_bytes(member, name.as_deref().unwrap_or_default(), MAX_NAME_BYTES)
}

/// Maximum nesting depth of `data`, `metadata` and the value of a setting, in levels of objects and arrays.
///
/// A frame that contains them stays within 128 levels, which is the maximum that JSON parsers accept.
pub const MAX_JSON_DEPTH: usize = 120;

/// Removes U+0000 from the title of a thread, and refuses one that is too long.
pub(crate) fn admit_title(title: &mut Option<String>) -> Result<(), NotAdmitted> {
    title.iter_mut().for_each(clean_text);
    let given = title.as_deref().unwrap_or_default();
    check_bytes("title", given, MAX_TITLE_BYTES)
}

/// Removes U+0000 from the metadata of a thread, and refuses metadata that is nested too deep or too large.
pub(crate) fn admit_metadata(metadata: &mut Option<Value>) -> Result<(), NotAdmitted> {
    // The nesting is checked first, because a value that is nested too deeply cannot be measured.
    admit_optional_json("metadata", metadata)?;
    check_metadata("metadata", metadata.as_ref())
}

const NUL_IN_ID: &str = "contains U+0000, which is not allowed in an id; remove it";

/// Removes U+0000 from all texts of a value, and refuses a value that is nested too deeply.
///
/// A refused value is replaced by `null`. It is dropped iteratively, because dropping a deeply nested value
/// recursively overflows the stack.
pub(crate) fn admit_json(member: &'static str, value: &mut Value) -> Result<(), NotAdmitted> {
    let Err(misfit) = admit_json_within(value, MAX_JSON_DEPTH) else {
        return Ok(());
    };
    Err(NotAdmitted::new(
        member,
        match misfit {
            JsonMisfit::TooDeep => format!(
                "is nested deeper than {MAX_JSON_DEPTH} levels; make it flatter, or send it as a text"
            ),
            JsonMisfit::SameName(name) => format!(
                "has two members that are called `{name}` once U+0000 is removed from their names; rename one"
            ),
        },
    ))
}

/// Does the same for an optional value.
pub(crate) fn admit_optional_json(
    member: &'static str,
    value: &mut Option<Value>,
) -> Result<(), NotAdmitted> {
    value
        .as_mut()
        .map_or(Ok(()), |value| admit_json(member, value))
}

/// Removes U+0000 from a JSON value with at most this many levels. A value that is refused becomes `null`.
pub(crate) fn admit_json_within(value: &mut Value, levels: usize) -> Result<(), JsonMisfit> {
    admit_within(value, levels).inspect_err(|_| take_apart(take(value)))
}

/// The reason why a JSON value cannot be stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JsonMisfit {
    /// It has too many levels.
    TooDeep,
    /// Two members of an object have this name once U+0000 is removed.
    SameName(String),
}

fn admit_within(value: &mut Value, levels: usize) -> Result<(), JsonMisfit> {
    match value {
        Value::String(text) => clean_text(text),
        Value::Array(items) => {
            let levels = levels.checked_sub(1).ok_or(JsonMisfit::TooDeep)?;
            for item in items {
                admit_within(item, levels)?;
            }
        }
        Value::Object(members) => {
            let levels = levels.checked_sub(1).ok_or(JsonMisfit::TooDeep)?;
            for member in members.values_mut() {
                admit_within(member, levels)?;
            }
            if members.keys().any(|name| name.contains('\0')) {
                *members = renamed(take(members))?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn renamed(members: Map<String, Value>) -> Result<Map<String, Value>, JsonMisfit> {
    let mut clean = Map::with_capacity(members.len());
    for (name, value) in members {
        let name = cleaned(name);
        if clean.contains_key(&name) {
            return Err(JsonMisfit::SameName(name));
        }
        clean.insert(name, value);
    }
    Ok(clean)
}

fn take_apart(value: Value) {
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(members) => left.extend(members.into_iter().map(|(_, member)| member)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

impl User {
    /// Removes U+0000 from the name and the email address. Ids and roles with U+0000 are refused, because a role from
    /// which a character is removed may grant more. Values that are too long are refused as well.
    pub(crate) fn admit(&mut self) -> Result<(), NotAdmitted> {
        check_id("user.user_id", &self.user_id)?;
        check_identity_ids("user.identity_ids", &self.identity_ids)?;
        for id in &self.identity_ids {
            check_id("user.identity_ids", id)?;
        }
        check_role("user.system_role", &self.system_role)?;
        check_role("user.organization_role", &self.organization_role)?;
        check_role("user.workspace_role", &self.workspace_role)?;
        admit_name("user.user_name", &mut self.user_name)?;
        admit_name("user.user_email", &mut self.user_email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!("\0"), |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn json_of_120_levels_is_admitted_and_of_121_is_not() {
        let mut value = nested(120);
        admit_json("data", &mut value).unwrap();
        assert_eq!(depth(&value), 120);
        let mut value = json!({"a": 1, "b": nested(120)});
        let refused = admit_json("data", &mut value).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`data` is nested deeper than 120 levels; make it flatter, or send it as a text"
        );
        assert_eq!(value, Value::Null);
    }

    fn depth(mut value: &Value) -> usize {
        let mut depth = 0;
        while let Some(inner) = value.get(0) {
            value = inner;
            depth += 1;
        }
        assert_eq!(value, "");
        depth
    }

    #[test]
    fn endless_nesting_is_refused_without_a_stack() {
        let mut value = json!([1, {}]);
        value[1]["a"] = nested(1_000_000);
        assert!(admit_json("data", &mut value).is_err());
    }

    #[test]
    fn nul_is_removed_from_texts_and_names() {
        let mut value = json!({"a\0": ["\0", {"b": "c\0d"}], "e": "\\u0000"});
        admit_json("data", &mut value).unwrap();
        assert_eq!(value, json!({"a": ["", {"b": "cd"}], "e": "\\u0000"}));
    }

    #[test]
    fn members_of_one_name_without_nul_are_refused() {
        let mut value = json!({"x": [{"k\0": 1, "\0k": 2}]});
        let refused = admit_json("metadata", &mut value).unwrap_err();
        assert!(refused.problem.contains("`k`"), "{refused}");
    }

    #[test]
    fn id_with_a_nul_or_of_129_bytes_is_refused() {
        assert!(clean_id("id", &"x".repeat(128)).is_ok());
        assert!(clean_id("id", &"x".repeat(129)).is_err());
        let refused = clean_id("payload.thread_id", "t\0").unwrap_err();
        assert_eq!(
            refused.message,
            "`payload.thread_id` contains U+0000, which is not allowed in an id; remove it"
        );
    }
}
