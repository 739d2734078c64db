//! The example about authentication.

use dooers_tests::{Client, Identity, Process};
use serde_json::json;

#[tokio::test]
async fn users_of_two_organizations_are_separate() {
    let mut example = Process::start("example-auth", &[("WORKER_BIND", "127.0.0.1:0")]);
    example.wait_for_line("ana of acme sees threads: 1");
    example.wait_for_line("bob of globex sees threads: 0");
    example.wait_for_line(r#"bob of globex opens the thread of ana: "NOT_FOUND""#);
    let tokens = ["token of ana: ", "token of bob: "].map(|name| example.rest_of_line(name));
    let address = example.address();

    // What a client states about itself has no effect.
    let with = |token: &str| Identity::of("eve").with("auth_token", token);
    for (token, greeting) in tokens
        .iter()
        .zip(["Hello ana of acme.", "Hello bob of globex."])
    {
        let mut client = Client::open(address, "/ws").await;
        assert_eq!(client.connect(with(token)).await["ok"], true);
        let id = client.send_message(None, "hi").await;
        client.expect_ack(&id).await;
        let frames = client.read_turn().await;
        let text = &frames[3]["payload"]["events"][0]["content"][0]["text"];
        assert_eq!(*text, format!("{greeting} You said: hi"));
        client.send("thread.list", json!({})).await;
        let listed = client.expect("thread.list.result").await;
        assert_eq!(listed["threads"].as_array().unwrap().len(), 1);
        client.disconnect().await;
    }

    let mut client = Client::open(address, "/ws").await;
    let id = client.send("connect", Identity::of("eve").payload()).await;
    let (code, text) = client.expect_error(&id).await;
    assert_eq!(code, "UNAUTHORIZED");
    assert_eq!(
        text,
        "this server requires a token; log in, and send the token as `auth_token` in `connect`"
    );
    client.disconnect().await;
    example.terminate();
    assert_eq!(example.wait().0, Some(0));
}
