//! The types of the arguments of a tool.

use crate::{call, property, required};
use dooers::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Place {
    /// The name of the city.
    city_name: String,
    #[serde(default)]
    #[schemars(range(max = 20))]
    floor: u8,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64 },
}

type Maybe<T> = Option<T>;

#[dooers::tool]
#[allow(clippy::too_many_arguments, reason = "one argument of each kind")]
async fn everything(
    text: String,
    number: i64,
    small: u8,
    fraction: f32,
    flag: bool,
    list: Vec<Place>,
    map: HashMap<String, Shape>,
    pair: (u8, String),
    any: Value,
    option: Option<Place>,
    alias: Maybe<u8>,
) -> String {
    let places: Vec<_> = list
        .iter()
        .map(|place| format!("{}{}", place.city_name, place.floor))
        .collect();
    let shapes: f64 = map
        .values()
        .map(|shape| match shape {
            Shape::Circle { radius } => *radius,
            Shape::Square { side } => *side,
        })
        .sum();
    let more = option.is_some() || alias.is_some();
    let pair = format!("{}{}", pair.0, pair.1);
    format!("{text} {number} {small} {fraction} {flag} {places:?} {shapes} {pair} {any} {more}")
}

#[tokio::test]
async fn values_are_read_as_serde_does() {
    let arguments = json!({
        "text": "a", "number": -1, "small": 2, "fraction": 0.5, "flag": true,
        "list": [{"cityName": "Paris"}, {"cityName": "Rome", "floor": 3}],
        "map": {"one": {"kind": "Circle", "radius": 1.0}, "two": {"kind": "Square", "side": 2.0}},
        "pair": [7, "b"], "any": [null],
    });
    let result = call::<everything>(arguments).await;
    assert_eq!(
        result.value(),
        "a -1 2 0.5 true [\"Paris0\", \"Rome3\"] 3 7b [null] false"
    );
    let names = json!([
        "text", "number", "small", "fraction", "flag", "list", "map", "pair", "any"
    ]);
    assert_eq!(required::<everything>(), names);
}

#[test]
fn attributes_of_types_are_in_the_schema() {
    let tool = everything::definition();
    let place = &tool.schema()["$defs"]["Place"];
    assert_eq!(place["required"], json!(["cityName"]));
    assert_eq!(place["additionalProperties"], json!(false));
    assert_eq!(place["properties"]["floor"]["maximum"], json!(20));
    let name = &place["properties"]["cityName"]["description"];
    assert_eq!(name, "The name of the city.");
    assert_eq!(
        property::<everything>("option"),
        json!({"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}]})
    );
}

#[tokio::test]
async fn value_that_does_not_fit_is_an_error_result() {
    for arguments in [
        json!({}),
        json!({"one": 1, "two": 2, "three": 3}),
        json!({"one": "1", "two": 2}),
        json!({"one": 300, "two": 2}),
    ] {
        let result = call::<add>(arguments).await;
        assert!(result.is_error());
    }
    assert_eq!(call::<add>(json!({"one": 1, "two": 2})).await.value(), 3);
}

#[dooers::tool]
async fn add(one: u8, mut two: u8) -> u8 {
    two += one;
    two
}

/// A context of the program.
struct Doubled(usize);

impl FromTurn for Doubled {
    async fn from_turn(turn: &Turn) -> Result<Self> {
        let State(number) = State::<usize>::from_turn(turn).await?;
        Ok(Self(2 * number))
    }
}

#[dooers::tool]
async fn context(
    #[tool(context)] State(number): State<usize>,
    before: u8,
    #[tool(context)] (request, _): (WorkerRequest, WorkerResponse),
    #[dooers::tool(context)] Doubled(doubled): Doubled,
    after: u8,
    #[tool(context)] missing: Option<State<String>>,
    #[tool(context)] missing_too: Result<State<String>>,
) -> String {
    let is_missing = missing.is_none() && missing_too.is_err();
    let message = request.message;
    format!("{number} {before} {message} {doubled} {after} {is_missing}")
}

#[tokio::test]
async fn context_is_created_from_the_turn() {
    let result = call::<context>(json!({"before": 1, "after": 2})).await;
    assert_eq!(result.value(), "3 1 go 6 2 true");
    assert_eq!(required::<context>(), json!(["before", "after"]));
}

#[dooers::tool]
async fn nothing() -> &'static str {
    "nothing"
}

#[tokio::test]
async fn tool_without_arguments_accepts_none() {
    assert_eq!(call::<nothing>(json!({})).await.value(), "nothing");
    assert!(call::<nothing>(json!({"more": 1})).await.is_error());
    let expected = json!({"type": "object", "properties": {}, "additionalProperties": false});
    assert_eq!(nothing::definition().schema(), &expected);
}

#[dooers::tool]
async fn raw(r#type: String, r#match: Option<u8>) -> String {
    format!("{type} {match:?}", r#type = r#type, r#match = r#match)
}

#[tokio::test]
async fn raw_name_is_in_the_schema_without_its_prefix() {
    assert_eq!(property::<raw>("type"), json!({"type": "string"}));
    let result = call::<raw>(json!({"type": "a", "match": 1})).await;
    assert_eq!(result.value(), "a Some(1)");
}
