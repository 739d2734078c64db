//! The settings that a client sees.

use super::client::TestClient;
use crate::protocol::{Audience, ErrorBody};
use serde_json::{Value, json};

/// The settings of a worker, as a client shows them. They follow the changes that the client is told.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownSettings {
    items: Vec<Value>,
}

impl ShownSettings {
    /// The fields, those in groups too, as they are on the wire.
    pub fn fields(&self) -> impl Iterator<Item = &Value> {
        self.items
            .iter()
            .flat_map(|item| match item["fields"].as_array() {
                Some(fields) => fields.as_slice(),
                None => std::slice::from_ref(item),
            })
    }

    /// The field of this id, as it is on the wire.
    #[must_use]
    pub fn field(&self, id: &str) -> Option<&Value> {
        self.fields().find(|field| field["id"] == id)
    }

    /// The value of this field; `null` where it has none, or is a password.
    ///
    /// # Panics
    ///
    /// If there is no such field for this audience.
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
    /// Subscribes to the settings of its worker, as users see them.
    ///
    /// # Panics
    ///
    /// If the agent has none.
    pub async fn settings(&mut self) -> ShownSettings {
        self.settings_as(Audience::User).await
    }

    /// The same as this audience: `creator` is for those whose role in the organization is `owner` or `manager`.
    ///
    /// # Panics
    ///
    /// If the agent has none, or the user may not see them.
    pub async fn settings_as(&mut self, audience: Audience) -> ShownSettings {
        let name = match audience {
            Audience::User => "user",
            Audience::Creator => "creator",
        };
        if let Err(refusal) = self
            .ask("settings.subscribe", json!({"audience": name}))
            .await
        {
            self.fail(&format!("the server shows no settings: {refusal}"));
        }
        self.settings_audience = Some(audience);
        match &self.settings {
            Some(settings) => settings.clone(),
            None => self.fail("the server answered `settings.subscribe` without a snapshot"),
        }
    }

    /// The settings that it subscribed to, with the changes that it was told since.
    #[must_use]
    pub fn shown_settings(&self) -> Option<&ShownSettings> {
        self.settings.as_ref()
    }

    /// Changes a setting, and waits until that is told.
    ///
    /// # Errors
    ///
    /// The refusal. Nothing is changed then.
    ///
    /// # Panics
    ///
    /// If the change is not told.
    pub async fn patch_setting(
        &mut self,
        field_id: &str,
        value: impl Into<Value>,
    ) -> Result<(), ErrorBody> {
        let mut wait = self.wait(format!("the change of the setting `{field_id}`"));
        let payload = json!({"field_id": field_id, "value": value.into()});
        let before = self.frames.len();
        self.ask("settings.patch", payload).await?;
        let is_told = |frame: &Value| {
            frame["type"] == "settings.patch" && frame["payload"]["field_id"] == field_id
        };
        while !self.frames[before..].iter().any(is_told) {
            self.hear(&mut wait).await;
        }
        Ok(())
    }

    /// Takes a snapshot, or a change.
    pub(super) fn take_settings(&mut self, payload: &Value) {
        if let Some(items) = payload["fields"].as_array() {
            self.settings = Some(ShownSettings {
                items: items.clone(),
            });
        } else if let (Some(settings), Some(id)) =
            (&mut self.settings, payload["field_id"].as_str())
        {
            settings.set(id, &payload["value"]);
        }
    }
}
