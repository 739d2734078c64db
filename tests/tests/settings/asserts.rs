//! Helpers to read and change settings as a client.

use dooers_tests::{Client, Identity, Server};
use serde_json::{Value, json};

/// A user with this role in the organization.
pub(crate) fn with_role(role: &str) -> Identity {
    let user = json!({"user_id": role, "organization_role": role});
    Identity::of(role).with("user", user)
}

/// Connects a client and subscribes it to the settings for an audience. Returns the client and the snapshot.
pub(crate) async fn subscribed(server: &Server, role: &str, audience: &str) -> (Client, Value) {
    let mut client = server.client(with_role(role)).await;
    let snapshot = subscribe(&mut client, audience).await;
    (client, snapshot)
}

/// Subscribes to the settings and returns the snapshot.
pub(crate) async fn subscribe(client: &mut Client, audience: &str) -> Value {
    let asked = json!({"audience": audience});
    let id = client.send("settings.subscribe", asked).await;
    let snapshot = client.expect("settings.snapshot").await;
    client.expect_ack(&id).await;
    snapshot
}

/// All fields of a snapshot, including those in groups.
pub(crate) fn fields(snapshot: &Value) -> Vec<Value> {
    let items = snapshot["fields"].as_array().unwrap().iter();
    let fields = items.flat_map(|item| match item["fields"].as_array() {
        Some(fields) => fields.clone(),
        None => vec![item.clone()],
    });
    fields.collect()
}

/// The field with this id.
pub(crate) fn field(snapshot: &Value, id: &str) -> Value {
    let found = fields(snapshot).into_iter().find(|field| field["id"] == id);
    found.unwrap_or_else(|| panic!("no field {id} in {snapshot}"))
}

pub(crate) fn ids(snapshot: &Value) -> Vec<String> {
    let id = |field: &Value| field["id"].as_str().unwrap().to_owned();
    fields(snapshot).iter().map(id).collect()
}

/// Changes a setting, reads the ack, and returns the published change.
pub(crate) async fn patch(client: &mut Client, field_id: &str, value: Value) -> Value {
    let asked = json!({"field_id": field_id, "value": value});
    let id = client.send("settings.patch", asked).await;
    client.expect_ack(&id).await;
    client.expect("settings.patch").await
}

/// Sends a change that must be rejected. Returns the error's code and message.
pub(crate) async fn patch_error(
    client: &mut Client,
    field_id: &str,
    value: Value,
) -> (String, String) {
    let asked = json!({"field_id": field_id, "value": value});
    let id = client.send("settings.patch", asked).await;
    client.expect_error(&id).await
}
