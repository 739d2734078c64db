//! The settings example.

use dooers_tests::{Client, Identity, Process};
use serde_json::{Value, json};

#[tokio::test]
async fn settings_example_prints_schema_and_shows_values() {
    let mut example = Process::start("example-settings", &[("WORKER_BIND", "127.0.0.1:0")]);
    let address = example.address();
    let mut client = Client::open(address, "/ws").await;
    let owner = json!({"user_id": "ada", "organization_role": "owner"});
    client
        .connect(Identity::of("ada").with("user", owner))
        .await;
    client
        .send("settings.subscribe", json!({"audience": "creator"}))
        .await;
    let shown = client.expect("settings.snapshot").await;
    client.expect("ack").await;
    let mut types: Vec<_> = fields(&shown)
        .iter()
        .map(|field| field["type"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    types.dedup();
    let every = [
        "checkbox", "date", "email", "image", "number", "password", "select", "text", "textarea",
    ];
    assert_eq!(types, every);
    for (field, value) in [
        ("temperature", json!(1.2)),
        ("tone", json!("terse")),
        ("daily_budget", json!(900)),
        ("search_key", json!("hush")),
    ] {
        let patch = json!({"field_id": field, "value": value});
        let id = client.send("settings.patch", patch).await;
        client.expect_ack(&id).await;
        client.expect("settings.patch").await;
    }
    let too_much = json!({"field_id": "daily_budget", "value": 10_001});
    assert_eq!(
        client
            .send_expecting_error("settings.patch", too_much)
            .await,
        "INVALID_VALUE"
    );
    let id = client.send_message(None, "hello").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    assert_eq!(
        frames[3]["payload"]["events"][0]["content"][0]["text"],
        "Ada (gpt-4o-mini at 1.2, Terse, 200 words, 900 cents, key: true) says: hello"
    );
    client.disconnect().await;
    example.terminate();
    let (status, output, errors) = example.wait();
    assert_eq!(status, Some(0), "{errors}");
    for line in ["temperature is now 1.2", "search_key is now null"] {
        assert!(output.contains(line), "{output}");
    }
    assert!(!output.contains("hush") && !errors.contains("hush"));
}

#[test]
fn printed_schema_is_a_json_schema() {
    let mut example = Process::start("example-settings", &[("WORKER_BIND", "127.0.0.1:0")]);
    let printed = example.output_before("dooers serves");
    let schema: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(schema["properties"]["temperature"]["maximum"], json!(2.0));
    assert_eq!(schema["properties"]["max_words"]["multipleOf"], 10);
    assert!(
        schema["properties"].get("api_key").is_none(),
        "it is internal"
    );
    example.terminate();
    assert_eq!(example.wait().0, Some(0));
}

#[tokio::test]
async fn secret_is_read_from_the_environment() {
    let variables = [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("SUPPORT_API_KEY", "correct horse"),
    ];
    let mut example = Process::start("example-settings", &variables);
    let mut client = Client::open(example.address(), "/ws").await;
    client.connect("ada").await;
    client.send_message(None, "hello").await;
    let text = client.read_turn().await[4]["payload"]["events"][0]["content"][0]["text"].clone();
    assert!(text.as_str().unwrap().contains("key: true"), "{text}");
    client.disconnect().await;
    example.terminate();
    let (status, output, errors) = example.wait();
    assert_eq!(status, Some(0), "{errors}");
    assert!(!output.contains("horse") && !errors.contains("horse"));
}

#[test]
fn invalid_secret_prevents_the_start() {
    let variables = [("WORKER_BIND", "127.0.0.1:0"), ("SUPPORT_API_KEY", "horse")];
    let (status, output, errors) = Process::start("example-settings", &variables).wait();
    assert_eq!(status, Some(1), "{errors}");
    let expected = "the setting `api_key` of `example_settings::SupportSettings` needs the environment variable \
                    `SUPPORT_API_KEY`: its value does not fit: it takes a text of at least 8 characters";
    assert!(errors.contains(expected), "{errors}");
    assert!(!output.contains("horse") && !errors.contains("horse"));
}

/// All fields, including those in groups.
fn fields(snapshot: &Value) -> Vec<Value> {
    let items = snapshot["fields"].as_array().unwrap().iter();
    let fields = items.flat_map(|item| match item["fields"].as_array() {
        Some(fields) => fields.clone(),
        None => vec![item.clone()],
    });
    fields.collect()
}
