//! The stored form of settings: they are checked when they are read, and secrets are sealed.

use super::live::{FieldChange, LiveSettings, lock};
use super::seal::Sealed;
use super::{Field, InvalidValue, SettingsError, SettingsValues};
use crate::store::{StoredSetting, WorkerKey};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::HashMap;

/// The stored settings of a worker that fit their schema.
#[derive(Debug)]
pub(crate) struct CurrentSettings {
    pub(crate) values: SettingsValues,
    /// The fields with a stored value, including values that do not fit any more, and the time of each value.
    pub(super) stored: HashMap<String, DateTime<Utc>>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl LiveSettings {
    /// Reads the stored values, completed with the values of secrets from the environment.
    pub(super) async fn read_now(
        &self,
        worker: &WorkerKey,
    ) -> Result<CurrentSettings, SettingsError> {
        let mut current = self.stored(worker).await?;
        current.values.fill(&self.agent(&worker.agent)?.from_env);
        Ok(current)
    }

    /// Reads the stored values. A value that does not fit the schema any more is left out, so that the default
    /// applies. It stays in the store.
    async fn stored(&self, worker: &WorkerKey) -> Result<CurrentSettings, SettingsError> {
        let schema = self.schema(&worker.agent)?;
        let stored = self.store.settings(worker).await?;
        let updated_at = stored.iter().map(|setting| setting.updated_at).max();
        let (mut values, mut fields) = (SettingsValues::default(), HashMap::new());
        for setting in stored {
            // A value whose field is not in the schema is kept, because a later schema may contain the field again.
            let Some(field) = schema.field(&setting.field_id) else {
                continue;
            };
            if setting.value.is_null() {
                continue;
            }
            fields.insert(field.id().to_owned(), setting.updated_at);
            match field.check(self.opened(worker, setting)?) {
                Ok(value) => values.insert(field.id(), value),
                Err(misfit) => self.warn_once(worker, field, &misfit),
            }
        }
        Ok(CurrentSettings {
            values,
            stored: fields,
            updated_at: updated_at.unwrap_or(self.started_at),
        })
    }

    pub(super) fn sealed(
        &self,
        worker: &WorkerKey,
        change: &FieldChange<'_>,
        at: DateTime<Utc>,
    ) -> StoredSetting {
        let field_id = change.field.id();
        let sealed = match (&self.keyring, &change.new) {
            (Some(keyring), Value::String(secret)) if change.field.is_secret() => {
                keyring.seal(worker, field_id, secret)
            }
            _ => None,
        };
        let (value, key_id) = match sealed {
            Some(sealed) => (Value::String(sealed.text), Some(sealed.key_id)),
            None => (change.new.clone(), None),
        };
        StoredSetting {
            field_id: field_id.to_owned(),
            value,
            key_id,
            updated_at: at,
        }
    }

    fn opened(&self, worker: &WorkerKey, setting: StoredSetting) -> Result<Value, SettingsError> {
        let (Some(key_id), Value::String(text)) = (&setting.key_id, &setting.value) else {
            return Ok(setting.value);
        };
        let sealed = Sealed {
            key_id: key_id.clone(),
            text: text.clone(),
        };
        let unknown = || super::UnsealError::UnknownKey(key_id.clone());
        let opened = match &self.keyring {
            Some(keyring) => keyring.open(worker, &setting.field_id, &sealed),
            None => Err(unknown()),
        };
        let secret = opened.map_err(|source| SettingsError::Sealed {
            field_id: setting.field_id.clone(),
            source,
        })?;
        Ok(Value::from(secret.as_str()))
    }

    fn warn_once(&self, worker: &WorkerKey, field: &Field, misfit: &InvalidValue) {
        let place = (worker.clone(), field.id().to_owned());
        if lock(&self.misfits).insert(place) {
            tracing::warn!(
                target: "dooers::settings",
                agent = worker.agent, worker_id = worker.worker_id, field = field.id(), allowed = misfit.allowed(),
                "a stored setting does not fit its field any more; the default is used"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_capture::CapturedLog;
    use crate::protocol::timestamp;
    use crate::settings::{AgentSchema, Schemas, SettingsSchema};
    use crate::store::{MemoryStore, Store};
    use serde_json::json;
    use std::sync::Arc;

    #[tokio::test]
    async fn stored_value_that_does_not_fit_is_logged_once() {
        let (log, _capture) = CapturedLog::start();
        let schema = SettingsSchema::builder()
            .field(Field::integer("size").default(3).max(10))
            .field(Field::password("key").optional().min_length(8))
            .build()
            .unwrap();
        let settings = AgentSchema {
            schema: Arc::new(schema),
            type_id: None,
            from_env: SettingsValues::default(),
        };
        let store = Arc::new(MemoryStore::new());
        let worker = WorkerKey {
            agent: "a".to_owned(),
            worker_id: "w".to_owned(),
        };
        let rows =
            [("size", json!(6_666)), ("key", json!("hush"))].map(|(id, value)| StoredSetting {
                field_id: id.to_owned(),
                value,
                key_id: None,
                updated_at: timestamp::now(),
            });
        store.put_settings(&worker, rows.to_vec()).await.unwrap();
        let schemas = Schemas::from([("a", settings)]);
        let live = LiveSettings::new(store, None, schemas, Box::new(|_| {}));
        for _ in 0..3 {
            let values = live.current(&worker).await.unwrap().values;
            assert_eq!(values, SettingsValues::default());
        }
        let log = log.text();
        assert_eq!(log.matches("does not fit").count(), 2, "{log}");
        assert!(log.contains("size") && log.contains("key"), "{log}");
        assert!(!log.contains("hush") && !log.contains("6666"), "{log}");
    }
}
