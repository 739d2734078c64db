//! The settings of one worker, to read and to change.

use super::live::{AgentSchema, LiveSettings};
use super::{SettingsError, SettingsValues, SettingsWatch, WorkerSettings};
use crate::hub::Hub;
use crate::store::{MemoryStore, WorkerKey};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The settings of one worker, to read and to change while the program runs.
///
/// A handler takes it as an argument where the values of the moment, which it gets by taking `T` itself, are not
/// enough. Outside of a handler [`WorkerServer::settings`](crate::WorkerServer::settings) gives it.
pub struct Settings<T> {
    live: Arc<LiveSettings>,
    worker: WorkerKey,
    of: PhantomData<fn() -> T>,
}

impl<T: WorkerSettings> Settings<T> {
    pub(crate) fn new(live: Arc<LiveSettings>, worker: WorkerKey) -> Self {
        Self {
            live,
            worker,
            of: PhantomData,
        }
    }

    /// Settings that belong to no server and are kept in memory: for unit tests of a handler that takes them.
    #[must_use]
    pub fn detached() -> Self {
        const AGENT: &str = "detached";
        let schemas = HashMap::from([(AGENT, AgentSchema::of::<T>())]);
        let store = Arc::new(MemoryStore::new());
        let live = LiveSettings::new(store, Hub::default(), None, schemas);
        let worker = WorkerKey {
            agent: AGENT.to_owned(),
            worker_id: "worker".to_owned(),
        };
        Self::new(Arc::new(live), worker)
    }

    /// The values of the moment.
    ///
    /// # Errors
    ///
    /// [`SettingsError`], if the database fails or a secret does not open.
    pub async fn get(&self) -> Result<T, SettingsError> {
        let current = self.live.current(&self.worker).await?;
        Ok(T::from_values(&current.values))
    }

    /// The value of one field, secret or not: the one that was set, or else the default, or else `null`. None if there is
    /// no such field.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn get_value(&self, field_id: &str) -> Result<Option<Value>, SettingsError> {
        let current = self.live.current(&self.worker).await?;
        let field = T::schema().field(field_id);
        Ok(field.map(|field| current.values.of(field)))
    }

    /// All values by their fields, secrets too, but for those that are to be left out.
    pub fn all(&self) -> AllSettings<'_, T> {
        AllSettings {
            settings: self,
            excluded: Vec::new(),
        }
    }

    /// Changes values. What is new is checked as a patch is, stored, and shown to all who see it. `None` restores the
    /// default of a field that has one.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # #[derive(Clone, WorkerSettings)]
    /// # struct Tuning {
    /// #     #[setting(default = 0.7)]
    /// #     temperature: f64,
    /// # }
    /// # async fn cool_down(settings: Settings<Tuning>) -> Result<()> {
    /// settings.set(|tuning| tuning.temperature = 0.2).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Only the fields that the closure assigns are stored. An equal value is not a change, and is not stored again. A
    /// secret is the exception: one that is assigned, even if its text is the same, is stored again and sealed with the
    /// newest key. Subscribers are not sent a secret that did not change.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Patch`] for a value that is not right, or a field that is readonly: then nothing is changed.
    pub async fn set(&self, change: impl FnOnce(&mut T) + Send) -> Result<(), SettingsError> {
        let changed = |values: &SettingsValues| {
            let mut settings = T::from_values(values);
            let before = settings.to_values();
            change(&mut settings);
            settings.to_values().assigned_since(&before)
        };
        self.live.change(&self.worker, changed).await
    }

    /// Follows the changes, whoever makes them in this process.
    pub fn watch(&self) -> SettingsWatch {
        self.live.watch(&self.worker)
    }
}

impl<T> Clone for Settings<T> {
    fn clone(&self) -> Self {
        Self {
            live: Arc::clone(&self.live),
            worker: self.worker.clone(),
            of: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Settings<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("worker", &self.worker)
            .finish_non_exhaustive()
    }
}

/// All values of settings, to be read. See [`Settings::all`].
#[derive(Debug)]
#[must_use]
pub struct AllSettings<'a, T> {
    settings: &'a Settings<T>,
    excluded: Vec<String>,
}

impl<T: WorkerSettings> AllSettings<'_, T> {
    /// Leaves these fields out.
    pub fn exclude<I: Into<String>>(mut self, field_ids: impl IntoIterator<Item = I>) -> Self {
        self.excluded.extend(field_ids.into_iter().map(Into::into));
        self
    }

    /// Reads them.
    ///
    /// # Errors
    ///
    /// As [`Settings::get`].
    pub async fn read(self) -> Result<SettingsValues, SettingsError> {
        let settings = self.settings.get().await?;
        let mut values = settings.to_values();
        for field_id in &self.excluded {
            values.remove(field_id);
        }
        Ok(values)
    }
}
