//! Schemas by the rules of OpenAI's strict mode.

use super::object;
use crate::tool::strict::strict;
use serde_json::{Value, json};

/// The conversion of a schema with this member, which is optional.
fn optional(member: Value) -> Value {
    let schema = strict(&object(json!({"a": member}), &[])).unwrap();
    assert_eq!(schema["required"], json!(["a"]));
    schema["properties"]["a"].clone()
}

/// The conversion of a schema with this member, which is required.
fn required(member: Value) -> Value {
    let schema = strict(&object(json!({"a": member}), &["a"])).unwrap();
    schema["properties"]["a"].clone()
}

fn refusal(member: Value) -> String {
    strict(&object(json!({"a": member}), &[])).unwrap_err()
}

#[test]
fn all_members_are_required_and_no_others_allowed() {
    let inner = json!({"type": "object", "properties": {"x": {"type": "string"}}});
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": inner}});
    let expected = json!({
        "type": "object",
        "properties": {
            "a": {"type": ["integer", "null"]},
            "b": {
                "type": ["object", "null"],
                "properties": {"x": {"type": ["string", "null"]}},
                "required": ["x"],
                "additionalProperties": false,
            },
        },
        "required": ["a", "b"],
        "additionalProperties": false,
    });
    assert_eq!(strict(&schema).unwrap(), expected);
}

#[test]
fn optional_member_becomes_nullable() {
    for (given, expected) in [
        (
            json!({"type": "string"}),
            json!({"type": ["string", "null"]}),
        ),
        (
            json!({"type": ["string", "null"]}),
            json!({"type": ["string", "null"]}),
        ),
        (
            json!({"enum": ["x"], "description": "One."}),
            json!({"anyOf": [{"enum": ["x"], "type": "string"}, {"type": "null"}], "description": "One."}),
        ),
        (
            json!({"enum": ["x", null]}),
            json!({"enum": ["x", null], "type": ["null", "string"]}),
        ),
        (
            json!({"oneOf": [{"const": "x"}, {"const": 2}]}),
            json!({"anyOf": [{"const": "x", "type": "string"}, {"const": 2, "type": "integer"}, {"type": "null"}]}),
        ),
        (
            json!({"anyOf": [{"type": "number"}, {"type": "null"}]}),
            json!({"anyOf": [{"type": "number"}, {"type": "null"}]}),
        ),
    ] {
        assert_eq!(optional(given.clone()), expected, "{given}");
    }
}

#[test]
fn unsupported_restrictions_are_left_out() {
    for (given, expected) in [
        (
            json!({"type": "string", "minLength": 1, "default": "x"}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "integer", "format": "uint8", "minimum": 0}),
            json!({"type": "integer", "minimum": 0}),
        ),
        (
            json!({"type": "string", "format": "date"}),
            json!({"type": "string", "format": "date"}),
        ),
        (
            json!({"type": "string", "pattern": "^a(?=b)"}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "string", "pattern": "^a$"}),
            json!({"type": "string", "pattern": "^a$"}),
        ),
        (
            json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true, "maxItems": 3}),
            json!({"type": "array", "maxItems": 3, "items": {"type": "string"}}),
        ),
        (
            json!({"allOf": [{"type": "string"}], "title": "A"}),
            json!({"title": "A", "type": "string"}),
        ),
    ] {
        assert_eq!(required(given.clone()), expected, "{given}");
    }
}

#[test]
fn definitions_and_references_are_kept() {
    let node = json!({
        "type": "object",
        "properties": {"next": {"$ref": "#/$defs/node", "description": "The next one."}},
    });
    let mut schema = object(json!({"a": {"$ref": "#/$defs/node"}}), &["a"]);
    schema["$defs"] = json!({"node": node});
    let strict = strict(&schema).unwrap();
    assert_eq!(strict["properties"]["a"], json!({"$ref": "#/$defs/node"}));
    let next = json!({"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}], "description": "The next one."});
    assert_eq!(strict["$defs"]["node"]["properties"]["next"], next);
    assert_eq!(strict["$defs"]["node"]["additionalProperties"], false);
}

#[test]
fn schema_that_cannot_be_strict_is_refused_with_a_reason() {
    for (given, problem) in [
        (json!({}), "`a` accepts any JSON"),
        (json!(true), "`a` accepts any JSON"),
        (json!({"description": "Anything."}), "`a` accepts any JSON"),
        (
            json!({"type": "object"}),
            "`a` allows members with any name",
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            "`a` allows members with any name",
        ),
        (
            json!({"type": "object", "patternProperties": {}}),
            "`a` has `patternProperties`",
        ),
        (json!({"type": "array"}), "`a[]` accepts any JSON"),
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}]}),
            "`a` has `prefixItems`",
        ),
        (
            json!({"allOf": [{"type": "string"}, {"minLength": 1}]}),
            "`a` has `allOf`",
        ),
        (
            json!({"$ref": "https://example.org/schema"}),
            "is not in the schema",
        ),
        (json!({"$ref": "#/$defs/gone"}), "is not in the schema"),
    ] {
        let refusal = refusal(given.clone());
        assert!(
            refusal.starts_with("its schema cannot be strict, because "),
            "{refusal}"
        );
        assert!(refusal.contains(problem), "{given}: {refusal}");
    }
    let deep = (0..11).fold(json!({"type": "string"}), |inner, _| {
        object(json!({"x": inner}), &["x"])
    });
    assert!(
        strict(&deep)
            .unwrap_err()
            .contains("nested deeper than 10 levels")
    );
    let alternatives = json!({"type": "object", "anyOf": [{"type": "object"}]});
    assert!(strict(&alternatives).unwrap_err().contains("alternatives"));
}

#[test]
fn tool_without_arguments_can_be_strict() {
    let expected =
        json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
    assert_eq!(
        strict(&json!({"type": "object", "properties": {}})).unwrap(),
        expected
    );
}
