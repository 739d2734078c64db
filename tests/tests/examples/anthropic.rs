//! The example with Anthropic's API, against a fake provider.

use crate::turns::{Turn, ask};
use dooers_tests::fake_provider::{FakeProvider, ProviderApi, ProviderReply, ProviderRequest};
use dooers_tests::{Client, Process};
use serde_json::json;

fn variables(provider: &FakeProvider) -> [(&'static str, String); 4] {
    [
        ("WORKER_BIND", "127.0.0.1:0".to_owned()),
        ("ANTHROPIC_BASE_URL", provider.anthropic_url()),
        ("ANTHROPIC_API_KEY", FakeProvider::KEY.to_owned()),
        ("RUST_LOG", "trace".to_owned()),
    ]
}

/// Asks the example, which uses this provider, and ends it.
async fn answer_of(provider: &FakeProvider) -> Turn {
    let variables = variables(provider);
    let variables = variables.each_ref().map(|(name, value)| (*name, &**value));
    let mut example = Process::start("example-anthropic", &variables);
    let mut client = Client::open(example.address(), "/ws").await;
    client.connect("ada").await;
    let turn = ask(&mut client, None, "Is the Louvre open on Tuesdays?").await;
    client.disconnect().await;
    example.terminate();
    let printed = example.printed().to_owned();
    let (status, output, errors) = example.wait();
    assert_eq!(status, Some(0), "{errors}");
    assert!(!(printed + &output + &errors).contains(FakeProvider::KEY));
    turn
}

/// A model that looks two days up, of which one is unknown, and then answers.
fn tourist(request: &ProviderRequest) -> ProviderReply {
    let reply = ProviderReply::new().usage(80, 12);
    let of = |museum: &str| json!({"museum": museum, "day": "Tuesday"});
    match request.results().len() {
        0 => reply
            .reasoning("I must look that up.")
            .text("One moment.")
            .tool_call("opening_hours", of("Louvre"))
            .tool_call("opening_hours", of("Lovre")),
        _ => reply.text(format!("It is {}.", request.results()[0])),
    }
}

#[tokio::test]
async fn anthropic_example_streams_and_calls_tools() {
    let provider = FakeProvider::start(tourist).await;
    let turn = answer_of(&provider).await;
    assert_eq!(turn.run["status"], "succeeded", "{turn:?}");
    let expected = [
        &["reasoning", "message", "tool.call", "tool.call"][..],
        &["tool.result", "tool.result", "message"],
    ];
    assert_eq!(turn.kinds(), expected.concat());
    let error = json!({"error": "there is no museum \"Lovre\""});
    assert_eq!(turn.results(), [&json!("closed"), &error]);
    assert_eq!(turn.last_text(), "It is closed.");
    let used = &turn.run["usage"][0];
    assert_eq!(
        (&used["input_tokens"], &used["output_tokens"]),
        (&json!(160), &json!(24))
    );
    let requests = provider.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|it| it.api == ProviderApi::Messages));
    assert_eq!(requests[0].tools(), ["opening_hours"]);
    assert_eq!(requests[0].body["temperature"], 0.7);
    assert!(
        requests[0]
            .system()
            .unwrap()
            .starts_with("You guide tourists.")
    );
}

#[tokio::test]
async fn anthropic_example_asks_an_overloaded_server_again() {
    let provider = FakeProvider::start(|request| match request.number {
        1 => ProviderReply::refused(529),
        2 => ProviderReply::new().error("Overloaded"),
        _ => ProviderReply::new().text("Good day"),
    })
    .await;
    let turn = answer_of(&provider).await;
    assert_eq!(turn.last_text(), "Good day", "{turn:?}");
    assert_eq!(provider.requests().len(), 3);
}

#[tokio::test]
async fn broken_anthropic_answer_is_retried_and_then_fails() {
    for break_off in [ProviderReply::break_off, ProviderReply::end_early] {
        let reply = move |_: &ProviderRequest| break_off(ProviderReply::new().text("It all began"));
        let provider = FakeProvider::start(reply).await;
        let turn = answer_of(&provider).await;
        assert_eq!(turn.run["status"], "failed", "{turn:?}");
        // The agent has one retry, and the text of both attempts stays.
        assert_eq!(provider.requests().len(), 2);
    }
}

#[test]
fn missing_anthropic_key_prevents_the_start() {
    let variables = [("WORKER_BIND", "127.0.0.1:0")];
    let (status, _, errors) = Process::start("example-anthropic", &variables).wait();
    assert_eq!(status, Some(1), "{errors}");
    assert!(errors.contains("`ANTHROPIC_API_KEY`"), "{errors}");
}
