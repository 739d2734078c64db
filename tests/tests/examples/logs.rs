//! The logs of the examples.

use dooers_tests::{Client, Identity, Process};
use serde_json::json;

const SECRET: &str = "correct-horse-battery";

/// Sends tokens, a new value of a secret and a form password to an example that logs everything. Returns its output.
async fn printed_by(example: &str, log: &str) -> String {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let variables = [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_SECRET_KEY", key),
        ("RUST_LOG", log),
        // Some of the examples have such a key.
        ("ANTHROPIC_API_KEY", SECRET),
        ("OPENAI_API_KEY", SECRET),
    ];
    let mut program = Process::start(example, &variables);
    let (path, bearer) = (format!("/ws?token={SECRET}"), format!("Bearer {SECRET}"));
    let headers = [("Authorization", &*bearer)];
    let (mut client, _) = Client::open_with(program.address(), &path, &headers).await;
    let owner = json!({"user_id": "ada", "organization_role": "owner"});
    client
        .connect(
            Identity::of("ada")
                .with("user", owner)
                .with("auth_token", SECRET),
        )
        .await;
    // Only one of the examples has this setting, and none has the form. The frames are logged in any case.
    let patch = json!({"field_id": "search_key", "value": SECRET});
    let patched = client.send("settings.patch", patch).await;
    let answer = json!({
        "type": "form.response", "actor": "user",
        "data": {"form_event_id": "e1", "cancelled": false, "values": {"pin": SECRET}},
    });
    let answered = client.send("event.create", json!({"event": answer})).await;
    client
        .read_until("both answers", |frame| {
            frame["payload"]["ack_id"] == json!(answered)
        })
        .await;
    assert_ne!(patched, answered);
    client.disconnect().await;
    program.terminate();
    let announced = program.printed().to_owned();
    let (status, output, errors) = program.wait();
    assert_eq!(status, Some(0), "{errors}");
    let printed = announced + &output + &errors;
    assert!(!printed.contains(&key[..8]), "{printed}");
    printed
}

#[tokio::test]
async fn trace_logs_hide_secrets() {
    for example in [
        "example-anthropic",
        "example-approval",
        "example-dispatch",
        "example-echo",
        "example-load",
        "example-openai",
        "example-settings",
        "example-streaming",
        "example-testing",
        "example-tools",
    ] {
        let printed = printed_by(example, "trace").await;
        assert!(printed.contains("TRACE"), "{example}: {printed}");
        assert!(!printed.contains(SECRET), "{example}: {printed}");
    }
}

#[tokio::test]
async fn websocket_library_logs_stay_off() {
    let log = "tungstenite=trace,tungstenite::protocol=trace,info";
    let printed = printed_by("example-settings", log).await;
    assert!(!printed.contains("TRACE"), "{printed}");
    assert!(!printed.contains(SECRET), "{printed}");
}
