//! The form that asks a person to approve a call.

use crate::protocol::{Form, FormInput};
use crate::tool::DynamicTool;
use crate::tool::approval_form::form_for;
use serde_json::{Value, json};

fn form(arguments: &Value) -> Form {
    let tool = DynamicTool::new("refund", json!({"type": "object"}), async |_, _| ());
    let form = form_for(&tool.with_description("Pays an order back."), arguments);
    form.check().unwrap();
    form
}

/// The label and the value of each element.
fn elements(form: &Form) -> Vec<(String, String)> {
    let element = |element: &crate::protocol::FormElement| {
        assert!(element.disabled);
        let value = match &element.input {
            FormInput::TextInput { default, .. } | FormInput::TextareaInput { default, .. } => {
                default.clone()
            }
            other => panic!("{other:?}"),
        };
        (element.label.clone(), value.unwrap())
    };
    form.elements.iter().map(element).collect()
}

#[test]
fn form_shows_the_tool_and_its_arguments() {
    let form = form(&json!({"order": "A-7", "amount": 12.5, "lines": [1]}));
    assert_eq!(
        form.message,
        "Allow the call of the tool `refund`?\n\nPays an order back."
    );
    assert_eq!(
        (&*form.submit_label, &*form.cancel_label),
        ("Approve", "Refuse")
    );
    let expected = [("order", "A-7"), ("amount", "12.5"), ("lines", "[\n  1\n]")];
    assert_eq!(
        elements(&form),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn long_values_are_cut() {
    let many: serde_json::Map<_, _> = (0..30)
        .map(|number| (format!("n{number}"), json!(number)))
        .collect();
    let form = form(&Value::Object(many));
    assert_eq!(form.elements.len(), 21);
    assert_eq!(elements(&form)[20].0, "10 more arguments");

    let long = "ä".repeat(100_000);
    let form = self::form(&json!({"text": long, long.clone(): 1, " ": "blank"}));
    let elements = elements(&form);
    assert!(elements[0].1.ends_with("ä… (200000 bytes in total)"));
    assert!(elements[0].1.chars().count() < 1100);
    assert_eq!(elements[1].0.chars().count(), 60);
    assert_eq!(elements[2], (" ".to_owned(), "blank".to_owned()));
}

#[test]
fn hidden_characters_are_shown() {
    let form = form(&json!({"to": "abc\u{202E}cba\u{0}\u{200B}"}));
    assert_eq!(elements(&form)[0].1, "abc\\u{202e}cba\\u{0}\\u{200b}");
}
