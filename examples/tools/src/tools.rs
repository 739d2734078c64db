//! The tools that the model can call.

use serde_json::{Value, json};

/// The known cities and their temperatures in °C.
pub(crate) const CITIES: [(&str, i32); 3] = [("Paris", 18), ("Rome", 24), ("Oslo", 9)];

/// Calls a tool. Errors are results, too: the model reads them and can try something else.
pub(crate) fn call(name: &str, args: &Value) -> Value {
    match name {
        "weather" => weather(args),
        _ => json!({"error": format!("there is no tool `{name}`; there is `weather`")}),
    }
}

/// The temperature in a city.
fn weather(args: &Value) -> Value {
    let Some(city) = args["city"].as_str() else {
        return json!({"error": "`weather` needs a `city`"});
    };
    match CITIES.iter().find(|(name, _)| *name == city) {
        Some((city, celsius)) => json!({"city": city, "celsius": celsius}),
        None => json!({"error": format!("there is no weather in {city}")}),
    }
}
