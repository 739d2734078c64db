//! The tools example.

use dooers_tests::Client;
use dooers_tests::Process;
use serde_json::{Value, json};

/// Sends a message. Returns the agent's events and the final run.
async fn answer(client: &mut Client, text: &str) -> (Vec<Value>, Value) {
    answer_in(client, None, text).await
}

/// Sends a message to a thread. Returns the agent's events and the final run.
async fn answer_in(
    client: &mut Client,
    thread_id: Option<&str>,
    text: &str,
) -> (Vec<Value>, Value) {
    let id = client.send_message(thread_id, text).await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let appended = frames
        .iter()
        .filter(|frame| frame["type"] == "event.append");
    let events = appended.map(|frame| frame["payload"]["events"][0].clone());
    let run = frames.last().unwrap()["payload"]["run"].clone();
    (events.skip(1).collect(), run)
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

fn last_text(events: &[Value]) -> &str {
    events.last().unwrap()["content"][0]["text"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn tools_example_calls_tools_until_its_model_answers() {
    let mut example = Process::start("example-tools", &[("WORKER_BIND", "127.0.0.1:0")]);
    let mut client = Client::open(example.address(), "/ws").await;
    client.connect("ada").await;

    let (events, run) = answer(&mut client, "How is the weather in Paris and Rome?").await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["usage"][0]["model"], "forecaster-1");
    assert!(
        run["usage"][0]["input_tokens"].as_u64() > Some(100),
        "{run}"
    );
    let round = ["tool.call", "tool.result"];
    assert_eq!(kinds(&events), [&round[..], &round, &["message"]].concat());
    let (call, result) = (&events[0]["data"], &events[1]["data"]);
    assert_eq!(call["args"], json!({"city": "Paris"}));
    assert_eq!(
        (&call["id"], &call["name"]),
        (&result["id"], &result["name"])
    );
    assert_eq!(result["result"], json!({"city": "Paris", "celsius": 18}));
    assert_eq!(
        last_text(&events),
        "It is 18 °C in Paris. It is 24 °C in Rome."
    );

    let thread_id = run["thread_id"].as_str();
    let (events, _) = answer_in(&mut client, thread_id, "And in Oslo?").await;
    assert_eq!(events.len(), 3, "of the others it knows: {events:?}");
    assert_ne!(events[0]["data"]["id"], call["id"]);
    assert_eq!(last_text(&events), "It is 9 °C in Oslo.");

    let (events, _) = answer(&mut client, "How is the weather everywhere?").await;
    let round = [["tool.call"; 3], ["tool.result"; 3]].concat();
    assert_eq!(kinds(&events), [&round[..], &["message"]].concat());
    assert!(last_text(&events).ends_with("It is 9 °C in Oslo."));

    let (events, run) = answer(&mut client, "Sing!").await;
    assert_eq!(run["status"], "succeeded");
    let expected = json!({"error": "there is no tool `sing`; there is `weather`"});
    assert_eq!(events[1]["data"]["result"], expected);
    assert!(last_text(&events).starts_with("I cannot sing: "));

    let (events, run) = answer(&mut client, "Go on forever").await;
    assert_eq!((&run["status"], events.len()), (&json!("failed"), 11));
    assert_eq!(
        last_text(&events),
        "I gave up after 5 rounds of tools. Please ask for less."
    );

    client.disconnect().await;
    example.terminate();
    assert_eq!(example.wait().0, Some(0));
}
