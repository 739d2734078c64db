//! Texts about arguments that do not fit their schema, for the model.
//!
//! The texts name members, and quote the schema. They contain no value of the arguments, which can be secret.

use crate::similar::similar;
use crate::text::split_at_bytes;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// Maximum number of members that are reported at once.
const MOST_MEMBERS: usize = 3;

/// Maximum number of values or names in a list.
const LISTED: usize = 20;

/// Maximum length of a name or a quotation, in bytes.
const QUOTED: usize = 200;

/// Maximum length of the whole text, in bytes.
const MOST_BYTES: usize = 2000;

/// Describes the first errors. `None` if there are none.
pub(super) fn misfits<'a>(
    errors: impl Iterator<Item = ValidationError<'a>>,
    schema: &Value,
) -> Option<String> {
    let texts = errors.map(|error| misfit(&error, schema));
    let texts: Vec<_> = texts.take(MOST_MEMBERS).collect();
    (!texts.is_empty()).then(|| cut(&texts.join("; "), MOST_BYTES))
}

fn misfit(error: &ValidationError<'_>, schema: &Value) -> String {
    let path = error.instance_path();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = member(path, property.as_str().unwrap_or_default());
            format!("the argument `{name}` is missing")
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unknown(path, unexpected, &known_names(error, schema))
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let errors = first_errors(context, path);
            match nearest(&errors, path) {
                Some(inner) => misfit(inner, schema),
                None => format!("{} {}", subject(path), alternatives(&errors)),
            }
        }
        ValidationErrorKind::Type { kind } => {
            let given = type_name(JsonType::from(error.instance().as_ref()));
            format!("{} must be {}, not {given}", subject(path), types(kind))
        }
        kind => {
            let rule = rule(kind).unwrap_or_else(|| {
                // The placeholder stands for the value.
                format!("does not fit the schema: {}", error.masked())
            });
            format!("{} {}", subject(path), cut(&rule, 3 * QUOTED))
        }
    }
}

/// The rule that a value breaks. `None` for rare rules.
fn rule(kind: &ValidationErrorKind) -> Option<String> {
    Some(match kind {
        ValidationErrorKind::Type { kind } => {
            format!("must be {}", types(kind))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().into_iter().flatten();
            format!("must be one of {}", listed(options.map(written)))
        }
        ValidationErrorKind::Constant { expected_value } => {
            format!("must be `{}`", written(expected_value))
        }
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("must be a multiple of {multiple_of}")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("must have at least {limit} characters")
        }
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::UniqueItems => "must not have the same item twice".to_owned(),
        ValidationErrorKind::Pattern { pattern } => {
            format!("must match the pattern `{}`", cut(pattern, QUOTED))
        }
        ValidationErrorKind::FalseSchema => "must not be given".to_owned(),
        _ => return None,
    })
}

fn unknown(path: &Location, unexpected: &[String], known: &[&str]) -> String {
    let name = unexpected.first().map_or("", String::as_str);
    let mut text = format!("there is no argument `{}`", member(path, name));
    // The comparison takes time that grows with the product of the lengths.
    let start = split_at_bytes(name, QUOTED).0;
    if let Some(similar) = similar(start, known.iter().copied()) {
        text += &format!("; did you mean `{}`?", member(path, similar));
    } else if !known.is_empty() {
        let known = known.iter().map(|name| member(path, name));
        text += &format!("; the arguments are {}", listed(known));
    }
    text
}

/// The names of the members that the schema allows in place of an unknown one.
fn known_names<'a>(error: &ValidationError<'_>, schema: &'a Value) -> Vec<&'a str> {
    let keyword = error.schema_path().as_str();
    let object = keyword.rsplit_once('/').map_or("", |(object, _)| object);
    let properties = schema
        .pointer(object)
        .and_then(|object| object["properties"].as_object());
    let names = properties.into_iter().flatten();
    names.map(|(name, _)| name.as_str()).collect()
}

/// The error of the alternative that fits best: the one that accepts the value itself and refuses a part of it. `None` if
/// no alternative, or more than one, is like this.
fn nearest<'a>(
    errors: &[&'a ValidationError<'static>],
    path: &Location,
) -> Option<&'a ValidationError<'static>> {
    let is_inside = |error: &&&ValidationError<'_>| {
        error.instance_path().as_str().len() > path.as_str().len()
            || matches!(
                error.kind(),
                ValidationErrorKind::Required { .. }
                    | ValidationErrorKind::AdditionalProperties { .. }
            )
    };
    let mut inside = errors.iter().filter(is_inside);
    let only = inside.next()?;
    inside.next().is_none().then_some(*only)
}

/// The first error of each alternative for the value at this path. Alternatives of alternatives are included.
fn first_errors<'a>(
    context: &'a [Vec<ValidationError<'static>>],
    path: &Location,
) -> Vec<&'a ValidationError<'static>> {
    let mut found = Vec::new();
    for error in context.iter().filter_map(|errors| errors.first()) {
        match error.kind() {
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context }
                if error.instance_path() == path =>
            {
                found.extend(first_errors(context, path));
            }
            _ => found.push(error),
        }
    }
    found
}

/// The rules of alternatives, none of which the value keeps.
fn alternatives(errors: &[&ValidationError<'static>]) -> String {
    let mut rules: Vec<String> = Vec::new();
    for error in errors {
        let rule = rule(error.kind());
        let rule = rule.as_deref().and_then(|rule| rule.strip_prefix("must "));
        match rule {
            Some(rule) if rules.iter().any(|known| known == rule) => {}
            Some(rule) => rules.push(rule.to_owned()),
            None => return "fits none of the schemas that are allowed".to_owned(),
        }
    }
    rules.truncate(LISTED);
    let values: Option<Vec<_>> = rules.iter().map(|rule| rule.strip_prefix("be ")).collect();
    match values {
        Some(values) => format!("must be {}", values.join(", or ")),
        None => format!("must {}", rules.join(", or ")),
    }
}

fn subject(path: &Location) -> String {
    if path.is_empty() {
        return "the arguments".to_owned();
    }
    format!("the argument `{}`", shown_path(path))
}

/// The path of a member of the value at this path.
fn member(path: &Location, name: &str) -> String {
    let name = cut(name, QUOTED);
    if path.is_empty() {
        return name;
    }
    format!("{}.{name}", shown_path(path))
}

fn shown_path(path: &Location) -> String {
    let mut shown = String::new();
    for segment in path {
        match segment {
            LocationSegment::Property(name) if shown.is_empty() => shown += &name,
            LocationSegment::Property(name) => shown += &format!(".{name}"),
            LocationSegment::Index(index) => shown += &format!("[{index}]"),
        }
    }
    cut(&shown, QUOTED)
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => type_name(*one).to_owned(),
        TypeKind::Multiple(several) => {
            let names: Vec<_> = several.iter().map(type_name).collect();
            names.join(" or ")
        }
    }
}

fn type_name(json_type: JsonType) -> &'static str {
    match json_type {
        JsonType::Null => "null",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    }
}

/// A value of the schema, as a model would write it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, QUOTED),
        other => cut(&other.to_string(), QUOTED),
    }
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names = names.map(|name| format!("`{name}`"));
    let mut listed = names.by_ref().take(LISTED).collect::<Vec<_>>().join(", ");
    if names.next().is_some() {
        listed.push_str(", …");
    }
    listed
}

fn cut(text: &str, bytes: usize) -> String {
    match split_at_bytes(text, bytes) {
        (whole, "") => whole.to_owned(),
        (start, _) => format!("{start}…"),
    }
}
