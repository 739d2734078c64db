use serde_json::Value;

#[dooers::agent]
async fn serde_json() -> String {
    serde_json::to_string(&Value::Null).unwrap()
}

fn main() {}
