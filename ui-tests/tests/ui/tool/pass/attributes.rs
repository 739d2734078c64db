//! Attributes and doc comments of the function and of its arguments.

use crate::property;
use dooers::prelude::*;
use serde_json::json;

/// Looks up the weather.
///
///   * indented
#[doc(hidden)]
#[dooers::tool]
/// After the attribute.
#[must_use]
#[deprecated = "ask a person"]
#[expect(
    clippy::unused_async,
    unused_variables,
    reason = "the attribute stays on the function"
)]
#[inline(never)]
async fn weather(
    /// The city,
    /// for example "Paris".
    city: String,
    #[doc = concat!("The number ", "of days.")]
    #[allow(unused_mut)]
    #[tool(default = 3)]
    mut days: u8,
    #[tool(context)]
    #[expect(unused_variables, reason = "the attribute stays on the argument")]
    /// Not in the schema.
    request: WorkerRequest,
    plain: Option<u8>,
) -> String {
    let unused = 1;
    format!("{city} {days} {plain:?}")
}

#[doc = include_str!("description.md")]
#[dooers::tool]
async fn included(#[doc = include_str!("description.md")] city: String) -> String {
    city
}

/** A block
comment. */
#[dooers::tool]
async fn block() {}

#[cfg(any())]
#[dooers::tool]
#[cfg(any())]
async fn not_there(_: Nothing) {}

#[dooers::tool]
#[cfg(any())]
async fn not_there(city: Nothing) {}

#[cfg_attr(all(), dooers::tool(name = "conditional"))]
async fn there(
    #[tool()]
    #[tool(default = 3)]
    days: u8,
) -> u8 {
    days
}

/// A type whose description is its own.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct City {
    name: String,
}

#[dooers::tool]
async fn described(
    own: City,
    /// The other city.
    other: City,
) -> String {
    own.name + &other.name
}

#[test]
fn doc_comments_are_descriptions() {
    let tool = weather::definition();
    let text = "Looks up the weather.\n\n  * indented\nAfter the attribute.";
    assert_eq!(tool.description(), text);
    let city = json!({"type": "string", "description": "The city,\nfor example \"Paris\"."});
    assert_eq!(property::<weather>("city"), city);
    let days = property::<weather>("days");
    assert_eq!(days["description"], "The number of days.");
    assert_eq!(property::<weather>("plain").get("description"), None);
    assert_eq!(property::<weather>("request"), json!(null));
    let text = "Described in a file.\n\nAt length.";
    assert_eq!(included::definition().description(), text);
    assert_eq!(property::<included>("city")["description"], text);
    assert_eq!(block::definition().description(), "A block\ncomment.");
    assert_eq!(there::NAME, "conditional");
    assert_eq!(property::<there>("days")["default"], 3);
}

#[test]
fn description_of_the_argument_takes_precedence() {
    assert_eq!(
        property::<described>("own"),
        json!({"$ref": "#/$defs/City"})
    );
    let other = property::<described>("other");
    assert_eq!(other["description"], "The other city.");
    let tool = described::definition();
    let city = &tool.schema()["$defs"]["City"];
    assert_eq!(city["description"], "A type whose description is its own.");
}
