//! The form that asks a person to approve a call.

use super::DynamicTool;
use super::tools::Approvals;
use crate::AgentError;
use crate::handler::{FormReply, WorkerResponse};
use crate::protocol::{Form, FormElement};
use crate::text::{split_at_bytes, split_at_cluster};
use serde_json::{Map, Value};

/// Maximum number of characters of a value in the form, as readers see them.
const MOST_CHARACTERS: usize = 1000;

/// Maximum length of a value in the form, in bytes. A single character can have any length.
const MOST_BYTES: usize = 8 * 1024;

/// Maximum number of characters of a name in the form.
const MOST_NAME_CHARACTERS: usize = 60;

/// Maximum length of the description in the form, in characters.
const MOST_DESCRIPTION_CHARACTERS: usize = 500;

/// Maximum number of arguments that have an element of their own.
const MOST_ARGUMENTS: usize = 20;

/// Longer values, and values of several lines, are shown in an element of several lines.
const LINE: usize = 80;

/// The decision about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Approved,
    Refused,
    Expired,
}

/// Sends the form for the call with this id, and waits for the answer.
pub(super) async fn ask(
    response: &WorkerResponse,
    call_id: &str,
    tool: &DynamicTool,
    arguments: &Value,
    approvals: &Approvals,
) -> Result<Decision, AgentError> {
    let asked = response.ask_form(&form_for(tool, arguments));
    let asked = asked.approving(call_id).timeout(approvals.timeout);
    let reply = match &approvals.approver {
        Some(user_id) => asked.only_user(user_id).await?,
        None => asked.await?,
    };
    Ok(match reply {
        FormReply::Answered(_) => Decision::Approved,
        FormReply::Dismissed => Decision::Refused,
        FormReply::Expired => Decision::Expired,
    })
}

/// The form for the approval of a call.
///
/// The arguments are elements that cannot be changed, and not a part of the message: a model can write line breaks and
/// markup into its arguments, and must not be able to make them look like other arguments.
pub(super) fn form_for(tool: &DynamicTool, arguments: &Value) -> Form {
    let mut message = format!("Allow the call of the tool `{}`?", tool.name());
    if !tool.description().is_empty() {
        let description = shortened(tool.description(), MOST_DESCRIPTION_CHARACTERS);
        message += &format!("\n\n{description}");
    }
    let empty = Map::new();
    let members = arguments.as_object().unwrap_or(&empty);
    let mut form = Form::new(message)
        .submit_label("Approve")
        .cancel_label("Refuse");
    for (place, (name, value)) in members.iter().take(MOST_ARGUMENTS).enumerate() {
        form = form.element(element(place, name, &shown(value)));
    }
    if members.len() > MOST_ARGUMENTS {
        let rest = members.iter().skip(MOST_ARGUMENTS);
        let rest: Map<_, _> = rest
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let label = format!("{} more arguments", rest.len());
        let value = shown(&Value::Object(rest));
        form = form.element(element(MOST_ARGUMENTS, &label, &value));
    }
    form
}

fn element(place: usize, label: &str, value: &str) -> FormElement {
    // Names of arguments can be blank.
    let name = format!("argument_{}", place + 1);
    let label = visible(shortened(label, MOST_NAME_CHARACTERS));
    if value.len() > LINE || value.contains('\n') {
        let element = FormElement::textarea(name, label);
        return element.default(value).disabled().into();
    }
    let element = FormElement::text(name, label);
    element.default(value).disabled().into()
}

/// A value as a person reads it.
fn shown(value: &Value) -> String {
    let whole = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => format!("{value:#}"),
        other => other.to_string(),
    };
    let start = shortened(&whole, MOST_CHARACTERS);
    let is_cut = start.len() < whole.len();
    let start = visible(start);
    if is_cut {
        format!("{start}… ({} bytes in total)", whole.len())
    } else {
        start
    }
}

fn shortened(text: &str, characters: usize) -> &str {
    split_at_bytes(split_at_cluster(text, characters).0, MOST_BYTES).0
}

/// Replaces characters that are not visible and can change how the text around them is shown.
fn visible(text: &str) -> String {
    let is_hidden = |char: char| {
        char.is_control() && !matches!(char, '\n' | '\t')
            || matches!(char, '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_hidden(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown
}
