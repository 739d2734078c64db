//! The arguments of a call, as a model writes them.

use crate::protocol::{JsonMisfit, MAX_JSON_DEPTH, admit_json_within, json_bytes, whole};
use crate::text::split_at_bytes;
use serde_json::{Map, Number, Value};

/// Maximum length of the arguments of one call, in bytes: as the model writes them, and as JSON without white space.
pub const MAX_ARGUMENT_BYTES: usize = 256 * 1024;

/// Maximum number of bytes that are stored of arguments that cannot be used.
const MAX_SHOWN_BYTES: usize = 1024;

/// The nesting depth that is left in the data of an event, which is itself an object.
pub(super) const MAX_DEPTH: usize = MAX_JSON_DEPTH - 1;

/// Integers up to this number are exact in every notation of JSON.
const LARGEST_EXACT: i128 = 1 << 53;

/// Arguments that cannot be used.
#[derive(Debug, PartialEq)]
pub(super) struct Unusable {
    /// The reason, for the model.
    pub(super) text: String,
    /// The beginning of the arguments, for the history.
    pub(super) shown: Value,
}

/// Parses the arguments that a model wrote. Empty arguments and `null` are an empty object, and whole numbers lose an
/// empty fraction.
pub(super) fn parse(raw: &str) -> Result<Value, Unusable> {
    value_of(raw).map_err(|text| Unusable {
        text,
        shown: shown(raw),
    })
}

fn value_of(raw: &str) -> Result<Value, String> {
    check_length(raw.len())?;
    if raw.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut value: Value = serde_json::from_str(raw).map_err(|error| not_json(raw, &error))?;
    fits_event(&mut value).map_err(|misfit| refusal_of(&misfit))?;
    if value.is_null() {
        return Ok(Value::Object(Map::new()));
    }
    shorten_numbers(&mut value);
    // `1e15` is stored as a number of 16 digits.
    check_length(json_bytes(&value))?;
    Ok(value)
}

fn check_length(bytes: usize) -> Result<(), String> {
    if bytes <= MAX_ARGUMENT_BYTES {
        return Ok(());
    }
    Err(format!(
        "the arguments are {bytes} bytes long; at most {MAX_ARGUMENT_BYTES} are allowed; shorten them"
    ))
}

/// Removes U+0000 from all texts.
///
/// # Errors
///
/// The reason why the value cannot be part of the data of an event. The value is then `null`.
pub(super) fn fits_event(value: &mut Value) -> Result<(), JsonMisfit> {
    admit_json_within(value, MAX_DEPTH)
}

fn refusal_of(misfit: &JsonMisfit) -> String {
    match misfit {
        JsonMisfit::TooDeep => {
            format!("the arguments are nested deeper than {MAX_DEPTH} levels; make them flatter")
        }
        JsonMisfit::SameName(_) => {
            "the arguments have two members whose names differ only in U+0000; rename one"
                .to_owned()
        }
    }
}

fn not_json(raw: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "the arguments end in the middle of the JSON; send the whole call again".to_owned();
    }
    // The parser has no other sign of its own limit.
    if error.to_string().contains("recursion limit") {
        return refusal_of(&JsonMisfit::TooDeep);
    }
    let (line, column) = (error.line(), error.column());
    let is_object = raw.trim_start().starts_with('{');
    let rule = if is_object {
        "are not valid JSON"
    } else {
        "must be a JSON object"
    };
    format!("the arguments {rule}; the first mistake is in line {line}, column {column}")
}

fn shown(raw: &str) -> Value {
    let (start, rest) = split_at_bytes(raw, MAX_SHOWN_BYTES);
    let cut = if rest.is_empty() { "" } else { "…" };
    Value::String(format!("{start}{cut}"))
}

/// Writes `3.0` as `3`, because a type for whole numbers does not accept the former, while JSON Schema does.
fn shorten_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let exact = whole(number).filter(|whole| whole.abs() <= LARGEST_EXACT);
            if let Some(exact) = exact.and_then(Number::from_i128) {
                *number = exact;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(shorten_numbers),
        Value::Object(members) => members.values_mut().for_each(shorten_numbers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
