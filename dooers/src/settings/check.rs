//! The check of a value against its field.

use super::invalid_value::Validator;
use super::{Email, Field, FieldKind, InvalidValue, formats, list, step};
use crate::protocol::whole;
use crate::text::split_at_cluster;
use bigdecimal::{BigDecimal, ToPrimitive};
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::str::FromStr;

impl Field {
    /// Checks a value and returns it as it must be stored: for a whole number `1.0` becomes `1`, and a number close to
    /// a [`step`](Self::step) becomes that step.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if the value does not fit the field.
    pub fn check(&self, value: Value) -> Result<Value, InvalidValue> {
        check(self, value)
    }
}

/// Checks a value and returns it as it must be stored.
fn check(field: &Field, value: Value) -> Result<Value, InvalidValue> {
    let refused = |allowed: String| InvalidValue {
        field_id: field.id.clone(),
        given: given(field, &value),
        allowed,
    };
    if value.is_null() && !field.required {
        return Ok(value);
    }
    let meant = meant(field, &value).filter(|meant| fits(field, meant));
    let Some(meant) = meant else {
        return Err(refused(format!("it takes {}", allowed(field))));
    };
    own_check(field, &meant).map_err(refused)?;
    match meant {
        Cow::Owned(meant) => Ok(meant),
        Cow::Borrowed(_) => Ok(value),
    }
}

/// Normalizes a value: a number close to a step becomes that step, and in a field for whole numbers `1.0` becomes `1`.
fn meant<'a>(field: &Field, value: &'a Value) -> Option<Cow<'a, Value>> {
    match value {
        Value::Number(number) if field.kind == FieldKind::Number => {
            let number = meant_number(field, number)?;
            Some(Cow::Owned(Value::Number(number)))
        }
        Value::String(text) => match meant_text(field, text)? {
            Cow::Owned(meant) => Some(Cow::Owned(Value::String(meant))),
            Cow::Borrowed(_) => Some(Cow::Borrowed(value)),
        },
        _ => Some(Cow::Borrowed(value)),
    }
}

/// The form in which a text is stored. `None` if it does not have the format of the field.
fn meant_text<'a>(field: &Field, text: &'a str) -> Option<Cow<'a, str>> {
    let meant = match field.kind {
        FieldKind::Duration => formats::duration_text(formats::nanoseconds(text)?),
        FieldKind::Color => formats::color_text(text.to_owned()),
        FieldKind::Time => formats::time_text(text).to_owned(),
        FieldKind::List => list::meant(text, &field.options)?,
        _ => return Some(Cow::Borrowed(text)),
    };
    Some(Cow::Owned(meant))
}

/// The program's own check of a value that fits its field. The program's message about a secret is left out, because it
/// may contain the value.
fn own_check(field: &Field, value: &Value) -> Result<(), String> {
    let Some(Validator(validate)) = &field.validator else {
        return Ok(());
    };
    validate(value).map_err(|message| {
        if field.is_secret() {
            "it does not pass the setting's own check (`validate`)".to_owned()
        } else {
            message
        }
    })
}

/// The reason why a secret value is refused.
pub(super) fn hidden_problem(field: &Field, value: &Value) -> Option<String> {
    if !fits(field, value) {
        return Some(format!("it takes {}", takes(field)));
    }
    own_check(field, value).err()
}

/// The refused value for an error message: shortened, or hidden if it is a secret.
fn given(field: &Field, value: &Value) -> String {
    const SHOWN: usize = 60;
    if field.is_secret() {
        return "this".to_owned();
    }
    let text = value.to_string();
    match split_at_cluster(&text, SHOWN) {
        (_, "") => text,
        (shown, _) => format!("{shown}…"),
    }
}

fn fits(field: &Field, value: &Value) -> bool {
    match field.kind {
        FieldKind::Checkbox => value.is_boolean(),
        FieldKind::Number => match value {
            Value::Number(number) => fits_number(field, number),
            _ => false,
        },
        FieldKind::Select => value
            .as_str()
            .is_some_and(|value| field.options.iter().any(|(option, _)| option == value)),
        FieldKind::Text
        | FieldKind::Textarea
        | FieldKind::Password
        | FieldKind::Email
        | FieldKind::Date
        | FieldKind::Image
        | FieldKind::Duration
        | FieldKind::Time
        | FieldKind::Url
        | FieldKind::Color
        | FieldKind::List => value.as_str().is_some_and(|text| fits_text(field, text)),
    }
}

fn fits_text(field: &Field, text: &str) -> bool {
    let length = text.chars().count();
    let is_long_enough = field.min_length.is_none_or(|min| length >= min as usize);
    let is_short_enough = field.max_length.is_none_or(|max| length <= max as usize);
    let has_pattern = field.pattern.as_ref().is_none_or(|pattern| {
        let compiled = pattern.compiled.as_ref();
        compiled.is_ok_and(|expression| expression.is_match(text))
    });
    let has_format = match field.kind {
        FieldKind::Email => Email::parse(text).is_ok(),
        FieldKind::Date => crate::protocol::date(text).is_some(),
        FieldKind::Duration => formats::nanoseconds(text).is_some(),
        FieldKind::Time => formats::is_time(text),
        FieldKind::Url => formats::is_http_url(text),
        FieldKind::Color => formats::is_color(text),
        FieldKind::List => list::meant(text, &field.options).is_some(),
        _ => true,
    };
    is_long_enough && is_short_enough && has_pattern && has_format
}

fn fits_number(field: &Field, number: &Number) -> bool {
    let (min, max) = (field.min.as_ref(), field.max.as_ref());
    min.is_none_or(|min| compare(number, min).is_ge())
        && max.is_none_or(|max| compare(number, max).is_le())
}

/// The number that is meant. `None` if it is not on a step, or is not whole although the field requires it.
pub(super) fn meant_number(field: &Field, number: &Number) -> Option<Number> {
    let exact = if field.is_integer {
        whole(number)
    } else {
        number.as_i128()
    };
    let given = match exact {
        Some(whole) => BigDecimal::from(whole),
        None => decimal(number)?,
    };
    let meant = match &field.step {
        Some(step) => {
            let from = field.step_from.as_ref().and_then(decimal);
            step::meant(&given, from.as_ref(), &decimal(step)?)?
        }
        None => given.clone(),
    };
    let is_given = meant == given;
    if exact.is_some() && !is_given {
        // Whole numbers are exact, so they are never rounded to a step.
        return None;
    }
    if field.is_integer {
        integer(&meant)
    } else if is_given {
        Some(number.clone())
    } else {
        Number::from_f64(meant.to_string().parse().ok()?)
    }
}

/// Converts to a whole number of 64 bits, with or without a sign.
fn integer(number: &BigDecimal) -> Option<Number> {
    if !number.is_integer() {
        return None;
    }
    let signed = number.to_i64().map(Number::from);
    signed.or_else(|| number.to_u64().map(Number::from))
}

/// Compares two numbers by their decimal values.
pub(super) fn compare(one: &Number, other: &Number) -> Ordering {
    decimal(one).cmp(&decimal(other))
}

/// Returns true if a number is exactly on a step that is counted from 0.
pub(super) fn is_multiple(number: &Number, step: &Number) -> bool {
    let numbers = decimal(number).zip(decimal(step));
    numbers.is_some_and(|(number, step)| step::meant(&number, None, &step) == Some(number))
}

fn decimal(number: &Number) -> Option<BigDecimal> {
    BigDecimal::from_str(&number.to_string()).ok()
}

/// Moves the numbers that describe a field to their steps, and the default to the form in which it is stored. The
/// steps of `min` are counted from 0, and those of the default and `max` from `min`.
pub(super) fn activate(field: &mut Field) {
    if let Some(min) = field.step_from.take() {
        let min = meant_number(field, &min).unwrap_or(min);
        field.min = Some(min.clone());
        field.step_from = Some(min);
    }
    let max = field.max.as_ref();
    if let Some(max) = max.and_then(|max| meant_number(field, max)) {
        field.max = Some(max);
    }
    let default = field.default.as_ref();
    if let Some(Cow::Owned(default)) = default.and_then(|default| meant(field, default)) {
        field.default = Some(default);
    }
}

/// Describes the values that a field accepts, including `null`.
fn allowed(field: &Field) -> String {
    let null = if field.required {
        ""
    } else if field.begins_with_a_value() {
        ", or null for its default"
    } else {
        ", or null for none"
    };
    takes(field) + null
}

/// Describes the values that a field accepts, without `null`.
fn takes(field: &Field) -> String {
    match field.kind {
        FieldKind::Checkbox => "`true` or `false`".to_owned(),
        FieldKind::Number => allowed_numbers(field),
        FieldKind::Select => {
            format!("one of `{}`", field.option_values("`, `"))
        }
        FieldKind::Email => {
            "an email address such as `ada@example.org`".to_owned() + &allowed_length(field)
        }
        FieldKind::Date => "a date such as `2026-02-11`".to_owned(),
        FieldKind::Duration => "a duration such as `30s` or `1m30s`".to_owned(),
        FieldKind::Time => "a time of day such as `09:30`".to_owned(),
        FieldKind::Url => "an address such as `https://example.org/`".to_owned(),
        FieldKind::Color => "a color such as `#ff8000`".to_owned(),
        FieldKind::List if field.options.is_empty() => "a text with one item per line".to_owned(),
        FieldKind::List => {
            let values = field.option_values("`, `");
            format!("a text with one value per line, each one of `{values}`")
        }
        FieldKind::Text | FieldKind::Textarea | FieldKind::Password | FieldKind::Image => {
            let mut text = "a text".to_owned() + &allowed_length(field);
            if let Some(pattern) = &field.pattern {
                text += &format!(" that matches `{}`", pattern.text);
            }
            text
        }
    }
}

fn allowed_numbers(field: &Field) -> String {
    let kind = if field.is_integer {
        "a whole number"
    } else {
        "a number"
    };
    let bounds = match (&field.min, &field.max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (None, None) => String::new(),
    };
    let steps = field.step.as_ref();
    let steps = steps.map_or_else(String::new, |step| format!(" in steps of {step}"));
    format!("{kind}{bounds}{steps}")
}

fn allowed_length(field: &Field) -> String {
    match (field.min_length, field.max_length) {
        (Some(min), Some(max)) => format!(" of {min} to {max} characters"),
        (Some(min), None) => format!(" of at least {min} characters"),
        (None, Some(max)) => format!(" of at most {max} characters"),
        (None, None) => String::new(),
    }
}
