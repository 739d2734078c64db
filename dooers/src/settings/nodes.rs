//! Changes of settings between nodes: the processes that share the database.
//!
//! A node announces which worker's settings it has changed. The other nodes read the settings of workers with subscribers or
//! watchers, and publish what differs from the values that they last knew. Announcements may be lost, so the versions of these
//! settings are also compared with the database, slowly.

use super::known::KnownSettings;
use super::live::{LiveSettings, Worker, lock};
use super::stored::CurrentSettings;
use super::{SettingsError, SettingsSchema};
use crate::broker::{Broker, News, NoBroker, SettingsNotice};
use crate::protocol::timestamp;
use crate::store::WorkerKey;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Maximum number of workers whose versions are read by one statement.
const COMPARED: usize = 1_000;

/// Returns true if a connection is subscribed to the settings of the worker.
type HasSubscribers = dyn Fn(&WorkerKey) -> bool + Send + Sync;

/// The other nodes, and the workers whose settings they may have changed.
pub(super) struct Nodes {
    broker: Arc<dyn Broker>,
    has_subscribers: Box<HasSubscribers>,
    /// True if changes of other nodes are read.
    are_followed: AtomicBool,
    outdated: Mutex<Outdated>,
    is_outdated: Notify,
}

/// The settings that must be read again.
#[derive(Debug, Default)]
pub(crate) struct Outdated {
    /// The settings of these workers were changed.
    workers: BTreeSet<WorkerKey>,
    /// Announcements were lost, so any settings may have been changed.
    all: bool,
}

impl Default for Nodes {
    fn default() -> Self {
        Self::new(Arc::new(NoBroker), Box::new(|_| false))
    }
}

impl Nodes {
    fn new(broker: Arc<dyn Broker>, has_subscribers: Box<HasSubscribers>) -> Self {
        Self {
            broker,
            has_subscribers,
            are_followed: AtomicBool::new(false),
            outdated: Mutex::default(),
            is_outdated: Notify::new(),
        }
    }

    pub(super) fn has_subscribers(&self, worker: &WorkerKey) -> bool {
        (self.has_subscribers)(worker)
    }

    fn are_followed(&self) -> bool {
        self.are_followed.load(Ordering::Relaxed)
    }

    /// Announces that the settings of a worker have changed.
    pub(super) fn announce(&self, worker: &WorkerKey) {
        let notice = SettingsNotice::of(worker);
        self.broker.publish(News::Settings(notice));
    }

    fn outdate(&self, note: impl FnOnce(&mut Outdated)) {
        note(&mut lock(&self.outdated));
        self.is_outdated.notify_one();
    }
}

impl LiveSettings {
    /// Announces changes to other nodes. `has_subscribers` returns true if a connection is subscribed to the settings of a
    /// worker.
    pub(crate) fn among_nodes(
        mut self,
        broker: Arc<dyn Broker>,
        has_subscribers: impl Fn(&WorkerKey) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.nodes = Nodes::new(broker, Box::new(has_subscribers));
        self
    }

    /// Publishes the changes of other nodes from now on. The caller takes them from [`outdated`](Self::outdated).
    pub(crate) fn follow_nodes(&self) {
        self.nodes.are_followed.store(true, Ordering::Relaxed);
    }

    /// Notes that the settings of a worker may have changed, for example because another node has announced it.
    pub(crate) fn may_have_changed(&self, worker: &WorkerKey) {
        if self.nodes.are_followed() && self.watched(worker).is_some() {
            self.nodes.outdate(|outdated| {
                outdated.workers.insert(worker.clone());
            });
        }
    }

    /// Notes that announcements of other nodes were lost.
    pub(crate) fn announcements_were_lost(&self) {
        self.nodes.outdate(|outdated| outdated.all = true);
    }

    /// Waits for settings that must be read again, and takes them. Dropping the future loses nothing.
    pub(crate) async fn outdated(&self) -> Outdated {
        loop {
            let noted = self.nodes.is_outdated.notified();
            let outdated = std::mem::take(&mut *lock(&self.nodes.outdated));
            if outdated.all || !outdated.workers.is_empty() {
                return outdated;
            }
            noted.await;
        }
    }

    /// Reads outdated settings, and publishes their changes. Reads all of them, even if some fail.
    ///
    /// # Errors
    ///
    /// The last error. Settings that could not be read are read by the next [`compare`](Self::compare).
    pub(crate) async fn read_outdated(&self, outdated: Outdated) -> Result<(), SettingsError> {
        if outdated.all {
            return self.compare().await;
        }
        let mut result = Ok(());
        for worker in &outdated.workers {
            if let Err(error) = self.refresh(worker, None).await {
                result = Err(error);
            }
        }
        result
    }

    /// Compares the settings of all workers that have subscribers or watchers with the database, and publishes what other
    /// nodes have changed. Compares all of them, even if some fail.
    ///
    /// # Errors
    ///
    /// The last error.
    pub(crate) async fn compare(&self) -> Result<(), SettingsError> {
        let mut result = Ok(());
        for workers in self.all_watched().chunks(COMPARED) {
            let versions = self.store.setting_versions(workers).await?;
            for worker in workers {
                let version = versions.get(worker).copied().unwrap_or_default();
                if self.is_version_known(worker, version) {
                    continue;
                }
                if let Err(error) = self.refresh(worker, Some(version)).await {
                    result = Err(error);
                }
            }
        }
        result
    }

    fn is_version_known(&self, worker: &WorkerKey, version: u64) -> bool {
        let known = |shared: Arc<Worker>| lock(&shared.known).as_ref()?.version;
        self.watched(worker).and_then(known) == Some(version)
    }

    /// Reads the settings of a worker that has subscribers or watchers, and publishes what other nodes have changed.
    /// `version` is their version before the read.
    async fn refresh(&self, worker: &WorkerKey, version: Option<u64>) -> Result<(), SettingsError> {
        let Some(shared) = self.watched(worker) else {
            return Ok(());
        };
        let _unchanged = shared.changing.lock().await;
        self.read(&shared, worker).await?;
        if let (Some(known), Some(_)) = (&mut *lock(&shared.known), version) {
            known.version = version;
        }
        Ok(())
    }

    /// Publishes the differences between the settings that this node knew and those that it has just read, and knows the
    /// latter from then on. The caller holds the lock `changing`, so that no earlier read overwrites a later one.
    pub(super) fn observe(
        &self,
        shared: &Worker,
        worker: &WorkerKey,
        schema: &SettingsSchema,
        current: &CurrentSettings,
    ) {
        if !self.nodes.are_followed() {
            return;
        }
        let mut changes = Vec::new();
        {
            let mut known = lock(&shared.known);
            if !self.is_watched(worker, shared) {
                *known = None;
                return;
            }
            let Some(known) = &mut *known else {
                *known = Some(KnownSettings::of(schema, &current.values));
                return;
            };
            for field in schema.fields() {
                let new = current.values.of(field);
                if let Some(old) = known.note(field, &new) {
                    changes.push((field, old, new));
                }
            }
        }
        for (field, old, new) in changes {
            // A field whose value was removed has no time.
            let updated_at = current.stored.get(field.id()).copied();
            let updated_at = updated_at.unwrap_or_else(timestamp::now);
            self.publish_change(worker, field, new.clone(), updated_at, &self.publish);
            let update = Self::update(worker, field, old, new);
            shared.watchers.notify(&update);
        }
    }

    /// Returns the state of a worker that is watched and whose settings this node does not know yet.
    pub(super) fn without_known(&self, worker: &WorkerKey) -> Option<Arc<Worker>> {
        if !self.nodes.are_followed() {
            return None;
        }
        let shared = self.watched(worker)?;
        let is_unknown = lock(&shared.known).is_none();
        is_unknown.then_some(shared)
    }

    /// Returns true if a connection is subscribed to the settings of a worker, or the program watches them.
    pub(super) fn is_watched(&self, worker: &WorkerKey, shared: &Worker) -> bool {
        !shared.watchers.is_empty() || self.nodes.has_subscribers(worker)
    }

    fn watched(&self, worker: &WorkerKey) -> Option<Arc<Worker>> {
        let shared = lock(&self.workers).by_key.get(worker).cloned();
        shared.filter(|shared| self.is_watched(worker, shared))
    }

    fn all_watched(&self) -> Vec<WorkerKey> {
        let workers = lock(&self.workers);
        let watched = workers.by_key.iter();
        let watched = watched.filter(|(worker, shared)| self.is_watched(worker, shared));
        watched.map(|(worker, _)| worker.clone()).collect()
    }
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes")
            .field("broker", &self.broker)
            .field("are_followed", &self.are_followed)
            .field("outdated", &self.outdated)
            .finish_non_exhaustive()
    }
}
