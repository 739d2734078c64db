//! `Settings<T>`, the handle to one worker's settings.

use super::live::{AgentSchema, LiveSettings};
use super::{SettingsError, SettingsValues, SettingsWatch, WorkerSettings};
use crate::store::{MemoryStore, WorkerKey};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A handle that reads and changes the settings of one worker while the program runs.
///
/// A handler that only needs the current values takes `T` as an argument. A handler that needs more takes this handle.
/// Outside of a handler, [`WorkerServer::settings`](crate::WorkerServer::settings) returns it.
///
/// ```
/// use dooers::prelude::*;
///
/// #[derive(Debug, Clone, WorkerSettings)]
/// struct Counting {
///     #[setting(default = 0)]
///     answered: u32,
/// }
///
/// #[dooers::agent]
/// async fn counter(settings: Settings<Counting>) -> Result<String> {
///     let answered = settings.get().await?.answered + 1;
///     settings.set(|current| current.answered = answered).await?;
///     Ok(format!("Answer {answered}"))
/// }
/// ```
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

    /// Creates settings in memory that do not belong to a server, for unit tests of handlers.
    ///
    /// # Panics
    ///
    /// If a field refuses its own default. A server with such settings does not start.
    #[expect(clippy::panic, reason = "it is for tests")]
    #[must_use]
    #[track_caller]
    pub fn detached() -> Self {
        if let Err(error) = T::schema().check_fields() {
            panic!("{error}");
        }
        const AGENT: &str = "detached";
        let schemas = HashMap::from([(AGENT, AgentSchema::of::<T>())]);
        let store = Arc::new(MemoryStore::new());
        let live = LiveSettings::new(store, None, schemas, Box::new(|_| {}));
        let worker = WorkerKey {
            agent: AGENT.to_owned(),
            worker_id: "worker".to_owned(),
        };
        Self::new(Arc::new(live), worker)
    }

    /// Reads the current values.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the database fails or a secret cannot be decrypted.
    pub async fn get(&self) -> Result<T, SettingsError> {
        let current = self.live.current(&self.worker).await?;
        Ok(T::from_values(&current.values))
    }

    /// Reads the value of one field, including secrets: the value that was set, or else the default, or else `null`.
    /// `None` if the field does not exist.
    ///
    /// # Errors
    ///
    /// The same as for [`get`](Self::get).
    pub async fn get_value(&self, field_id: &str) -> Result<Option<Value>, SettingsError> {
        let current = self.live.current(&self.worker).await?;
        let field = T::schema().field(field_id);
        Ok(field.map(|field| current.values.of(field)))
    }

    /// Reads the values of all fields, including secrets. [`exclude`](AllSettings::exclude) leaves out fields.
    pub fn all(&self) -> AllSettings<'_, T> {
        AllSettings {
            settings: self,
            excluded: Vec::new(),
        }
    }

    /// Changes values. New values are checked like patches, stored, and sent to all subscribers that may see them.
    /// `None` restores the default of a field that has one.
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
    /// Only fields that the closure assigns are stored. Assigning an equal value is not a change and stores nothing.
    /// Secrets are the exception: a secret that is assigned is stored again and sealed with the newest key, even if
    /// its text is the same. In that case nothing is sent to subscribers.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Patch`] if a value does not fit or a field is readonly. Nothing is changed then.
    pub async fn set(&self, change: impl FnOnce(&mut T) + Send) -> Result<(), SettingsError> {
        let changed = |values: &SettingsValues| {
            let mut settings = T::from_values(values);
            let before = settings.to_values();
            change(&mut settings);
            settings.to_values().assigned_since(&before)
        };
        self.live.change(&self.worker, changed).await
    }

    /// Sets one field by its id. The value is checked like a patch, stored, and sent to all subscribers that may see it.
    /// `null` restores the default, or removes the value of a field without one. Internal fields can also be set. Durations,
    /// times, addresses, colors and lists are texts, such as `"1m30s"` and `"one\ntwo"`.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # #[derive(Clone, WorkerSettings)]
    /// # struct Tuning {
    /// #     #[setting(default = 0.7)]
    /// #     temperature: f64,
    /// # }
    /// # async fn cool_down(settings: Settings<Tuning>) -> Result<()> {
    /// settings.set_value("temperature", 0.2).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SettingsError::Patch`] if there is no such field, it is readonly, or the value does not fit. Nothing is changed
    /// then.
    pub async fn set_value(
        &self,
        field_id: &str,
        value: impl Into<Value> + Send,
    ) -> Result<(), SettingsError> {
        self.live.set(&self.worker, field_id, value.into()).await
    }

    /// Watches all changes, including those of other processes that share the database.
    ///
    /// The old value of a change by another process is the value that this process last knew: the other process may have made
    /// several changes, which arrive as one. The watch begins when this process has read the settings for the first
    /// time after this call, so a program that calls [`get`](Self::get) afterwards receives every later change.
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

/// A request for the values of all fields. See [`Settings::all`].
#[derive(Debug)]
#[must_use]
pub struct AllSettings<'a, T> {
    settings: &'a Settings<T>,
    excluded: Vec<String>,
}

impl<T: WorkerSettings> AllSettings<'_, T> {
    /// Leaves out these fields.
    pub fn exclude<I: Into<String>>(mut self, field_ids: impl IntoIterator<Item = I>) -> Self {
        self.excluded.extend(field_ids.into_iter().map(Into::into));
        self
    }

    /// Reads the values.
    ///
    /// # Errors
    ///
    /// The same as for [`Settings::get`].
    pub async fn read(self) -> Result<SettingsValues, SettingsError> {
        let settings = self.settings.get().await?;
        let mut values = settings.to_values();
        for field_id in &self.excluded {
            values.remove(field_id);
        }
        Ok(values)
    }
}
