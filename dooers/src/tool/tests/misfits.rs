//! Refusals of arguments that do not fit their schema.

use super::{Bench, checked, object};
use serde_json::{Value, json};

async fn refusals(schema: Value, cases: &[(&str, &str)]) {
    let bench = Bench::new(checked(schema));
    for (arguments, expected) in cases {
        assert_eq!(
            &bench.refusal("tool", arguments).await,
            expected,
            "{arguments}"
        );
    }
}

fn trip() -> Value {
    let stop = object(
        json!({"city": {"type": "string"}, "nights": {"type": "integer", "minimum": 1, "maximum": 30}}),
        &["city"],
    );
    let mut schema = object(
        json!({
            "stops": {"type": "array", "items": {"$ref": "#/$defs/stop"}, "maxItems": 2},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "budget": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        }),
        &["stops"],
    );
    schema["$defs"] = json!({"stop": stop});
    schema
}

#[tokio::test]
async fn refusal_names_the_member_and_the_rule() {
    refusals(
        trip(),
        &[
            ("{}", "the argument `stops` is missing"),
            ("[]", "the arguments must be an object, not an array"),
            (r#""text""#, "the arguments must be an object, not a string"),
            (
                r#"{"stops": {}}"#,
                "the argument `stops` must be an array, not an object",
            ),
            (
                r#"{"stops": [{}]}"#,
                "the argument `stops[0].city` is missing",
            ),
            (
                r#"{"stops": [{"city": 7}]}"#,
                "the argument `stops[0].city` must be a string, not a number",
            ),
            (
                r#"{"stops": [{"city": "x", "nights": "3"}]}"#,
                "the argument `stops[0].nights` must be a whole number, not a string",
            ),
            (
                r#"{"stops": [{"city": "x", "nights": 2.5}]}"#,
                "the argument `stops[0].nights` must be a whole number, not a number",
            ),
            (
                r#"{"stops": [{"city": "x", "nights": 31}]}"#,
                "the argument `stops[0].nights` must be at most 30",
            ),
            (
                r#"{"stops": [], "unit": "kelvin"}"#,
                "the argument `unit` must be one of `celsius`, `fahrenheit`",
            ),
            (
                r#"{"stops": [], "budget": "a lot"}"#,
                "the argument `budget` must be a number, or null",
            ),
            (
                r#"{"stops": [{"city": "a"}, {"city": "b"}, {"city": "c"}]}"#,
                "the argument `stops` must have at most 2 items",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn unknown_member_is_refused_with_a_suggestion() {
    refusals(
        trip(),
        &[
            (
                r#"{"stops": [], "units": "celsius"}"#,
                "there is no argument `units`; did you mean `unit`?",
            ),
            (
                r#"{"stops": [], "when": "now"}"#,
                "there is no argument `when`; the arguments are `stops`, `unit`, `budget`",
            ),
            (
                r#"{"stops": [{"city": "x", "night": 3}]}"#,
                "there is no argument `stops[0].night`; did you mean `stops[0].nights`?",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn several_mistakes_are_reported_together() {
    let members = json!({"a": {"type": "string"}, "b": {"type": "string"}});
    let expected = "the argument `a` must be a string, not a number; the argument `b` must be a string, not `true` or `false`";
    refusals(
        object(members, &[]),
        &[(r#"{"a": 1, "b": true}"#, expected)],
    )
    .await;
}

#[tokio::test]
async fn null_for_an_optional_argument_counts_as_missing() {
    let members = json!({
        "city": {"type": "string"},
        "unit": {"type": "string"},
        "note": {"type": ["string", "null"]},
    });
    let bench = Bench::new(checked(object(members, &["city"])));
    let result = bench
        .call("tool", r#"{"city": "Paris", "unit": null, "note": null}"#)
        .await;
    assert_eq!(result.value(), &json!({"city": "Paris", "note": null}));
    assert_eq!(
        bench.refusal("tool", r#"{"city": null}"#).await,
        "the argument `city` is missing"
    );
}

#[tokio::test]
async fn alternative_that_almost_fits_is_explained() {
    let by_city = object(json!({"city": {"type": "string"}}), &["city"]);
    let members = json!({"place": {"anyOf": [by_city, {"type": "null"}]}});
    refusals(
        object(members, &["place"]),
        &[
            (
                r#"{"place": {"city": 1}}"#,
                "the argument `place.city` must be a string, not a number",
            ),
            (r#"{"place": {}}"#, "the argument `place.city` is missing"),
            (
                r#"{"place": 1}"#,
                "the argument `place` must be an object, or null",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn refusal_contains_no_value_of_the_arguments() {
    let secret = "hunter2";
    let schemas = [
        json!({"type": "integer"}),
        json!({"type": "string", "pattern": "^[0-9]+$"}),
        json!({"type": "string", "maxLength": 2}),
        json!({"enum": ["a", "b"]}),
        json!({"const": "a"}),
        json!({"not": {"type": "string"}}),
        json!({"anyOf": [{"type": "integer"}, {"const": "a"}]}),
        json!({"oneOf": [{"type": "string"}, {"minLength": 1}]}),
        json!({"type": "array", "contains": {"type": "integer"}}),
        json!({"allOf": [{"maxLength": 1}]}),
        json!({"if": {"type": "string"}, "then": {"maxLength": 1}}),
        json!(false),
    ];
    for schema in schemas {
        let bench = Bench::new(checked(object(json!({"key": schema}), &[])));
        for arguments in [
            json!({"key": secret}),
            json!({"key": [secret, {"a": secret}]}),
        ] {
            let result = bench.call("tool", &arguments.to_string()).await;
            assert!(
                !result.text().contains(secret) || !result.is_error(),
                "{schema}: {result:?}"
            );
            if result.is_error() {
                assert!(result.text().contains("`key`"), "{schema}: {result:?}");
            }
        }
    }
}

#[tokio::test]
async fn refusal_has_a_limited_length() {
    let options: Vec<_> = (0..5000)
        .map(|number| format!("option number {number}"))
        .collect();
    let long = "n".repeat(10_000);
    let members = json!({"choice": {"enum": options}, long.clone(): {"type": "string"}});
    let bench = Bench::new(checked(object(members, &[])));
    for arguments in [
        json!({"choice": "x"}),
        json!({long.clone(): 1}),
        json!({"m".repeat(10_000): 1}),
    ] {
        let text = bench.refusal("tool", &arguments.to_string()).await;
        assert!(text.len() <= 2010, "{}: {text}", text.len());
    }
}
