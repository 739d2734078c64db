//! The current settings of the workers that this process serves.

use super::known::KnownSettings;
use super::nodes::Nodes;
use super::seal::Keyring;
use super::stored::CurrentSettings;
use super::watch::Watchers;
use super::{
    Field, PatchError, SettingsError, SettingsSchema, SettingsUpdate, SettingsValues,
    SettingsWatch, Visibility, WorkerSettings,
};
use crate::protocol::{Audience, admit_json, check_id, timestamp};
use crate::shrink::shrink;
use crate::store::{Store, StoreError, WorkerKey};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The settings schemas of a program's agents, by the name of the agent.
pub(crate) type Schemas = HashMap<&'static str, AgentSchema>;

/// The settings schema of one agent.
#[derive(Debug, Clone)]
pub(crate) struct AgentSchema {
    pub(crate) schema: Arc<SettingsSchema>,
    /// The type of the settings struct. `None` if the schema was built by hand.
    pub(crate) type_id: Option<TypeId>,
    /// The defaults of secrets that were read from the environment.
    pub(crate) from_env: SettingsValues,
}

impl AgentSchema {
    /// The schema of this struct, for use without a server that reads environment variables.
    pub(crate) fn of<T: WorkerSettings>() -> Self {
        Self {
            schema: Arc::new(T::schema().clone()),
            type_id: Some(TypeId::of::<T>()),
            from_env: T::schema().without_variables(),
        }
    }
}

/// A setting that was changed, for the connections that see it.
#[derive(Debug)]
pub(crate) struct ChangedSetting<'a> {
    pub(crate) worker: &'a WorkerKey,
    pub(crate) field: &'a Field,
    pub(crate) value: Value,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Publishes a changed setting to the connections that see it.
pub(crate) type Publish<'a> = dyn Fn(&ChangedSetting<'_>) + Send + Sync + 'a;

/// The settings of every worker, and the watchers of their changes.
pub(crate) struct LiveSettings {
    pub(super) store: Arc<dyn Store>,
    pub(super) publish: Box<Publish<'static>>,
    pub(super) keyring: Option<Keyring>,
    pub(super) schemas: Schemas,
    pub(super) workers: Mutex<Workers>,
    pub(super) nodes: Nodes,
    /// The fields of workers whose stored value no longer fits and was logged already.
    pub(super) misfits: Mutex<HashSet<(WorkerKey, String)>>,
    /// The watchers of the changes that this process makes to the settings of all workers.
    program: Watchers,
    /// The `updated_at` of settings that have never been changed.
    pub(super) started_at: DateTime<Utc>,
}

/// The shared state of each worker that is in use.
#[derive(Debug, Default)]
pub(super) struct Workers {
    pub(super) by_key: HashMap<WorkerKey, Arc<Worker>>,
    /// The number of workers at which those that are not in use any more are removed.
    clean_at: usize,
}

/// The state that all users of one worker's settings share.
#[derive(Debug, Default)]
pub(super) struct Worker {
    /// Locked from reading the old values until the change is published, so that changes are published in the order in
    /// which they are stored.
    pub(super) changing: tokio::sync::Mutex<()>,
    pub(super) watchers: Watchers,
    /// The settings that this node has read last, while they have subscribers or watchers and there are other nodes.
    pub(super) known: Mutex<Option<KnownSettings>>,
}

/// A change that has been checked.
pub(super) struct FieldChange<'a> {
    pub(super) field: &'a Field,
    old: Value,
    /// `null` is stored unchanged and means the default: see [`SettingsValues::of`].
    pub(super) new: Value,
}

impl LiveSettings {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        keyring: Option<Keyring>,
        schemas: Schemas,
        publish: Box<Publish<'static>>,
    ) -> Self {
        Self {
            store,
            publish,
            keyring,
            schemas,
            workers: Mutex::default(),
            nodes: Nodes::default(),
            misfits: Mutex::default(),
            program: Watchers::default(),
            started_at: timestamp::now(),
        }
    }

    /// The schema of an agent's settings.
    pub(crate) fn schema(&self, agent: &str) -> Result<&SettingsSchema, SettingsError> {
        Ok(&self.agent(agent)?.schema)
    }

    pub(super) fn agent(&self, agent: &str) -> Result<&AgentSchema, SettingsError> {
        let settings = self.schemas.get(agent);
        settings.ok_or_else(|| SettingsError::NotConfigured(agent.to_owned()))
    }

    /// The names of the agents whose settings this struct contains.
    pub(crate) fn agents_of<T: WorkerSettings>(&self) -> Vec<&'static str> {
        let is_it = |settings: &AgentSchema| settings.type_id == Some(TypeId::of::<T>());
        let agents = self.schemas.iter().filter(|(_, settings)| is_it(settings));
        agents.map(|(agent, _)| *agent).collect()
    }

    /// The initial values of an agent's settings: secrets from the environment.
    pub(crate) fn initial_values(&self, agent: &str) -> Result<&SettingsValues, SettingsError> {
        Ok(&self.agent(agent)?.from_env)
    }

    /// The stored values, completed with the values of secrets from the environment. A watch of this worker returns all
    /// later changes.
    pub(crate) async fn current(
        &self,
        worker: &WorkerKey,
    ) -> Result<CurrentSettings, SettingsError> {
        match self.without_known(worker) {
            Some(shared) => {
                let _unchanged = shared.changing.lock().await;
                self.read(&shared, worker).await
            }
            None => self.read_now(worker).await,
        }
    }

    /// Reads the current values, and publishes what other nodes have changed. The caller holds the lock `changing`.
    pub(super) async fn read(
        &self,
        shared: &Worker,
        worker: &WorkerKey,
    ) -> Result<CurrentSettings, SettingsError> {
        let schema = self.schema(&worker.agent)?;
        let current = self.read_now(worker).await?;
        self.observe(shared, worker, schema, &current);
        Ok(current)
    }

    /// The value of every field: the value that was set, or else the default, or else `null`.
    pub(crate) async fn values(&self, worker: &WorkerKey) -> Result<SettingsValues, SettingsError> {
        let schema = self.schema(&worker.agent)?;
        let current = self.current(worker).await?;
        let value = |field: &Field| (field.id().to_owned(), current.values.of(field));
        Ok(schema.fields().map(value).collect())
    }

    /// Calls `read` with the current settings. The settings do not change while it runs, so what it sends or registers
    /// is in order with the published changes.
    pub(crate) async fn read_unchanged<R>(
        &self,
        worker: &WorkerKey,
        read: impl FnOnce(&SettingsSchema, &CurrentSettings) -> R,
    ) -> Result<R, SettingsError> {
        let schema = self.schema(&worker.agent)?;
        let shared = self.worker(worker);
        let _unchanged = shared.changing.lock().await;
        let current = self.read(&shared, worker).await?;
        let result = read(schema, &current);
        // `read` may have subscribed a connection to these settings.
        self.observe(&shared, worker, schema, &current);
        Ok(result)
    }

    /// Changes one field for a client of this audience: checks the value, stores it, and calls `publish`.
    pub(crate) async fn patch(
        &self,
        audience: Audience,
        worker: &WorkerKey,
        field_id: &str,
        mut value: Value,
        publish: &Publish<'_>,
    ) -> Result<(), SettingsError> {
        admit_json("value", &mut value).map_err(StoreError::from)?;
        let schema = self.schema(&worker.agent)?;
        let new = schema.check_for(audience, field_id, value)?;
        let field = schema.field(field_id);
        let field = field.ok_or_else(|| PatchError::NotFound(field_id.to_owned()))?;
        let shared = self.worker(worker);
        let _changing = shared.changing.lock().await;
        let old = self.read(&shared, worker).await?.values.of(field);
        let change = FieldChange { field, old, new };
        let updated_at = self.store(worker, std::slice::from_ref(&change)).await?;
        for updated_at in updated_at {
            let new = self.value_of(worker, field, change.new.clone());
            let old = change.old.clone();
            self.notify(&shared, worker, field, (old, new), updated_at, publish);
        }
        Ok(())
    }

    /// Changes several fields for the program. `change` gets the current values and returns the new ones. If one of
    /// them is refused, nothing is changed.
    ///
    /// A field that keeps its value is not stored again. A stored secret is the exception: it is sealed again, because
    /// the keys may have changed. Sealing again is not published.
    pub(crate) async fn change(
        &self,
        worker: &WorkerKey,
        change: impl FnOnce(&SettingsValues) -> SettingsValues + Send,
    ) -> Result<(), SettingsError> {
        let schema = self.schema(&worker.agent)?;
        let shared = self.worker(worker);
        let _changing = shared.changing.lock().await;
        let current = self.read(&shared, worker).await?;
        let wanted = change(&current.values);
        let mut changes = Vec::new();
        for field in schema.fields() {
            let Some(new) = wanted.get(field.id()) else {
                continue;
            };
            let mut new = new.clone();
            admit_json("value", &mut new).map_err(StoreError::from)?;
            let old = current.values.of(field);
            if field.is_readonly() {
                if old == new {
                    continue;
                }
                return Err(PatchError::Readonly(field.id().to_owned()).into());
            }
            let is_stored_secret = field.is_secret() && current.stored.contains_key(field.id());
            if old == new && !is_stored_secret {
                continue;
            }
            let new = field.check(new).map_err(PatchError::from)?;
            let is_default_already = new.is_null() && !current.stored.contains_key(field.id());
            if (old != new || is_stored_secret) && !is_default_already {
                changes.push(FieldChange { field, old, new });
            }
        }
        if !changes.is_empty() {
            let updated_at = self.store(worker, &changes).await?;
            for (change, updated_at) in changes.into_iter().zip(updated_at) {
                self.notify_if_changed(&shared, worker, change, updated_at);
            }
        }
        Ok(())
    }

    /// Sets one field for the program.
    pub(crate) async fn set(
        &self,
        worker: &WorkerKey,
        field_id: &str,
        mut value: Value,
    ) -> Result<(), SettingsError> {
        // The value is checked before it is copied, because copying it may overflow the stack.
        admit_json("value", &mut value).map_err(StoreError::from)?;
        self.changeable(worker, field_id)?;
        let set = |_: &SettingsValues| SettingsValues::from_iter([(field_id.to_owned(), value)]);
        self.change(worker, set).await
    }

    /// Removes the stored value of a field for the program, so that the default applies. Publishes the default if it
    /// differs from the stored value.
    pub(crate) async fn remove(
        &self,
        worker: &WorkerKey,
        field_id: &str,
    ) -> Result<(), SettingsError> {
        let field = self.changeable(worker, field_id)?;
        let shared = self.worker(worker);
        let _changing = shared.changing.lock().await;
        let old = self.read(&shared, worker).await?.values.of(field);
        let removed = self.store.remove_setting(worker, field_id).await;
        removed.inspect_err(|error| self.note_if_lost(worker, error))?;
        let new = Value::Null;
        self.notify_if_changed(
            &shared,
            worker,
            FieldChange { field, old, new },
            timestamp::now(),
        );
        Ok(())
    }

    /// The field with this id, if the program may change it.
    fn changeable(&self, worker: &WorkerKey, field_id: &str) -> Result<&Field, SettingsError> {
        let field = self.schema(&worker.agent)?.field(field_id);
        let field = field.ok_or_else(|| PatchError::NotFound(field_id.to_owned()))?;
        if field.is_readonly() {
            return Err(PatchError::Readonly(field_id.to_owned()).into());
        }
        Ok(field)
    }

    /// Watches the changes of a worker's settings.
    pub(crate) fn watch(&self, worker: &WorkerKey) -> SettingsWatch {
        let shared = self.worker(worker);
        let watch = {
            let mut known = lock(&shared.known);
            if !self.is_watched(worker, &shared) {
                // The settings may have changed since they were last watched.
                *known = None;
            }
            shared.watchers.watch()
        };
        self.may_have_changed(worker);
        watch
    }

    /// Watches the changes that this process makes to the settings of all workers.
    pub(crate) fn watch_all(&self) -> SettingsWatch {
        self.program.watch()
    }

    /// Closes all watches because the server stops. Watchers still receive the changes that are pending.
    pub(crate) fn close(&self) {
        self.program.close();
        for worker in lock(&self.workers).by_key.values() {
            worker.watchers.close();
        }
    }

    async fn store(
        &self,
        worker: &WorkerKey,
        changes: &[FieldChange<'_>],
    ) -> Result<Vec<DateTime<Utc>>, SettingsError> {
        check_id("worker_id", &worker.worker_id).map_err(StoreError::from)?;
        let at = timestamp::now();
        let settings = changes.iter().map(|change| self.sealed(worker, change, at));
        let stored = self.store.put_settings(worker, settings.collect()).await;
        Ok(stored.inspect_err(|error| self.note_if_lost(worker, error))?)
    }

    /// Notes that a change may have been stored although it failed, because its answer was lost.
    fn note_if_lost(&self, worker: &WorkerKey, error: &StoreError) {
        if let StoreError::Unavailable { .. } = error {
            self.may_have_changed(worker);
            self.nodes.announce(worker);
        }
    }

    /// Publishes a change by the program, unless the value stays the same: a secret was sealed again, or the default was
    /// set explicitly.
    fn notify_if_changed(
        &self,
        shared: &Worker,
        worker: &WorkerKey,
        FieldChange { field, old, new }: FieldChange<'_>,
        updated_at: DateTime<Utc>,
    ) {
        let new = self.value_of(worker, field, new);
        if old != new {
            self.notify(shared, worker, field, (old, new), updated_at, &self.publish);
        }
    }

    /// Publishes a change of this process to the connections that see the field, to the watchers, and to the other nodes.
    fn notify(
        &self,
        shared: &Worker,
        worker: &WorkerKey,
        field: &Field,
        (old, new): (Value, Value),
        updated_at: DateTime<Utc>,
        publish: &Publish<'_>,
    ) {
        if let Some(known) = &mut *lock(&shared.known) {
            known.note(field, &new);
        }
        self.publish_change(worker, field, new.clone(), updated_at, publish);
        let update = Self::update(worker, field, old, new);
        shared.watchers.notify(&update);
        self.program.notify(&update);
        self.nodes.announce(worker);
    }

    /// Publishes a change to the connections that see the field.
    pub(super) fn publish_change(
        &self,
        worker: &WorkerKey,
        field: &Field,
        value: Value,
        updated_at: DateTime<Utc>,
        publish: &Publish<'_>,
    ) {
        if field.visibility() != Visibility::Internal {
            publish(&ChangedSetting {
                worker,
                field,
                value,
                updated_at,
            });
        }
    }

    /// A change as watchers see it.
    pub(super) fn update(
        worker: &WorkerKey,
        field: &Field,
        old: Value,
        new: Value,
    ) -> SettingsUpdate {
        SettingsUpdate {
            agent: worker.agent.clone(),
            worker_id: worker.worker_id.clone(),
            field_id: field.id().to_owned(),
            old: field.shown_value(old),
            new: field.shown_value(new),
        }
    }

    /// The value in effect after this value was stored: the default instead of `null`.
    fn value_of(&self, worker: &WorkerKey, field: &Field, stored: Value) -> Value {
        match stored {
            Value::Null => {
                let settings = self.schemas.get(worker.agent.as_str());
                settings.map_or(Value::Null, |settings| settings.from_env.of(field))
            }
            value => value,
        }
    }

    /// The shared state of this worker's settings. Also removes the state of workers that are not in use any more.
    fn worker(&self, worker: &WorkerKey) -> Arc<Worker> {
        let mut workers = lock(&self.workers);
        let Workers { by_key, clean_at } = &mut *workers;
        if by_key.len() >= *clean_at && !by_key.contains_key(worker) {
            by_key.retain(|worker, shared| {
                Arc::strong_count(shared) > 1 || self.is_watched(worker, shared)
            });
            shrink(by_key);
            *clean_at = 2 * by_key.len();
        }
        Arc::clone(by_key.entry(worker.clone()).or_default())
    }
}

impl fmt::Debug for LiveSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSettings")
            .field("store", &self.store)
            .field("agents", &self.schemas.keys())
            .finish_non_exhaustive()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
