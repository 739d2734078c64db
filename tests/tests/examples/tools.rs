//! The tools example.

use crate::turns::ask;
use dooers_tests::{Client, Process};
use serde_json::json;

#[tokio::test]
async fn tools_example_calls_tools_until_its_model_answers() {
    let mut example = Process::start("example-tools", &[("WORKER_BIND", "127.0.0.1:0")]);
    let mut client = Client::open(example.address(), "/ws").await;
    client.connect("ada").await;

    let turn = ask(&mut client, None, "How is the weather in Rome and Oz?").await;
    assert_eq!(turn.run["status"], "succeeded");
    let round = [["tool.call"; 2], ["tool.result"; 2]].concat();
    assert_eq!(turn.kinds(), [&round[..], &["message"]].concat());
    let call = &turn.events[0]["data"];
    assert_eq!(call["args"], json!({"city": "Rome"}));
    let error = json!({"error": "no station is in Oz"});
    assert_eq!(turn.results(), [&json!(24), &error]);
    assert_eq!(turn.last_text(), "I looked up Rome, Oz.");

    let again = ask(&mut client, Some(turn.thread_id()), "And in Oslo?").await;
    assert_ne!(again.events[0]["data"]["id"], call["id"]);
    assert_eq!(again.results(), [&json!(9)]);

    let turn = ask(&mut client, None, "How is the weather everywhere?").await;
    let list = json!(["Paris", "Rome", "Oslo"]);
    let expected = [&list, &json!(18), &json!(24), &json!(9)];
    assert_eq!(turn.results(), expected);

    let turn = ask(&mut client, None, "Go on forever").await;
    assert_eq!(turn.run["status"], "failed");
    assert_eq!(turn.results(), [&list; 4]);
    assert!(turn.last_text().contains("5 times"), "{turn:?}");

    client.disconnect().await;
    example.terminate();
    assert_eq!(example.wait().0, Some(0));
}
