//! Forms whose answer a running turn waits for.

use super::{EventType, ThreadEvent, timestamp};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The member of a form's data that marks it as asked by a turn.
const ASKED: &str = "asked";

/// The state of a form whose answer a running turn waits for: the member `asked` of the event's `data`.
///
/// ```
/// use dooers::protocol::ThreadEvent;
/// use serde_json::json;
///
/// let event: ThreadEvent = serde_json::from_value(json!({
///     "id": "e1", "thread_id": "t1", "run_id": "r1", "type": "form", "actor": "assistant", "author": "Assistant",
///     "data": {
///         "message": "Refund 20 EUR?", "elements": [], "submit_label": "Refund", "cancel_label": "No", "size": "small",
///         "asked": {"expires_at": "2026-02-11T05:59:09.123456Z", "user_id": "ada"},
///     },
///     "created_at": "2026-02-11T05:49:09.123456Z", "seq": 2,
/// }))?;
/// let asked = event.asked().expect("a turn waits for the answer");
/// assert_eq!(asked.user_id.as_deref(), Some("ada"));
/// assert!(!asked.closed);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AskedForm {
    /// The time at which the turn stops waiting, by the clock of the process that runs the turn.
    #[serde(with = "timestamp")]
    pub expires_at: DateTime<Utc>,
    /// The only user who may answer. `None` if everyone who may write in the thread may answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The `data.id` of the tool call that the form asks a person to approve. `None` for all other forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// True if the turn stopped waiting without an answer. The form can then not be answered any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub closed: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl AskedForm {
    pub(crate) fn new(expires_at: DateTime<Utc>) -> Self {
        Self {
            expires_at,
            user_id: None,
            tool_call_id: None,
            closed: false,
        }
    }

    /// Adds this state to the data of a form. Data that is not an object stays unchanged.
    pub(crate) fn add_to(&self, data: &mut Value) {
        if let (Some(members), Ok(asked)) = (data.as_object_mut(), serde_json::to_value(self)) {
            members.insert(ASKED.to_owned(), asked);
        }
    }
}

impl ThreadEvent {
    /// The state of a form whose answer a turn waits for, or has waited for. `None` for all other events.
    #[must_use]
    pub fn asked(&self) -> Option<AskedForm> {
        let data = self.data.as_ref().filter(|_| self.kind == EventType::Form);
        AskedForm::deserialize(data?.get(ASKED)?).ok()
    }

    /// Marks a form as closed, because its turn stopped waiting for the answer. Returns false if nothing changes.
    pub(crate) fn close_form(&mut self) -> bool {
        let Some(asked) = self.asked().filter(|asked| !asked.closed) else {
            return false;
        };
        if let Some(data) = &mut self.data {
            AskedForm {
                closed: true,
                ..asked
            }
            .add_to(data);
        }
        true
    }

    /// Replaces the data. Whether a form is asked is up to the server, so the new data keeps this member of the old data.
    pub(crate) fn replace_data(&mut self, new: Value) {
        let asked = self.asked();
        let data = self.data.insert(new);
        if self.kind != EventType::Form {
            return;
        }
        match asked {
            Some(asked) => asked.add_to(data),
            None => {
                let members = data.as_object_mut();
                members.and_then(|members| members.shift_remove(ASKED));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Actor;
    use serde_json::json;

    fn form(data: Value) -> ThreadEvent {
        ThreadEvent {
            data: Some(data),
            ..ThreadEvent::of("f".to_owned(), EventType::Form, Actor::Assistant)
        }
    }

    #[test]
    fn form_is_closed_once() {
        let mut event = form(json!({"message": "?"}));
        assert_eq!(event.asked(), None);
        assert!(!event.close_form());
        let asked = AskedForm::new(timestamp::from_micros(1_000_000));
        asked.add_to(event.data.as_mut().unwrap());
        let data = json!({"message": "?", "asked": {"expires_at": "1970-01-01T00:00:01.000000Z"}});
        assert_eq!(event.data, Some(data));
        assert_eq!(event.asked(), Some(asked));
        assert!(event.close_form() && event.asked().unwrap().closed);
        assert!(!event.close_form());
    }

    #[test]
    fn new_data_keeps_the_state_of_the_form() {
        let asked = json!({"expires_at": "2026-02-11T05:59:09.123456Z", "user_id": "ada"});
        let mut event = form(json!({"message": "?", "asked": asked}));
        event.replace_data(json!({"message": "!"}));
        assert_eq!(event.data, Some(json!({"message": "!", "asked": asked})));
        let mut plain = form(json!({"message": "?"}));
        plain.replace_data(json!({"asked": asked, "message": "!"}));
        assert_eq!(plain.data, Some(json!({"message": "!"})));
        let mut message = ThreadEvent::of("e".to_owned(), EventType::Message, Actor::Assistant);
        message.replace_data(json!({"asked": asked}));
        assert_eq!(message.data, Some(json!({"asked": asked})));
        assert_eq!(message.asked(), None);
    }
}
