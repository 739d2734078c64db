//! Tests that the JSON Schema and the check of a patch agree, for every field without a check by the program.
//!
//! A number close to a step is the exception, because JSON Schema cannot express it.

use super::{Field, SettingsSchema, SettingsSchemaBuilder};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Number, Value, json};

/// A validator for the JSON Schema of this field.
fn validator(field: &Field) -> Validator {
    let schema = SettingsSchema::of("1.0".to_owned(), vec![field.clone().into()]).json_schema();
    let property = schema.to_value()["properties"][field.id()].clone();
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&property)
        .unwrap_or_else(|error| panic!("{property}: {error}"))
}

/// Asserts that the check accepts every value that the schema allows, unchanged. If the check accepts other values, it
/// stores a value that the schema allows.
fn assert_agreement(field: &Field, value: &Value) {
    let schema = validator(field);
    let by_schema = schema.is_valid(value);
    match field.check(value.clone()) {
        Ok(stored) => {
            assert!(schema.is_valid(&stored), "{stored} for {field:?}");
            assert!(by_schema || stored != *value, "{value} for {field:?}");
        }
        Err(error) => assert!(!by_schema, "{value} for {field:?}: {error}"),
    }
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Numbers close to the bounds of fields.
fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-30_i64..30).prop_map(Value::from),
        (-300_i64..300).prop_map(|tenths| number(&format!(
            "{}.{}",
            tenths / 10,
            (tenths % 10).abs()
        ))),
        (-300_i64..300).prop_map(|hundredths| number(&format!("{hundredths}e-2"))),
        (-30_i64..30).prop_map(|whole| number(&format!("{whole}.0"))),
        Just(json!(i64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!(u64::MAX)),
        Just(json!(1e19)),
        Just(json!(-0.0)),
        Just(json!(1e300)),
        any::<u8>().prop_map(Value::from),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c.@ -]{0,6}",
        "[äß😀\n]{0,4}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "20[0-2][0-9]-0[1-3]-[0-3][0-9]",
        "[a-z.]{1,4}@[a-z-]{1,4}(\\.[a-z]{1,3})?",
        "([0-9]{0,2}(d|h|m|s|ms|x)){0,3}",
        "[0-2][0-9]:[0-6][0-9](:[0-9]{2})?",
        "https?://[a-z.:@/ ]{0,8}",
        "#[0-9A-Ga-g]{5,7}",
        "((small|large|a-b.c|b)[ ]?\n){0,3}(small|a-b.c)?",
        Just("small".to_owned()),
        Just("large".to_owned()),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => numbers(),
        4 => texts().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!({"a": 1})),
    ]
}

/// Number fields without a step or whose `min` is on a step from 0. JSON Schema cannot express other steps.
fn number_fields() -> impl Strategy<Value = Field> {
    let bounds = (
        proptest::option::of(-20_i64..20),
        proptest::option::of(-20_i64..20),
    );
    let steps = proptest::option::of(prop_oneof![
        Just("1"),
        Just("5"),
        Just("0.5"),
        Just("0.1"),
        Just("2")
    ]);
    (any::<bool>(), bounds, steps).prop_map(|(is_integer, (min, max), step)| {
        let field = if is_integer {
            Field::integer("f")
        } else {
            Field::number("f")
        };
        let step = step.filter(|step| !is_integer || !step.contains('.'));
        let multiple: i64 = match step {
            Some("5") => 5,
            Some("2") => 2,
            _ => 1,
        };
        let field = min.map_or(field.clone(), |min| field.min(min / multiple * multiple));
        let field = max.map_or(field.clone(), |max| field.max(max));
        step.map_or(field.clone(), |step| field.step(number(step)))
    })
}

fn text_fields() -> impl Strategy<Value = Field> {
    let kinds = prop_oneof![
        Just(Field::text("f")),
        Just(Field::text("f").rows(3)),
        Just(Field::password("f")),
        Just(Field::email("f")),
        Just(Field::date("f")),
    ];
    let lengths = (
        proptest::option::of(0_u32..4),
        proptest::option::of(0_u32..8),
    );
    let patterns = proptest::option::of(prop_oneof![
        Just("^[a-c]+$"),
        Just("b"),
        Just("^.{2}$"),
        Just("[^ ]@"),
        Just("(ab|ß)*"),
        Just("^$"),
        Just("-0[12]-"),
    ]);
    (kinds, lengths, patterns).prop_map(|(field, (min, max), pattern)| {
        let field = min.map_or(field.clone(), |min| field.min_length(min));
        let field = max.map_or(field.clone(), |max| field.max_length(max));
        pattern.map_or(field.clone(), |pattern| field.pattern(pattern))
    })
}

fn fields() -> impl Strategy<Value = Field> {
    let typed = prop_oneof![
        Just(<i8 as super::SettingValue>::field("f")),
        Just(<u64 as super::SettingValue>::field("f")),
        Just(<i64 as super::SettingValue>::field("f")),
        Just(<f32 as super::SettingValue>::field("f")),
        Just(<f64 as super::SettingValue>::field("f")),
        Just(Field::checkbox("f")),
        Just(Field::select("f", [("small", "S"), ("large", "L")])),
        Just(Field::duration("f")),
        Just(Field::time("f")),
        Just(Field::url("f")),
        Just(Field::color("f")),
        Just(Field::list("f")),
        Just(Field::choices(
            "f",
            [("small", "S"), ("large", "L"), ("a-b.c", "A")]
        )),
    ];
    let any_field = prop_oneof![2 => number_fields(), 2 => text_fields(), 1 => typed];
    (any_field, any::<bool>()).prop_map(
        |(field, is_required)| {
            if is_required { field.required() } else { field }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn json_schema_and_check_agree(field in fields(), value in values()) {
        assert_agreement(&field, &value);
    }
}

#[test]
fn json_schema_and_check_agree_on_edge_numbers() {
    let tenths = Field::number("f").min(0).max(2).step(number("0.1"));
    for value in [
        "0.3",
        "0.7",
        "1.1",
        "0.30000000000000004",
        "0.25",
        "2",
        "2.0",
        "1e-1",
        "1e-7",
    ] {
        assert_agreement(&tenths, &number(value));
    }
    let large = <u64 as super::SettingValue>::field("f");
    for (text, is_taken) in [
        ("18446744073709551615", true),
        ("1e19", true),
        ("9007199254740993", true),
        ("1.0", true),
        ("18446744073709551616", false),
        ("1e20", false),
        ("-1", false),
    ] {
        assert_eq!(large.check(number(text)).is_ok(), is_taken, "{text}");
    }
}

#[test]
fn steps_are_counted_from_the_minimum() {
    let field = Field::integer("f").min(5).max(25).step(10);
    let taken: Vec<i64> = (0..30)
        .filter(|number| field.check(json!(number)).is_ok())
        .collect();
    assert_eq!(taken, [5, 15, 25]);
    // JSON Schema counts from 0, so it cannot express these steps.
    let schema = SettingsSchema::of("1.0".to_owned(), vec![field.into()]).json_schema();
    assert_eq!(
        schema.to_value()["properties"]["f"]["multipleOf"],
        Value::Null
    );
    // Steps are not counted from the lower bound of a type.
    let typed = <i32 as super::SettingValue>::field("f").step(5);
    let taken: Vec<i64> = (-7..8)
        .filter(|number| typed.check(json!(number)).is_ok())
        .collect();
    assert_eq!(taken, [-5, 0, 5]);
}

#[test]
fn whole_number_is_stored_without_decimals() {
    let field = Field::integer("f");
    for (given, stored) in [
        ("1.0", json!(1)),
        ("-2.0", json!(-2)),
        ("1e3", json!(1000)),
        ("-0.0", json!(0)),
    ] {
        assert_eq!(field.check(number(given)).unwrap(), stored);
    }
    let decimal = Field::number("f").check(json!(1.0)).unwrap();
    assert_eq!(decimal, Value::Number(Number::from_f64(1.0).unwrap()));
}

#[test]
fn json_schema_is_valid_for_its_draft() {
    let schema = SettingsSchema::builder()
        .field(Field::text("name").default("Ada"))
        .field(Field::text("town").default("Turin").required())
        .field(Field::text("hidden").optional().internal())
        .build()
        .unwrap()
        .json_schema()
        .to_value();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    jsonschema::meta::validate(&schema).unwrap();
    assert!(schema["properties"].get("hidden").is_none());
    let whole = jsonschema::validator_for(&schema).unwrap();
    assert!(whole.is_valid(&json!({"name": "Bob"})));
    assert!(whole.is_valid(&json!({"name": null})));
    assert!(!whole.is_valid(&json!({"town": null})));
    assert!(!whole.is_valid(&json!({"other": 1})));
}

#[test]
fn refusal_shows_whole_characters_of_a_long_value() {
    let refused = Field::number("f").check(json!("🇧🇷".repeat(70)));
    let refused = refused.unwrap_err().to_string();
    // The quotation mark of the JSON text is the first of the 60 characters.
    let shown = format!("\"{}…", "🇧🇷".repeat(59));
    assert!(refused.contains(&shown), "{refused}");
}

#[test]
fn schema_with_a_nul_in_a_text_is_refused() {
    for field in [
        Field::text("na\0me").default("x"),
        Field::text("name").default("x").label("Na\0me"),
        Field::text("name").default("x\0"),
        Field::select("name", [("a", "A"), ("b", "B\0")]).default("a"),
    ] {
        let refused = SettingsSchema::builder().field(field).build().unwrap_err();
        assert!(refused.to_string().contains("U+0000"), "{refused}");
    }
}

#[test]
fn json_schema_keeps_the_order_of_fields() {
    let ids = ["zeta", "alpha", "mid", "beta"];
    let fields = ids.map(|id| Field::text(id).default(""));
    let group = super::Group::new("group", [Field::text("a_grouped").default("")]);
    let schema = SettingsSchema::builder().group(group);
    let schema = fields
        .into_iter()
        .fold(schema, SettingsSchemaBuilder::field);
    let schema = schema.build().unwrap().json_schema().to_value();
    let properties = schema["properties"].as_object().unwrap();
    let expected = ["a_grouped", "zeta", "alpha", "mid", "beta"];
    assert!(properties.keys().eq(&expected), "{properties:?}");
    let text = schema.to_string();
    let places = expected.map(|id| text.find(&format!("\"{id}\"")).unwrap());
    assert!(places.is_sorted(), "{text}");
}
