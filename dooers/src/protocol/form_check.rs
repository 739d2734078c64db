//! The check of the answers to a form.

use super::form::FormAnswer;
use super::{Form, FormChoice, FormElement, FormInput, TextInputType, date, is_visible};
use chrono::{DateTime, NaiveDateTime};
use serde_json::Value;

/// Maximum number of characters of a value or a name in a refusal.
const SHOWN: usize = 60;

/// The length of a date without a time, in bytes.
const DATE_LENGTH: usize = 10;

/// Maximum number of options or fields that a refusal lists.
const LISTED: usize = 20;

/// The error for an answer that does not fit its form. The text is sent to the client, and never contains answers to
/// password fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`payload.event.data.values.{name}` {problem}")]
pub(crate) struct Misfit {
    name: String,
    problem: String,
}

impl Misfit {
    fn new(name: &str, problem: String) -> Self {
        Self {
            name: shortened(name),
            problem,
        }
    }
}

impl FormAnswer {
    /// Checks the values against the form. An answer that cancels the form is not checked.
    ///
    /// # Errors
    ///
    /// The first value that does not fit.
    pub(crate) fn check(&self, form: &Form) -> Result<(), Misfit> {
        if self.cancelled {
            return Ok(());
        }
        let is_known = |name: &String| form.elements.iter().any(|element| element.name == *name);
        if let Some(unknown) = self.values.keys().find(|name| !is_known(name)) {
            let names = form.elements.iter().map(|element| element.name.as_str());
            let problem = match listed(names) {
                Some(names) => format!("is not a field of the form; its fields are {names}"),
                None => "is not a field of the form, which has no fields".to_owned(),
            };
            return Err(Misfit::new(unknown, problem));
        }
        let check = |element: &FormElement| element.check_answer(self.values.get(&element.name));
        form.elements.iter().try_for_each(check)
    }
}

/// Returns true if a value means that the user gave no answer.
pub(crate) fn is_unanswered(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// Returns true if a value is a text without visible characters, which does not answer a required field.
fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !is_visible(text))
}

impl FormElement {
    fn check_answer(&self, value: Option<&Value>) -> Result<(), Misfit> {
        let refused = |problem: String| Err(Misfit::new(&self.name, problem));
        let value = value.filter(|value| !is_unanswered(value));
        if self.disabled {
            return match value {
                Some(value) if !self.is_default(value) => {
                    let given = self.given(value);
                    refused(format!(
                        "is {given}; the field is disabled and takes only its default"
                    ))
                }
                _ => Ok(()),
            };
        }
        let Some(value) = value.filter(|value| !(self.required && is_blank(value))) else {
            return if self.required {
                refused("is missing, and the form requires it".to_owned())
            } else {
                Ok(())
            };
        };
        // The default of the form is never refused.
        if self.is_default(value) || self.input.fits(value) {
            return Ok(());
        }
        let (given, taken) = (self.given(value), self.input.taken());
        refused(format!("is {given}; the field takes {taken}"))
    }

    /// Returns true if this is the default of the field.
    fn is_default(&self, value: &Value) -> bool {
        match &self.input {
            FormInput::TextInput { default, .. }
            | FormInput::TextareaInput { default, .. }
            | FormInput::SelectInput { default, .. }
            | FormInput::RadioInput { default, .. } => {
                default.is_some() && value.as_str() == default.as_deref()
            }
            FormInput::CheckboxInput { default, .. } => {
                value.as_array().is_some_and(|values| values == default)
            }
            FormInput::FileInput { .. } => false,
        }
    }

    /// The value for an error message, shortened and without secrets.
    fn given(&self, value: &Value) -> String {
        match value {
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            Value::String(_) if self.input.is_password() => "a text".to_owned(),
            _ if self.input.is_password() => "not a text".to_owned(),
            scalar => format!("`{}`", shortened(&scalar.to_string())),
        }
    }
}

impl FormInput {
    /// Returns true if this is a password field.
    pub(crate) fn is_password(&self) -> bool {
        matches!(
            self,
            Self::TextInput {
                input_type: TextInputType::Password,
                ..
            }
        )
    }

    fn fits(&self, value: &Value) -> bool {
        match self {
            Self::TextInput { input_type, .. } => input_type.fits(value),
            Self::TextareaInput { .. } => value.is_string(),
            Self::SelectInput { options, .. } | Self::RadioInput { options, .. } => {
                is_choice(options, value)
            }
            Self::CheckboxInput { options, .. } => match value {
                Value::Array(values) => values
                    .iter()
                    .enumerate()
                    .all(|(at, value)| is_choice(options, value) && !values[..at].contains(value)),
                _ => false,
            },
            Self::FileInput { multiple, .. } => match value {
                Value::Object(_) => true,
                Value::Array(files) => {
                    (*multiple || files.len() == 1) && files.iter().all(Value::is_object)
                }
                _ => false,
            },
        }
    }

    /// Describes the values that the field accepts.
    fn taken(&self) -> String {
        match self {
            Self::TextInput { input_type, .. } => input_type.taken().to_owned(),
            Self::TextareaInput { .. } => "a text".to_owned(),
            Self::SelectInput { options, .. } | Self::RadioInput { options, .. } => {
                match choices(options) {
                    Some(choices) => format!("one of {choices}"),
                    None => "no value, because it has no options".to_owned(),
                }
            }
            Self::CheckboxInput { options, .. } => match choices(options) {
                Some(choices) => format!("a list of any of {choices}, each at most once"),
                None => "an empty list, because it has no options".to_owned(),
            },
            Self::FileInput { multiple: true, .. } => {
                "a file as an object, or a list of such objects".to_owned()
            }
            Self::FileInput { .. } => "one file, as an object or in a list".to_owned(),
        }
    }
}

impl TextInputType {
    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Number, Value::Number(_)) => true,
            (Self::Number, Value::String(text)) => is_number(text.trim()),
            (Self::Email, Value::String(text)) => is_email(text.trim()),
            (Self::Date, Value::String(text)) => is_date(text.trim()),
            (Self::Text | Self::Password, value) => value.is_string(),
            _ => false,
        }
    }

    fn taken(self) -> &'static str {
        match self {
            Self::Text | Self::Password => "a text",
            Self::Email => "an email address, such as `ada@example.com`",
            Self::Number => "a number, also as a text, such as `3.5`",
            Self::Date => "a date, such as `2026-02-11`",
        }
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Refuses only texts that cannot be an address. Everything else is up to the mail server.
pub(super) fn is_email(text: &str) -> bool {
    let has_space = text.chars().any(char::is_whitespace);
    let parts = text.rsplit_once('@').filter(|_| !has_space);
    parts.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
}

/// Returns true for a date with or without a time, because date pickers send either.
fn is_date(text: &str) -> bool {
    // The `datetime-local` input of browsers sends no seconds.
    let has_time = || {
        text.parse::<NaiveDateTime>().is_ok()
            || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").is_ok()
            || DateTime::parse_from_rfc3339(text).is_ok()
    };
    let day = text.get(..DATE_LENGTH).and_then(date);
    day.is_some() && (text.len() == DATE_LENGTH || has_time())
}

fn is_choice(options: &[FormChoice], value: &Value) -> bool {
    let text = value.as_str();
    text.is_some_and(|text| options.iter().any(|option| option.value == text))
}

fn choices(options: &[FormChoice]) -> Option<String> {
    listed(options.iter().map(|option| option.value.as_str()))
}

/// The first names, in backticks. `None` if there are no names.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut names = names.map(|name| format!("`{}`", shortened(name)));
    let mut listed = names.by_ref().take(LISTED).collect::<Vec<_>>().join(", ");
    if names.next().is_some() {
        listed.push_str(", …");
    }
    (!listed.is_empty()).then_some(listed)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
