//! The settings that a client sees.

use super::client::TestClient;
use crate::protocol::{Audience, ErrorBody};
use serde_json::{Value, json};

/// The settings of a worker, as a client shows them. A client applies the changes that it receives.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsView {
    items: Vec<Value>,
}

impl SettingsView {
    /// The fields as they are on the wire, including those in groups.
    pub fn fields(&self) -> impl Iterator<Item = &Value> {
        self.items
            .iter()
            .flat_map(|item| match item["fields"].as_array() {
                Some(fields) => fields.as_slice(),
                None => std::slice::from_ref(item),
            })
    }

    /// The field with this id, as it is on the wire.
    #[must_use]
    pub fn field(&self, id: &str) -> Option<&Value> {
        self.fields().find(|field| field["id"] == id)
    }

    /// The value of this field. `null` if the field has no value or is a password.
    ///
    /// # Panics
    ///
    /// If this audience sees no such field.
    #[must_use]
    #[track_caller]
    pub fn value(&self, id: &str) -> &Value {
        let Some(field) = self.field(id) else {
            let known: Vec<_> = self
                .fields()
                .filter_map(|field| field["id"].as_str())
                .collect();
            panic!("there is no setting `{id}`; there are {}", known.join(", "));
        };
        &field["value"]
    }

    fn set(&mut self, id: &str, value: &Value) {
        for item in &mut self.items {
            let fields = match item.get_mut("fields").and_then(Value::as_array_mut) {
                Some(fields) => fields.as_mut_slice(),
                None => std::slice::from_mut(item),
            };
            if let Some(field) = fields.iter_mut().find(|field| field["id"] == id) {
                field["value"] = value.clone();
            }
        }
    }
}

impl TestClient {
    /// Subscribes to the settings of the client's worker, as the audience `user`.
    ///
    /// # Panics
    ///
    /// If the agent has no settings.
    pub async fn settings(&mut self) -> SettingsView {
        self.settings_as(Audience::User).await
    }

    /// Subscribes to the settings as this audience. `creator` requires the role `owner` or `manager` in the
    /// organization.
    ///
    /// # Panics
    ///
    /// If the agent has no settings, or the user may not see them.
    pub async fn settings_as(&mut self, audience: Audience) -> SettingsView {
        let name = match audience {
            Audience::User => "user",
            Audience::Creator => "creator",
        };
        if let Err(refusal) = self
            .try_request("settings.subscribe", json!({"audience": name}))
            .await
        {
            self.fail(&format!("the server refuses to send settings: {refusal}"));
        }
        self.settings_audience = Some(audience);
        match &self.settings {
            Some(settings) => settings.clone(),
            None => self.fail("the server answered `settings.subscribe` without a snapshot"),
        }
    }

    /// The settings that the client subscribed to, with all changes that it has received.
    #[must_use]
    pub fn shown_settings(&self) -> Option<&SettingsView> {
        self.settings.as_ref()
    }

    /// Changes a setting and waits until the client receives the change.
    ///
    /// # Errors
    ///
    /// The refusal of the server. Nothing is changed then.
    ///
    /// # Panics
    ///
    /// If the client does not receive the change.
    pub async fn patch_setting(
        &mut self,
        field_id: &str,
        value: impl Into<Value>,
    ) -> Result<(), ErrorBody> {
        let mut wait = self.wait(format!("the change of the setting `{field_id}`"));
        let payload = json!({"field_id": field_id, "value": value.into()});
        let before = self.frames.len();
        self.try_request("settings.patch", payload).await?;
        let is_change = |frame: &Value| {
            frame["type"] == "settings.patch" && frame["payload"]["field_id"] == field_id
        };
        while !self.frames[before..].iter().any(is_change) {
            self.receive(&mut wait).await;
        }
        Ok(())
    }

    /// Applies a snapshot or a change.
    pub(super) fn take_settings(&mut self, payload: &Value) {
        if let Some(items) = payload["fields"].as_array() {
            self.settings = Some(SettingsView {
                items: items.clone(),
            });
        } else if let (Some(settings), Some(id)) =
            (&mut self.settings, payload["field_id"].as_str())
        {
            settings.set(id, &payload["value"]);
        }
    }
}
