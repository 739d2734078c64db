//! Password fields of forms, whose answers are only for the handler.

use super::EventType;
use super::form_check::is_unanswered;
use serde_json::{Map, Value};
use std::fmt;

/// The member of an answer's data that lists the password fields with an answer.
const HAS_VALUE: &str = "has_value";

/// The names of the password fields of a form, from the data of its event. They are also found if the form as a whole
/// cannot be parsed.
pub(crate) fn password_fields(form: &Value) -> Vec<String> {
    let elements = form.get("elements").and_then(Value::as_array);
    let is_password = |element: &&Value| element["input_type"] == "password";
    let passwords = elements.into_iter().flatten().filter(is_password);
    let names = passwords.filter_map(|element| element["name"].as_str());
    names.map(str::to_owned).collect()
}

/// The names of the password fields with an answer, from the data of a stored answer.
pub(crate) fn hidden_fields(answer: &Value) -> Vec<String> {
    let names = answer.get(HAS_VALUE).and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

/// Returns the data of an answer as it is stored and published, without the values of these fields. Values become
/// `null`, and `has_value` lists their fields. A `has_value` from the client is removed.
pub(crate) fn without_values(mut answer: Value, fields: &[String]) -> Value {
    let Some(members) = answer.as_object_mut() else {
        return answer;
    };
    // The order of the other members must not change.
    members.shift_remove(HAS_VALUE);
    let mut hidden = Vec::new();
    if let Some(values) = members.get_mut("values").and_then(Value::as_object_mut) {
        for name in fields {
            let value = values.get_mut(name);
            if let Some(value) = value.filter(|value| !is_unanswered(value)) {
                *value = Value::Null;
                hidden.push(Value::from(name.as_str()));
            }
        }
    }
    if !hidden.is_empty() {
        members.insert(HAS_VALUE.to_owned(), Value::Array(hidden));
    }
    answer
}

/// Adds the values of hidden fields to the values of an answer.
pub(crate) fn with_values(
    mut values: Map<String, Value>,
    hidden: &[String],
    mut secrets: Map<String, Value>,
) -> Map<String, Value> {
    for name in hidden {
        if let Some(value) = secrets.remove(name) {
            values.insert(name.clone(), value);
        }
    }
    values
}

/// The data of an event for `Debug`. Answers to a form are hidden completely, because the password fields are unknown
/// before the form is read.
pub(crate) struct ShownData<'a> {
    pub(crate) kind: EventType,
    pub(crate) data: Option<&'a Value>,
}

impl fmt::Debug for ShownData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.data {
            Some(_) if self.kind == EventType::FormResponse => f.write_str("[hidden]"),
            data => data.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Form, FormElement, FormInput, TextInputType};
    use serde_json::json;

    #[test]
    fn password_fields_are_found_in_any_form() {
        let password = FormInput::TextInput {
            placeholder: None,
            default: None,
            input_type: TextInputType::Password,
        };
        let form = Form::new("?")
            .element(FormElement::text("name", "Name"))
            .element(FormElement::new("pin", "PIN", password));
        let form = serde_json::to_value(form).unwrap();
        assert_eq!(password_fields(&form), ["pin"]);
        let unreadable = json!({"elements": [1, {"name": "pin", "input_type": "password"}, {"input_type": "password"}]});
        assert_eq!(password_fields(&unreadable), ["pin"]);
        assert!(password_fields(&json!("a form")).is_empty());
    }

    #[test]
    fn filled_fields_become_null_and_are_listed() {
        let fields = ["pin", "puk", "unused"].map(str::to_owned);
        let answer = json!({
            "form_event_id": "f", "has_value": ["name", "puk"],
            "values": {"name": "Ada", "pin": "1234", "puk": ""},
        });
        let stored = json!({
            "form_event_id": "f", "has_value": ["pin"],
            "values": {"name": "Ada", "pin": null, "puk": ""},
        });
        assert_eq!(without_values(answer.clone(), &fields), stored);
        assert_eq!(hidden_fields(&stored), ["pin"]);
        // A `has_value` from the client is ignored.
        let open = json!({"form_event_id": "f", "values": answer["values"]});
        assert_eq!(without_values(answer.clone(), &[]), open);
        // The order of the other members does not change.
        let listed = json!({"has_value": ["name"], "form_event_id": "f", "values": {}, "note": 1});
        assert_eq!(
            without_values(listed, &fields).to_string(),
            r#"{"form_event_id":"f","values":{},"note":1}"#
        );
        for odd in [
            json!(null),
            json!({"values": null}),
            json!({"values": ["1234"]}),
        ] {
            assert_eq!(without_values(odd.clone(), &fields), odd);
        }
        let values = stored["values"].as_object().unwrap().clone();
        let secrets = answer["values"].as_object().unwrap().clone();
        let whole = with_values(values, &hidden_fields(&stored), secrets);
        assert_eq!(Value::Object(whole), answer["values"]);
    }
}
