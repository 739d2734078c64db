//! Whether a value is right for a field.

use super::{Email, Field, FieldKind};
use bigdecimal::{BigDecimal, Zero};
use chrono::NaiveDate;
use serde_json::{Number, Value};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why a setting was not changed. The text is for the person who wanted to change it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// There is no such field, or not for this audience.
    #[error("there is no setting `{0}`")]
    NotFound(String),
    /// It cannot be changed, or not by this audience.
    #[error("`{0}` cannot be changed")]
    Readonly(String),
    /// It is the program's own.
    #[error("`{0}` can be changed by the program only")]
    Internal(String),
    /// The value is not right for the field.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
}

/// A value that is not right for its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field_id}` cannot be {given}; {allowed}")]
pub struct InvalidValue {
    field_id: String,
    given: String,
    allowed: String,
}

impl InvalidValue {
    /// The field.
    #[must_use]
    pub fn field_id(&self) -> &str {
        &self.field_id
    }

    /// What the field takes.
    #[must_use]
    pub fn allowed(&self) -> &str {
        &self.allowed
    }
}

type Check = dyn Fn(&Value) -> Result<(), String> + Send + Sync;

/// A check of the program's own.
#[derive(Clone)]
pub(super) struct Validator(pub(super) Arc<Check>);

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validator(…)")
    }
}

/// The value as it is to be stored.
pub(super) fn check(field: &Field, value: Value) -> Result<Value, InvalidValue> {
    let refused = |allowed: String| InvalidValue {
        field_id: field.id.clone(),
        given: given(field, &value),
        allowed,
    };
    if value.is_null() && !field.required {
        return Ok(value);
    }
    if !fits(field, &value) {
        return Err(refused(format!("it takes {}", allowed(field))));
    }
    if let Some(Validator(validate)) = &field.validator {
        validate(&value).map_err(refused)?;
    }
    match integer(&value) {
        Some(whole) if field.is_integer => Ok(whole_number(whole).unwrap_or(value)),
        _ => Ok(value),
    }
}

/// Why a value that nobody may see is refused. What the program's own check says is left out, as it may show the value.
pub(super) fn hidden_problem(field: &Field, value: &Value) -> Option<String> {
    if !fits(field, value) {
        return Some(format!("it takes {}", takes(field)));
    }
    let is_refused = field
        .validator
        .as_ref()
        .is_some_and(|Validator(validate)| validate(value).is_err());
    is_refused.then(|| "it does not pass the setting's own check (`validate`)".to_owned())
}

/// What was given, so far as it may be shown.
fn given(field: &Field, value: &Value) -> String {
    const SHOWN: usize = 60;
    if field.is_secret() {
        return "this".to_owned();
    }
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
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
        | FieldKind::Image => value.as_str().is_some_and(|text| fits_text(field, text)),
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
        FieldKind::Date => date(text).is_some(),
        _ => true,
    };
    is_long_enough && is_short_enough && has_pattern && has_format
}

fn fits_number(field: &Field, number: &Number) -> bool {
    let value = Value::Number(number.clone());
    if field.is_integer && integer(&value).is_none() {
        return false;
    }
    let is_large_enough = field
        .min
        .as_ref()
        .is_none_or(|min| compare(number, min).is_ge());
    let is_small_enough = field
        .max
        .as_ref()
        .is_none_or(|max| compare(number, max).is_le());
    let is_on_a_step = field
        .step
        .as_ref()
        .is_none_or(|step| is_on_a_step(number, field.step_from.as_ref(), step));
    is_large_enough && is_small_enough && is_on_a_step
}

/// The whole number that a JSON number is, however it is written.
pub(super) fn integer(value: &Value) -> Option<i128> {
    /// No setting has more than 64 bits.
    const TOO_LARGE: f64 = 1e20;
    if let Some(whole) = value.as_i64() {
        return Some(whole.into());
    }
    if let Some(whole) = value.as_u64() {
        return Some(whole.into());
    }
    let decimal = value.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
    let whole = decimal as i128;
    (decimal.fract() == 0.0 && decimal.abs() < TOO_LARGE).then_some(whole)
}

fn whole_number(whole: i128) -> Option<Value> {
    let signed = i64::try_from(whole).map(Value::from);
    signed
        .or_else(|_| u64::try_from(whole).map(Value::from))
        .ok()
}

/// Two numbers by their size: whole ones exactly.
pub(super) fn compare(one: &Number, other: &Number) -> Ordering {
    let whole = |number: &Number| integer(&Value::Number(number.clone()));
    if let (Some(one), Some(other)) = (whole(one), whole(other)) {
        return one.cmp(&other);
    }
    let decimal = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
    decimal(one).total_cmp(&decimal(other))
}

/// Whether a number is a whole number of steps from the smallest one, or from 0. In decimals, as people count:
/// 0.3 is three steps of 0.1, which it is not in binary.
pub(super) fn is_on_a_step(number: &Number, min: Option<&Number>, step: &Number) -> bool {
    let rest = || {
        let from = match min {
            Some(min) => decimal(min)?,
            None => BigDecimal::zero(),
        };
        let step = decimal(step).filter(|step| !step.is_zero())?;
        Some((decimal(number)? - from) % step)
    };
    rest().is_some_and(|rest| rest.is_zero())
}

fn decimal(number: &Number) -> Option<BigDecimal> {
    BigDecimal::from_str(&number.to_string()).ok()
}

/// A date as RFC 3339 writes it: `2026-02-11`.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let has_shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    has_shape.then(|| NaiveDate::from_str(text).ok()).flatten()
}

/// The values that a field takes, for people.
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

/// The same without `null`.
fn takes(field: &Field) -> String {
    match field.kind {
        FieldKind::Checkbox => "`true` or `false`".to_owned(),
        FieldKind::Number => allowed_numbers(field),
        FieldKind::Select => {
            let options: Vec<_> = field
                .options
                .iter()
                .map(|(value, _)| format!("`{value}`"))
                .collect();
            format!("one of {}", options.join(", "))
        }
        FieldKind::Email => {
            "a mail address such as `ada@example.org`".to_owned() + &allowed_length(field)
        }
        FieldKind::Date => "a date such as `2026-02-11`".to_owned(),
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
