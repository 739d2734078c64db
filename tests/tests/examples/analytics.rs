//! The analytics example.

use dooers_tests::{Client, Process};

#[tokio::test]
async fn receiver_prints_the_verified_events_of_a_turn() {
    let mut example = Process::start("example-analytics", &[("WORKER_BIND", "127.0.0.1:0")]);
    let mut client = Client::open(example.address(), "/ws").await;
    client.connect("ada").await;
    let id = client.send_message(None, "A-17").await;
    client.expect_ack(&id).await;
    client.read_turn().await;
    example.wait_for_line("a batch of ");
    for event in [
        r#"  "thread.created""#,
        r#"  "message.c2s""#,
        r#"  "tool.called" {"name":"look_up"}"#,
        r#"  "message.s2c""#,
        r#"  "order.looked_up" {"was_found":true}"#,
        r#"  "run.finished" {"status":"succeeded""#,
    ] {
        example.wait_for_line(event);
    }
    client.disconnect().await;
    example.terminate();
    assert_eq!(example.wait().0, Some(0));
}
