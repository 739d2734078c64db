//! Changes that come together, and changes of the schema.

use crate::agents::every;
use crate::seen::{field, patch, subscribe, subscribed};
use dooers::prelude::*;
use dooers::store::{MemoryStore, Store, StoredSetting, WorkerKey};
use dooers_tests::Server;
use serde_json::{Value, json};
use std::sync::Arc;

fn worker(agent: &str) -> WorkerKey {
    WorkerKey {
        agent: agent.to_owned(),
        worker_id: "w1".to_owned(),
    }
}

#[tokio::test]
async fn two_changes_of_two_fields_at_the_same_moment_both_stay() {
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
async fn all_see_the_changes_of_one_field_in_the_same_order() {
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

/// As the agent was before an update.
mod before {
    use dooers::prelude::*;

    #[derive(Debug, Clone, WorkerSettings)]
    pub(super) struct Limits {
        #[setting(default = 50, max = 100)]
        pub(super) limit: u32,
        #[setting(default = "old")]
        pub(super) gone: String,
    }

    #[dooers::agent(name = "limits")]
    pub(super) async fn limits(settings: Limits) -> String {
        format!("{} {}", settings.limit, settings.gone)
    }
}

/// And after it.
mod after {
    use dooers::prelude::*;

    #[derive(Debug, Clone, WorkerSettings)]
    pub(super) struct Limits {
        #[setting(default = 5, max = 10)]
        pub(super) limit: u32,
        pub(super) new: Option<bool>,
    }

    #[dooers::agent(name = "limits")]
    pub(super) async fn limits(settings: Limits) -> String {
        format!("{} {:?}", settings.limit, settings.new)
    }
}

async fn answer<A: dooers::Agent>(store: &Arc<MemoryStore>) -> String {
    let server = Server::with::<A>(|config| config.store(Arc::clone(store) as _)).await;
    let mut client = server.client("ada").await;
    client.message(None, "what?").await;
    let frames = client.turn().await;
    let mut texts = frames.iter().filter_map(|frame| {
        let event = &frame["payload"]["events"][0];
        (event["actor"] == "assistant")
            .then(|| event["content"][0]["text"].as_str().unwrap().to_owned())
    });
    let text = texts.next_back().unwrap();
    server.close([client]).await;
    text
}

#[tokio::test]
async fn a_value_that_does_not_fit_any_more_gives_way_to_the_default_and_is_not_destroyed() {
    let store = Arc::new(MemoryStore::new());
    let server =
        Server::with::<before::limits>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = server.client("ada").await;
    patch(&mut client, "limit", json!(80)).await;
    patch(&mut client, "gone", json!("kept")).await;
    server.close([client]).await;
    assert_eq!(answer::<before::limits>(&store).await, "80 kept");
    assert_eq!(answer::<after::limits>(&store).await, "5 None");
    let stored = store.settings(&worker("limits")).await.unwrap();
    let stored: Vec<_> = stored
        .iter()
        .map(|row| (&*row.field_id, &row.value))
        .collect();
    assert_eq!(stored, [("gone", &json!("kept")), ("limit", &json!(80))]);
    assert_eq!(answer::<before::limits>(&store).await, "80 kept");
}

#[tokio::test]
async fn a_handler_has_the_values_of_the_moment() {
    let store = Arc::new(MemoryStore::new());
    assert_eq!(answer::<before::limits>(&store).await, "50 old");
    let row = StoredSetting {
        field_id: "limit".to_owned(),
        value: json!(60),
        key_id: None,
        updated_at: chrono::Utc::now(),
    };
    store
        .put_settings(&worker("limits"), vec![row])
        .await
        .unwrap();
    assert_eq!(answer::<before::limits>(&store).await, "60 old");
}

#[test]
fn a_patch_of_the_struct_is_what_a_patch_over_the_wire_is() {
    let mut limits = before::Limits::default();
    limits.apply_patch("limit", json!(70)).unwrap();
    assert_eq!((limits.limit, limits.gone.as_str()), (70, "old"));
    let refused = limits.apply_patch("limit", json!(101)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`limit` cannot be 101; it takes a whole number from 0 to 100"
    );
    assert_eq!(limits.limit, 70);
    let unknown = limits.apply_patch("other", json!(1)).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no setting `other`");
}
