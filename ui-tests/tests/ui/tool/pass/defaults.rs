//! The defaults of arguments.

use crate::{call, property, required};
use dooers::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    Celsius,
    KelvinScale,
}

/// A number of a type with another name.
type Count = u16;

#[dooers::tool]
#[allow(clippy::too_many_arguments, reason = "one argument of each kind")]
async fn all(
    #[tool(default = "Paris")] text: String,
    #[tool(default = r"C:\")] raw: String,
    #[tool(default = "\"\n\u{1F600}")] special: String,
    #[tool(default = 'x')] letter: char,
    #[tool(default = -7)] negative: i8,
    #[tool(default = 18_446_744_073_709_551_615)] largest: u64,
    #[tool(default = 0xff)] hexadecimal: u8,
    #[tool(default = 1)] whole: f64,
    #[tool(default = -2.5)] fraction: f32,
    #[tool(default = false)] flag: bool,
    #[tool(default = "kelvin-scale")] unit: Unit,
    #[tool(default = [1, 2])] list: Vec<u8>,
    #[tool(default = [])] empty: Vec<String>,
    #[tool(default = [["a"], []])] nested: Vec<Vec<String>>,
    #[tool(default = ["b", "a"])] set: BTreeSet<String>,
    #[tool(default = 300)] alias: Count,
    #[tool(default = [1, "two", 3.5, true, [-4]])] any: Value,
    #[tool(default = 5)] option: Option<u8>,
) -> Value {
    json!([
        text,
        raw,
        special,
        letter,
        negative,
        largest,
        hexadecimal,
        whole,
        fraction,
        flag,
        unit,
        list,
        empty,
        nested,
        set,
        alias,
        any,
        option
    ])
}

#[tokio::test]
async fn left_out_arguments_have_their_defaults() {
    let expected = json!([
        "Paris",
        "C:\\",
        "\"\n\u{1F600}",
        "x",
        -7,
        u64::MAX,
        255,
        1.0,
        -2.5,
        false,
        "kelvin-scale",
        [1, 2],
        [],
        [["a"], []],
        ["a", "b"],
        300,
        [1, "two", 3.5, true, [-4]],
        5
    ]);
    assert_eq!(call::<all>(json!({})).await.value(), &expected);
    assert_eq!(required::<all>(), json!([]));
    assert_eq!(property::<all>("set")["default"], json!(["b", "a"]));
    assert_eq!(property::<all>("largest")["default"], json!(u64::MAX));
    assert_eq!(property::<all>("unit")["default"], "kelvin-scale");
}

#[tokio::test]
async fn given_argument_replaces_its_default() {
    let arguments = json!({"text": "Rome", "unit": "celsius", "option": null, "list": []});
    let result = call::<all>(arguments).await;
    let value = result.value();
    assert_eq!((&value[0], &value[10]), (&json!("Rome"), &json!("celsius")));
    assert_eq!((&value[11], &value[17]), (&json!([]), &json!(null)));
}

#[dooers::tool]
async fn wrong(#[tool(default = "fahrenheit")] unit: Unit) -> Unit {
    unit
}

#[test]
fn default_that_does_not_fit_is_a_mistake() {
    let mistake = dooers::Tools::new().with::<wrong>().mistake().unwrap();
    assert!(mistake.contains("`wrong`"), "{mistake}");
    assert!(
        mistake.contains("the default of its argument `unit` does not fit"),
        "{mistake}"
    );
    assert_eq!(wrong::NAME, "wrong");
}
