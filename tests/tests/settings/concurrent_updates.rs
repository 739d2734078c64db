//! Concurrent changes of settings.

use crate::agents::every;
use crate::asserts::{field, subscribe, subscribed};
use dooers_tests::Server;
use serde_json::{Value, json};

#[tokio::test]
async fn concurrent_changes_of_two_fields_are_both_kept() {
    let server = Server::of::<every>().await;
    let mut clients = Vec::new();
    for (name, id, value) in [
        ("ada", "note", json!("a")),
        ("bob", "large", json!(7)),
        ("eve", "check", json!(true)),
    ] {
        let mut client = server.client(name).await;
        client
            .send("settings.patch", json!({"field_id": id, "value": value}))
            .await;
        clients.push(client);
    }
    for client in &mut clients {
        client.expect("ack").await;
        client.expect("settings.patch").await;
    }
    let shown = subscribe(&mut clients[0], "user").await;
    assert_eq!(field(&shown, "note")["value"], "a");
    assert_eq!(field(&shown, "large")["value"], 7);
    assert_eq!(field(&shown, "check")["value"], true);
    server.close(clients).await;
}

#[tokio::test]
async fn changes_of_a_field_have_one_order_for_all() {
    let server = Server::of::<every>().await;
    let (mut one, _) = subscribed(&server, "member", "user").await;
    let (mut other, _) = subscribed(&server, "member", "user").await;
    for number in 0..20 {
        let by_one = json!({"field_id": "large", "value": number});
        let by_other = json!({"field_id": "large", "value": 1000 + number});
        one.send("settings.patch", by_one).await;
        other.send("settings.patch", by_other).await;
    }
    async fn seen(client: &mut dooers_tests::Client) -> Vec<Value> {
        let mut values = Vec::new();
        while values.len() < 40 {
            let frame = client.next().await;
            if frame["type"] == "settings.patch" {
                values.push(frame["payload"]["value"].clone());
            }
        }
        values
    }
    let (by_one, by_other) = (seen(&mut one).await, seen(&mut other).await);
    assert_eq!(by_one, by_other);
    let shown = subscribe(&mut one, "user").await;
    assert_eq!(field(&shown, "large")["value"], *by_one.last().unwrap());
    server.close([one, other]).await;
}
