//! The form that asks a person to approve a call.

use super::Bench;
use crate::FormReply;
use crate::protocol::{Form, FormInput};
use crate::tool::approval_form::form_for;
use crate::tool::{Approval, DynamicTool, ToolEffect, ToolRequest, Tools};
use serde_json::{Value, json};

fn form(arguments: &Value) -> Form {
    let tool = DynamicTool::new("refund", json!({"type": "object"}), async |_, _| ());
    let form = form_for(&tool.with_description("Pays an order back."), arguments);
    form.check().unwrap();
    form
}

/// A tool whose calls are approved if they are large. It returns its argument.
fn refund() -> Tools {
    let schema = json!({"type": "object", "properties": {"amount": {"type": "number"}}});
    let refund = DynamicTool::new("refund", schema, async |_, arguments: Value| {
        arguments["amount"].clone()
    });
    let large = Approval::when(|arguments| match arguments["amount"].as_f64() {
        Some(amount) => amount > 100.0,
        None => panic!("there is no amount"),
    });
    Tools::new().with_tool(refund.with_approval(large))
}

#[tokio::test]
async fn approved_call_runs_and_refused_call_does_not() {
    let bench = Bench::new(refund());
    assert_eq!(
        bench.call("refund", r#"{"amount": 100}"#).await.value(),
        100
    );
    bench.sent.answer(FormReply::answered(json!({})));
    assert_eq!(
        bench.call("refund", r#"{"amount": 200}"#).await.value(),
        200
    );
    bench.sent.answer(FormReply::Dismissed);
    assert_eq!(
        bench.refusal("refund", r#"{"amount": 200}"#).await,
        "a person refused this call; do not repeat it unless they ask for it"
    );
    bench.sent.answer(FormReply::Expired);
    assert_eq!(
        bench.refusal("refund", r#"{"amount": 200}"#).await,
        "nobody approved this call in time, so it was refused"
    );
    let kinds: Vec<_> = bench
        .sent
        .replies()
        .iter()
        .map(|reply| reply.kind().as_str())
        .collect();
    assert_eq!(kinds[..2], ["tool.call", "tool.result"]);
    assert_eq!(kinds[2..5], ["tool.call", "form", "tool.result"]);
    assert_eq!(kinds.len(), 2 + 3 * 3);
}

#[tokio::test]
async fn writes_are_approved_one_after_another() {
    let bench = Bench::new(refund());
    bench.sent.answer(FormReply::Dismissed);
    bench.sent.answer(FormReply::answered(json!({})));
    let call = |id: &str| ToolRequest::new(id, "refund", r#"{"amount": 200}"#);
    let results = bench.tools.call_all([call("a"), call("b")]).await.unwrap();
    assert!(results[0].is_error() && !results[1].is_error());
    let kinds: Vec<_> = bench
        .sent
        .replies()
        .iter()
        .map(|reply| reply.kind().as_str())
        .collect();
    let expected = [
        "tool.call",
        "tool.call",
        "form",
        "tool.result",
        "form",
        "tool.result",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn panic_of_the_predicate_fails_the_call() {
    let bench = Bench::new(refund());
    assert_eq!(bench.refusal("refund", "{}").await, "the tool failed");
}

#[tokio::test]
async fn arguments_are_checked_before_anybody_is_asked() {
    let always = Approval::always();
    let schema = super::object(json!({}), &[]);
    let tool = DynamicTool::new("tool", schema, async |_, _| ()).with_approval(always);
    let bench = Bench::new(Tools::new().with_tool(tool.with_effect(ToolEffect::Read)));
    assert!(
        bench
            .refusal("tool", r#"{"a": 1}"#)
            .await
            .contains("no argument `a`")
    );
    assert_eq!(bench.sent.replies().len(), 2);
}

#[tokio::test]
async fn question_that_cannot_be_asked_ends_the_turn() {
    let bench = Bench::new(refund());
    // A test without a reply.
    let error = bench
        .tools
        .call("c", "refund", r#"{"amount": 200}"#)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no reply"), "{error}");
    let last = bench.sent.replies().pop().unwrap();
    assert_eq!(
        last.kind().as_str(),
        "tool.result",
        "the call does not stay open"
    );
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
