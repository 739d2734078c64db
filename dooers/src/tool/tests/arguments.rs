//! Arguments as models write them.

use super::{Bench, mirror, object};
use crate::tool::arguments::{MAX_ARGUMENT_BYTES, parse};
use crate::tool::{DynamicTool, Tools};
use serde_json::{Value, json};

fn refusal(raw: &str) -> String {
    parse(raw).unwrap_err().text
}

#[test]
fn absent_arguments_are_an_empty_object() {
    for raw in ["", " \n", "null", " null "] {
        assert_eq!(parse(raw).unwrap(), json!({}), "{raw:?}");
    }
}

#[test]
fn arguments_cut_off_in_the_middle_are_refused() {
    let whole = r#"{"city": "Paris", "days": [1, 2.5e1], "deep": {"a": null, "b": true}}"#;
    assert!(parse(whole).is_ok());
    for end in 1..whole.len() {
        let text = refusal(&whole[..end]);
        assert_eq!(
            text, "the arguments end in the middle of the JSON; send the whole call again",
            "{end}"
        );
    }
}

#[test]
fn arguments_that_are_not_json_are_refused() {
    for raw in [
        "{city: 1}",
        "{'city': 1}",
        "{\"a\": 1}}",
        "{\"a\": 1} {\"b\": 2}",
        "{\"a\": \"\\ud800\"}",
        "{\"a\": NaN}",
        "{\"a\": 01}",
        "{,}",
    ] {
        let text = refusal(raw);
        assert!(
            text.starts_with("the arguments are not valid JSON"),
            "{raw}: {text}"
        );
    }
    assert!(refusal("city=Paris").starts_with("the arguments must be a JSON object"));
}

#[test]
fn long_arguments_are_refused_and_only_their_start_is_shown() {
    let long = |bytes: usize| format!("{{\"a\": \"{}\"}}", "x".repeat(bytes - 9));
    assert!(parse(&long(MAX_ARGUMENT_BYTES)).is_ok());
    let unusable = parse(&long(1 << 20)).unwrap_err();
    assert_eq!(
        unusable.text,
        "the arguments are 1048576 bytes long; at most 262144 are allowed; shorten them"
    );
    let shown = unusable.shown.as_str().unwrap();
    assert!(shown.len() < 1100 && shown.ends_with("x…"), "{shown}");
}

#[test]
fn deep_arguments_are_refused() {
    let nested = |levels: usize| format!("{{\"a\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&nested(118)).is_ok());
    for levels in [119, 127, 128, 100_000] {
        assert_eq!(
            refusal(&nested(levels)),
            "the arguments are nested deeper than 119 levels; make them flatter",
            "{levels}"
        );
    }
}

#[test]
fn whole_numbers_lose_an_empty_fraction() {
    let parsed = parse(r#"{"a": [3.0, 1e2, 3.5, 1e300, -0.0, 12345678901234567890]}"#).unwrap();
    let expected = r#"{"a":[3,100,3.5,1e+300,0,12345678901234567890]}"#;
    assert_eq!(parsed.to_string(), expected);
}

#[test]
fn nul_is_removed_from_arguments() {
    assert_eq!(
        parse(r#"{"a\u0000": "b\u0000c"}"#).unwrap(),
        json!({"a": "bc"})
    );
    assert!(parse(r#"{"a\u0000": 1, "a": 2}"#).is_err());
}

#[tokio::test]
async fn unusable_arguments_are_stored_as_their_text() {
    let bench = Bench::new(Tools::new().with_tool(mirror("tool")));
    let text = bench.refusal("tool", r#"{"city": "Par"#).await;
    assert!(text.contains("in the middle"), "{text}");
    let replies = bench.sent.replies();
    let [call, result] = &replies[..] else {
        panic!("{replies:?}");
    };
    assert_eq!(call.data().unwrap()["args"], r#"{"city": "Par"#);
    assert_eq!(result.data().unwrap()["result"]["error"], text);
}

#[tokio::test]
async fn handler_gets_numbers_that_fit_whole_types() {
    let schema = object(json!({"days": {"type": "integer"}}), &["days"]);
    let tool = DynamicTool::new("tool", schema, async |_turn, arguments: Value| {
        serde_json::from_value::<u8>(arguments["days"].clone())
    });
    let bench = Bench::new(Tools::new().with_tool(tool));
    assert_eq!(bench.call("tool", r#"{"days": 3.0}"#).await.value(), 3);
}
