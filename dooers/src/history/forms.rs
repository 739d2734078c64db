//! Forms and form answers as texts.

use super::tools::json_text;
use crate::protocol::{Form, FormAnswer, ThreadEvent, is_unanswered};
use serde_json::Value;

/// The text in place of the answer to a password field.
const HIDDEN: &str = "[hidden]";

/// The form of a `form` event.
pub(super) fn form_of(event: &ThreadEvent) -> Option<Form> {
    serde_json::from_value(event.data.clone()?).ok()
}

/// The answers of a `form.response` event.
pub(super) fn answer_of(event: &ThreadEvent) -> Option<FormAnswer> {
    serde_json::from_value(event.data.clone()?).ok()
}

/// A form as a text: its message and the labels of its fields.
pub(super) fn asked(form: Option<&Form>) -> String {
    let Some(form) = form else {
        return "[form]".to_owned();
    };
    let labels: Vec<_> = form
        .elements
        .iter()
        .map(|element| &*element.label)
        .collect();
    let message = form.message.trim();
    let separator = if message.is_empty() { "" } else { "\n" };
    if labels.is_empty() {
        return format!("{message}{separator}[form]");
    }
    format!("{message}{separator}[form: {}]", labels.join(", "))
}

/// A user's answers as a text, with the labels of the form if it is known. The values of the fields in `hidden` are
/// not shown, even if the form does not call them passwords.
pub(super) fn answered(
    answer: Option<&FormAnswer>,
    hidden: &[String],
    form: Option<&Form>,
) -> String {
    let Some(answer) = answer else {
        return "[form answered]".to_owned();
    };
    if answer.cancelled {
        return "[form cancelled]".to_owned();
    }
    let line = |(name, value): (&String, &Value)| {
        let elements = form.map(|form| &form.elements[..]).unwrap_or_default();
        let element = elements.iter().find(|element| element.name == *name);
        let label = element.map_or(name, |element| &element.label);
        let is_password = element.is_some_and(|element| element.input.is_password());
        // Older versions of the server stored the value itself.
        let is_hidden = hidden.contains(name) || is_password && !is_unanswered(value);
        let value = if is_hidden {
            HIDDEN.to_owned()
        } else {
            value_text(value)
        };
        format!("{label}: {value}")
    };
    let lines: Vec<_> = answer.values.iter().map(line).collect();
    if lines.is_empty() {
        return "[form answered]".to_owned();
    }
    format!("[form answered]\n{}", lines.join("\n"))
}

fn value_text(value: &Value) -> String {
    match value {
        value if is_unanswered(value) => "(nothing)".to_owned(),
        Value::Array(values) => {
            let texts: Vec<_> = values.iter().map(json_text).collect();
            texts.join(", ")
        }
        value => json_text(value),
    }
}
