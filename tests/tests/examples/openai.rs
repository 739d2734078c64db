//! The example with OpenAI's API, against a fake provider.

use crate::turns::ask;
use dooers_tests::fake_provider::{FakeProvider, ProviderApi, ProviderReply, ProviderRequest};
use dooers_tests::{Client, Identity, Process};
use serde_json::json;

/// Starts the example against this provider.
fn start(provider: &FakeProvider, key: &str) -> Process {
    let variables = [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("OPENAI_BASE_URL", &provider.openai_url()),
        ("OPENAI_API_KEY", key),
        ("RUST_LOG", "trace"),
    ];
    Process::start("example-openai", &variables)
}

async fn connect(example: &mut Process) -> Client {
    let mut client = Client::open(example.address(), "/ws").await;
    let owner = json!({"user_id": "ada", "organization_role": "owner"});
    client
        .connect(Identity::of("ada").with("user", owner))
        .await;
    client
}

/// Ends the example, whose output must not contain this key.
async fn end(example: Process, client: Client, key: &str) {
    client.disconnect().await;
    example.terminate();
    let printed = example.printed().to_owned();
    let (status, output, errors) = example.wait();
    assert_eq!(status, Some(0), "{errors}");
    assert!(!(printed + &output + &errors).contains(key));
}

/// A model that finds books, reserves one by a wrong title, and then by the right one.
fn seller(request: &ProviderRequest) -> ProviderReply {
    let reply = ProviderReply::new().usage(50, 8);
    let wrong = json!({"title": "Moby Dick"});
    let right = json!({"title": "Moby-Dick", "copies": 2});
    match request.results().len() {
        0 => reply
            .text("Let me look.")
            .tool_call("find_books", json!({"subject": "sea"}))
            .tool_call("reserve", wrong),
        2 => reply.tool_call("reserve", right),
        _ => reply.text("Two copies are yours."),
    }
}

#[tokio::test]
async fn openai_example_uses_both_apis_and_its_settings() {
    let provider = FakeProvider::start(seller).await;
    let mut example = start(&provider, FakeProvider::KEY);
    let mut client = connect(&mut example).await;

    let turn = ask(&mut client, None, "Do you have a book about ships?").await;
    assert_eq!(turn.run["status"], "succeeded", "{turn:?}");
    let expected = [
        &["message", "tool.call", "tool.call"][..],
        &[
            "tool.result",
            "tool.result",
            "tool.call",
            "tool.result",
            "message",
        ],
    ];
    assert_eq!(turn.kinds(), expected.concat());
    let results = turn.results();
    assert_eq!(results[0][1]["title"], "Moby-Dick");
    assert_eq!(
        *results[1],
        json!({"error": "there is no book \"Moby Dick\""})
    );
    assert_eq!(*results[2], "reserved: 2 of Moby-Dick");
    assert_eq!(turn.last_text(), "Two copies are yours.");
    let used = &turn.run["usage"][0];
    assert_eq!(used["model"], "gpt-4o-mini");
    assert_eq!(
        (&used["input_tokens"], &used["output_tokens"]),
        (&json!(150), &json!(24))
    );

    for (field, value) in [
        ("model", json!("gpt-5-mini")),
        ("temperature", json!(0.2)),
        ("responses", json!(true)),
    ] {
        let patch = json!({"field_id": field, "value": value});
        client.send_expecting_ack("settings.patch", patch).await;
        client.expect("settings.patch").await;
    }
    let turn = ask(&mut client, Some(turn.thread_id()), "Another one?").await;
    assert_eq!(turn.run["status"], "succeeded", "{turn:?}");
    assert_eq!(turn.results().len(), 3);

    let requests = provider.requests();
    let apis: Vec<_> = requests.iter().map(|request| request.api).collect();
    let expected = [
        [ProviderApi::ChatCompletions; 3],
        [ProviderApi::Responses; 3],
    ];
    assert_eq!(apis, expected.concat());
    for request in &requests {
        assert_eq!(request.tools(), ["find_books", "reserve"]);
        assert!(request.system().unwrap().starts_with("You sell books."));
    }
    let bodies = [&requests[0].body, &requests[3].body];
    let of = |member: &str| bodies.map(|body| body[member].clone());
    assert_eq!(of("temperature"), [json!(0.7), json!(0.2)]);
    assert_eq!(of("model"), [json!("gpt-4o-mini"), json!("gpt-5-mini")]);
    end(example, client, FakeProvider::KEY).await;
}

#[tokio::test]
async fn openai_example_asks_a_busy_server_again() {
    let provider = FakeProvider::start(|request| match request.number {
        1 => ProviderReply::refused(429).retry_after(0),
        _ => ProviderReply::new().text("Good day"),
    })
    .await;
    let mut example = start(&provider, FakeProvider::KEY);
    let mut client = connect(&mut example).await;
    let turn = ask(&mut client, None, "hello").await;
    assert_eq!((turn.last_text(), turn.events.len()), ("Good day", 1));
    assert_eq!(provider.requests().len(), 2);
    end(example, client, FakeProvider::KEY).await;
}

#[tokio::test]
async fn wrong_openai_key_fails_the_turn_and_stays_secret() {
    let provider = FakeProvider::start(seller).await;
    let key = "sk-another-9876543210";
    let mut example = start(&provider, key);
    let mut client = connect(&mut example).await;
    let turn = ask(&mut client, None, "hello").await;
    assert_eq!(turn.run["status"], "failed");
    assert!(provider.requests().is_empty());
    assert!(!client.received().concat().contains(key));
    end(example, client, key).await;
}

#[tokio::test]
async fn cancelled_turn_hangs_up_on_the_provider() {
    let provider = FakeProvider::start(|_| ProviderReply::new().text("Well, ").hang()).await;
    let mut example = start(&provider, FakeProvider::KEY);
    let mut client = connect(&mut example).await;
    client.send_message(None, "hello").await;
    let is_said = |frame: &serde_json::Value| {
        frame["payload"]["events"][0]["content"][0]["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("Well"))
    };
    let frames = client.read_until("the text", is_said).await;
    let run = frames.iter().find(|frame| frame["type"] == "run.upsert");
    let run_id = &run.unwrap()["payload"]["run"]["id"];
    client.send("run.cancel", json!({"run_id": run_id})).await;
    provider.hung_up(1).await;
    let frames = client.read_turn().await;
    let run = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(run["status"], "canceled");
    end(example, client, FakeProvider::KEY).await;
}
