//! Golden files of definitions in every format.
//!
//! Each file under `fixtures/golden/` contains one set of tools in every format, one definition per line.

use super::{mirror, object};
use crate::tool::{DynamicTool, ToolFormat, Tools};
use expect_test::{ExpectFile, expect_file};
use serde_json::{Value, json};
use std::fmt::Write;

/// All formats, with the names of their schemas.
const FORMATS: [(ToolFormat, &str, &str); 5] = [
    (
        ToolFormat::OpenAi,
        "open_ai",
        include_str!("../fixtures/schemas/open_ai.json"),
    ),
    (
        ToolFormat::OpenAiResponses,
        "open_ai_responses",
        include_str!("../fixtures/schemas/open_ai_responses.json"),
    ),
    (
        ToolFormat::Anthropic,
        "anthropic",
        include_str!("../fixtures/schemas/anthropic.json"),
    ),
    (
        ToolFormat::Google,
        "google",
        include_str!("../fixtures/schemas/google.json"),
    ),
    (
        ToolFormat::Cohere,
        "cohere",
        include_str!("../fixtures/schemas/cohere.json"),
    ),
];

fn search() -> DynamicTool {
    let place = object(
        json!({"lat": {"type": "number"}, "lon": {"type": "number"}}),
        &["lat", "lon"],
    );
    let mut schema = object(
        json!({
            "query": {"type": "string", "description": "The words.", "minLength": 1},
            "near": {"$ref": "#/$defs/place", "description": "The place."},
            "tags": {"type": "array", "items": {"enum": ["new", "used"]}},
            "limit": {"type": "integer", "format": "uint8", "minimum": 1, "default": 10},
        }),
        &["query"],
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$defs"] = json!({"place": place});
    DynamicTool::new("search", schema, async |_, _| ()).with_description("Searches the shop.")
}

fn check(tools: &Tools, golden: &ExpectFile) {
    assert_eq!(tools.mistake(), None);
    let mut written = String::from("{\n");
    for (place, (format, name, schema)) in FORMATS.into_iter().enumerate() {
        let definitions = tools.definitions(format);
        let schema = serde_json::from_str(schema).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        let whole = Value::Array(definitions.clone());
        if let Err(error) = jsonschema::validate(&schema, &whole) {
            panic!("{format:?}: {error}\n{whole:#}");
        }
        definitions.iter().for_each(check_strictness);
        let lines: Vec<_> = definitions.iter().map(|it| format!("    {it}")).collect();
        let end = if place + 1 < FORMATS.len() { "," } else { "" };
        let _ = writeln!(written, "  \"{name}\": [\n{}\n  ]{end}", lines.join(",\n"));
    }
    written.push_str("}\n");
    golden.assert_eq(&written);
}

/// A definition that claims to be strict has a strict schema.
fn check_strictness(definition: &Value) {
    let function = definition.get("function").unwrap_or(definition);
    if function["strict"] == true {
        check_object(&function["parameters"]);
    }
}

/// Panics unless every object in the schema requires all of its members and allows no others.
fn check_object(schema: &Value) {
    if let Some(properties) = schema["properties"].as_object() {
        let names: Vec<_> = properties.keys().map(String::as_str).collect();
        assert_eq!(schema["required"], json!(names), "{schema}");
        assert_eq!(schema["additionalProperties"], false, "{schema}");
    }
    for unknown in ["default", "minLength", "oneOf", "$schema"] {
        let is_member = schema
            .as_object()
            .is_some_and(|members| members.contains_key(unknown));
        assert!(!is_member, "{unknown}: {schema}");
    }
    let lists = [&schema["anyOf"]]
        .into_iter()
        .filter_map(Value::as_array)
        .flatten();
    let maps = [&schema["properties"], &schema["$defs"]];
    let maps = maps
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|map| map.values());
    lists.chain(maps).for_each(check_object);
    if schema["items"].is_object() {
        check_object(&schema["items"]);
    }
}

#[test]
fn tools_are_defined_in_every_format() {
    let refund = object(json!({"order": {"type": "string"}}), &["order"]);
    let tools = Tools::new()
        .with_tool(search())
        .with_tool(DynamicTool::new("refund", refund, async |_, _| ()))
        .with_tool(mirror("7-zip").with_description("Packs files."));
    check(&tools, &expect_file!["../fixtures/golden/tools.json"]);
}

#[test]
fn strict_tools_are_defined_in_every_format() {
    let tools = Tools::new()
        .with_tool(search().with_strict())
        .with_tool(mirror("ping").with_strict());
    check(
        &tools,
        &expect_file!["../fixtures/golden/strict_tools.json"],
    );
}

/// A place on the earth.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Place {
    /// The latitude.
    lat: f64,
    lon: f64,
    /// The name, if it has one.
    name: Option<String>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Vehicle {
    /// A car.
    Car,
    Bike {
        gears: u8,
    },
}

/// Plans a trip.
#[crate::tool(crate = crate, strict)]
async fn plan(
    /// The places, in their order.
    places: Vec<Place>,
    /// The vehicle.
    vehicle: Option<Vehicle>,
    #[tool(default = 1)] days: u16,
) -> usize {
    let gears = match vehicle {
        Some(Vehicle::Bike { gears }) => gears.into(),
        Some(Vehicle::Car) | None => 0,
    };
    let named = places
        .iter()
        .filter(|place| place.name.is_some() && place.lat < place.lon);
    named.count() + usize::from(days) + gears
}

#[test]
fn annotated_tools_are_defined_in_every_format() {
    let tools = Tools::new().with::<plan>();
    check(
        &tools,
        &expect_file!["../fixtures/golden/annotated_tools.json"],
    );
}

#[tokio::test]
async fn annotated_tool_accepts_what_a_strict_model_writes() {
    let bench = super::Bench::new(Tools::new().with::<plan>());
    let place = json!({"lat": 1, "lon": 2, "name": null});
    let named = json!({"lat": 1, "lon": 2.5, "name": "x"});
    let arguments =
        json!({"places": [place, named], "vehicle": {"bike": {"gears": 7}}, "days": null});
    assert_eq!(bench.call("plan", &arguments.to_string()).await.value(), 9);
    let arguments = json!({"places": [], "vehicle": null, "days": 2.0});
    assert_eq!(bench.call("plan", &arguments.to_string()).await.value(), 2);
    for (arguments, expected) in [
        (json!({}), "the argument `places` is missing"),
        (
            json!({"places": [{"lat": 1}]}),
            "the argument `places[0].lon` is missing",
        ),
        (
            json!({"places": [], "days": 70_000}),
            "the argument `days` must be at most 65535",
        ),
        (
            json!({"places": [], "vehicle": {"bike": {"gears": "7"}}}),
            "the argument `vehicle.bike.gears` must be a whole number, not a string",
        ),
    ] {
        assert_eq!(
            bench.refusal("plan", &arguments.to_string()).await,
            expected
        );
    }
}

#[test]
fn no_tools_have_no_definitions() {
    for (format, ..) in FORMATS {
        assert!(Tools::new().definitions(format).is_empty(), "{format:?}");
    }
}
