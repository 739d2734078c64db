//! The data of tool events.

use serde_json::{Map, Value};

/// Maximum length of a call id that every API accepts.
const LONGEST_ID: usize = 40;

/// Maximum length of a function name that every API accepts.
const LONGEST_NAME: usize = 64;

/// The `data` of a tool event. Programs can write such events themselves, so any member may be missing.
#[derive(Debug)]
pub(super) struct ToolData {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) args: Value,
    pub(super) result: Value,
}

impl ToolData {
    pub(super) fn of(data: Option<Value>) -> Self {
        let mut members = match data {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        let mut take = |name: &str| members.remove(name).unwrap_or_default();
        let text = |value: Value| match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Self {
            id: text(take("id")),
            name: text(take("name")),
            args: take("args"),
            result: take("result"),
        }
    }
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-')
}

/// Returns true if every API accepts `id` as the id of a call.
pub(crate) fn is_call_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.chars().all(is_name_char)
}

/// A name with only the characters that APIs accept in names. Empty if no letter or digit is left.
pub(super) fn plain_name(name: &str) -> String {
    if !name.chars().any(|char| char.is_ascii_alphanumeric()) {
        return String::new();
    }
    let plain = |char| if is_name_char(char) { char } else { '_' };
    name.chars().take(LONGEST_NAME).map(plain).collect()
}

/// The name of a tool as APIs accept function names.
pub(crate) fn function_name(name: &str) -> String {
    let plain = plain_name(name);
    match plain.chars().next() {
        None => "tool".to_owned(),
        // Google requires names that begin with a letter or `_`.
        Some(first) if !first.is_ascii_alphabetic() && first != '_' => {
            let rest = plain.chars().take(LONGEST_NAME - 1);
            std::iter::once('_').chain(rest).collect()
        }
        Some(_) => plain,
    }
}

/// A value as an object. An object is returned unchanged, a string that contains an object is parsed, and `null` is an
/// empty object. Any other value becomes the only `member` of a new object.
pub(super) fn object_of(value: &Value, member: &str) -> Map<String, Value> {
    match value {
        Value::Object(object) => object.clone(),
        Value::Null => Map::new(),
        other => other
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_else(|| Map::from_iter([(member.to_owned(), other.clone())])),
    }
}

/// A value as a text. A string is returned unchanged, any other value as JSON.
pub(super) fn json_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_have_only_characters_that_apis_accept() {
        assert_eq!(function_name("search_web"), "search_web");
        assert_eq!(function_name("files/read.all"), "files_read_all");
        assert_eq!(function_name("größe"), "gr__e");
        assert_eq!(function_name("7zip"), "_7zip");
        assert_eq!(function_name(""), "tool");
        assert_eq!(function_name("…"), "tool");
        assert_eq!(function_name(&"n".repeat(100)).len(), 64);
        assert_eq!(function_name(&"7".repeat(100)).len(), 64);
        assert_eq!(plain_name("Ada Lovelace"), "Ada_Lovelace");
        assert_eq!(plain_name("李"), "");
    }

    #[test]
    fn arguments_of_any_type_become_an_object() {
        let object = |value: Value| Value::Object(object_of(&value, "value"));
        assert_eq!(object(json!({"a": 1})), json!({"a": 1}));
        assert_eq!(object(json!("{\"a\": 1}")), json!({"a": 1}));
        assert_eq!(object(json!(null)), json!({}));
        assert_eq!(object(json!("plain")), json!({"value": "plain"}));
        assert_eq!(object(json!("[1]")), json!({"value": "[1]"}));
        assert_eq!(object(json!([1, 2])), json!({"value": [1, 2]}));
    }

    #[test]
    fn tool_data_of_any_type_is_read() {
        let data = ToolData::of(Some(json!({"id": 7, "args": [1]})));
        assert_eq!((&*data.id, &*data.name), ("7", ""));
        assert_eq!((data.args, data.result), (json!([1]), json!(null)));
        for data in [None, Some(json!(null)), Some(json!("text"))] {
            assert_eq!(ToolData::of(data).id, "");
        }
    }
}
