//! The example with refunds that a person must approve, against a fake provider.

use crate::turns::{Turn, answer, ask, reply_to};
use dooers_tests::fake_provider::{FakeProvider, ProviderReply, ProviderRequest};
use dooers_tests::{Client, Process};
use serde_json::{Value, json};

/// A model that calls `refund` with the number of euros in the question, and then repeats the result.
fn cashier(request: &ProviderRequest) -> ProviderReply {
    let messages = request.body["messages"].as_array().unwrap();
    let last = messages.last().unwrap();
    // The form and its answer are not a part of the history.
    if last["role"] == "tool" {
        return ProviderReply::new().text(last["content"].as_str().unwrap());
    }
    let question = request.question();
    let euros = question
        .split(' ')
        .find_map(|word| word.parse::<u32>().ok());
    let cents = euros.unwrap() * 100;
    ProviderReply::new().tool_call("refund", json!({"order": 1001, "cents": cents}))
}

/// Asks for a refund and waits for the form.
async fn ask_for(client: &mut Client, euros: u32) -> Value {
    let text = format!("Refund {euros} euros for order 1001");
    client.send_message(None, &text).await;
    let is_form = |frame: &Value| frame["payload"]["events"][0]["type"] == "form";
    let frames = client.read_until("the form", is_form).await;
    frames.last().unwrap()["payload"]["events"][0].clone()
}

fn refund_of(turn: &Turn) -> &Value {
    assert_eq!(turn.run["status"], "succeeded", "{turn:?}");
    turn.results()[0]
}

#[tokio::test]
async fn approval_example_waits_for_a_person() {
    let provider = FakeProvider::start(cashier).await;
    let variables = [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("OPENAI_BASE_URL", &provider.openai_url()),
        ("OPENAI_API_KEY", FakeProvider::KEY),
    ];
    let mut example = Process::start("example-approval", &variables);
    let mut client = Client::open(example.address(), "/ws").await;
    client.connect("ada").await;

    let small = ask(&mut client, None, "Refund 5 euros for order 1001").await;
    assert_eq!(small.kinds(), ["tool.call", "tool.result", "message"]);
    assert_eq!(refund_of(&small), "500 cents of order 1001 were paid back");

    let form = ask_for(&mut client, 80).await;
    let shown = form["data"].to_string();
    assert!(
        shown.contains("refund") && shown.contains("8000"),
        "{shown}"
    );
    let approved = answer(&mut client, &form, false).await;
    assert_eq!(
        refund_of(&approved),
        "8000 cents of order 1001 were paid back"
    );
    let late = reply_to(&form, true);
    let error = client.send_expecting_error("event.create", late).await;
    assert_eq!(error, "CONFLICT");

    let form = ask_for(&mut client, 90).await;
    let refused = answer(&mut client, &form, true).await;
    let error = refund_of(&refused)["error"].as_str().unwrap();
    assert!(error.contains("refused"), "{error}");
    assert!(refused.last_text().contains("refused"), "{refused:?}");

    client.disconnect().await;
    example.terminate();
    assert_eq!(example.wait().0, Some(0));
}
