use dooers::DynamicTool;
use serde_json::json;

#[derive(serde::Serialize)]
struct Weather;

fn main() {
    let _ = DynamicTool::new("weather", json!({"type": "object"}), async |_, _| Weather);
}
