//! The tools that the model can call.

use serde_json::{Value, json};

/// Where there is weather, and how warm it is.
pub(crate) const CITIES: [(&str, i32); 3] = [("Paris", 18), ("Rome", 24), ("Oslo", 9)];

/// Calls a tool. What goes wrong is a result, too: the model reads it, and can do better.
pub(crate) fn call(name: &str, args: &Value) -> Value {
    match name {
        "weather" => weather(args),
        _ => json!({"error": format!("there is no tool `{name}`; there is `weather`")}),
    }
}

/// How warm it is in a city.
fn weather(args: &Value) -> Value {
    let Some(city) = args["city"].as_str() else {
        return json!({"error": "`weather` needs a `city`"});
    };
    match CITIES.iter().find(|(name, _)| *name == city) {
        Some((city, celsius)) => json!({"city": city, "celsius": celsius}),
        None => json!({"error": format!("there is no weather in {city}")}),
    }
}
