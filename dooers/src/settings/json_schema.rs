//! The settings as a JSON Schema.

use super::{Email, Field, FieldKind, SettingsSchema, Visibility};
use schemars::Schema;
use serde_json::{Map, Value, json};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The shape of a date. `format` checks the rest.
const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

impl SettingsSchema {
    /// The JSON Schema (draft 2020-12) of the values: an object with a property for each field. Fields in groups are
    /// properties of the same object. Internal fields are left out.
    #[must_use]
    pub fn json_schema(&self) -> Schema {
        let is_visible = |field: &&Field| field.visibility != Visibility::Internal;
        let properties: Map<String, Value> = self
            .fields()
            .filter(is_visible)
            .map(|field| (field.id.clone(), property(field)))
            .collect();
        let mut schema = Schema::default();
        schema.insert("$schema".to_owned(), DIALECT.into());
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("additionalProperties".to_owned(), false.into());
        schema
    }
}

fn property(field: &Field) -> Value {
    let mut property = Map::new();
    let mut say = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            property.insert(key.to_owned(), value);
        }
    };
    say("title", Some(field.label.as_str().into()));
    say("description", field.description.as_deref().map(Value::from));
    say("default", field.default.clone());
    say("readOnly", field.readonly.then(|| true.into()));
    say("writeOnly", field.is_secret().then(|| true.into()));
    say("type", Some(type_of(field)));
    say("enum", choices(field));
    say("minimum", field.min.clone().map(Value::Number));
    say("maximum", field.max.clone().map(Value::Number));
    say("multipleOf", multiple_of(field));
    say("minLength", field.min_length.map(Value::from));
    say("maxLength", field.max_length.map(Value::from));
    say("format", format_of(field.kind).map(Value::from));
    let pattern = field.pattern.as_ref().map(|pattern| pattern.text.as_str());
    let (own, more) = match field.kind {
        FieldKind::Email => (Some(Email::PATTERN), pattern),
        FieldKind::Date => (Some(DATE), pattern),
        kind => match kind.pattern() {
            Some(own) => (Some(own), pattern),
            None => (pattern, None),
        },
    };
    let lines = lines_of_choices(field);
    say("pattern", own.or(lines.as_deref()).map(Value::from));
    say("allOf", more.map(|more| json!([{ "pattern": more }])));
    Value::Object(property)
}

fn type_of(field: &Field) -> Value {
    let name = match field.kind {
        FieldKind::Number if field.is_integer => "integer",
        FieldKind::Number => "number",
        FieldKind::Checkbox => "boolean",
        _ => "string",
    };
    if field.required {
        name.into()
    } else {
        json!([name, "null"])
    }
}

fn choices(field: &Field) -> Option<Value> {
    if field.kind != FieldKind::Select {
        return None;
    }
    let values = field.options.iter().map(|(value, _)| value.as_str().into());
    let none = (!field.required).then_some(Value::Null);
    Some(values.chain(none).collect())
}

/// The pattern of a list of choices as it is stored: one value per line.
fn lines_of_choices(field: &Field) -> Option<String> {
    if field.kind != FieldKind::List || field.options.is_empty() {
        return None;
    }
    let values = field.options.iter().map(|(value, _)| escaped(value));
    let one = values.collect::<Vec<_>>().join("|");
    Some(format!(r"^(?:(?:{one})(?:\n(?:{one}))*)?$"))
}

/// Escapes the characters with a meaning in ECMA-262. In a Unicode expression, other characters cannot be escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if r"^$\.*+?()[]{}|/".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// JSON Schema counts steps from 0, and a setting counts them from its minimum. The two agree if the minimum is on a
/// step from 0, and only then is there a `multipleOf`.
fn multiple_of(field: &Field) -> Option<Value> {
    let step = field.step.clone()?;
    let min = field.step_from.as_ref();
    let counts_from_0 = min.is_none_or(|min| super::check::is_multiple(min, &step));
    counts_from_0.then_some(Value::Number(step))
}

/// The `format` of a kind. Email addresses have none, because `email` accepts other addresses than the HTML standard.
/// Their pattern is that of the HTML standard.
fn format_of(kind: FieldKind) -> Option<&'static str> {
    match kind {
        FieldKind::Password => Some("password"),
        FieldKind::Date => Some("date"),
        FieldKind::Image => Some("uri-reference"),
        _ => None,
    }
}
