//! The connections that are subscribed to settings.

use super::connection::Connection;
use crate::shrink::shrink;
use crate::store::WorkerKey;
use std::collections::HashMap;
use std::sync::Arc;

/// The connections that subscribed to the settings of each worker.
#[derive(Debug, Default)]
pub(super) struct SettingsRooms(HashMap<WorkerKey, HashMap<u64, Arc<Connection>>>);

impl SettingsRooms {
    pub(super) fn enter(&mut self, worker: WorkerKey, connection: &Arc<Connection>) {
        let members = self.0.entry(worker).or_default();
        members.insert(connection.id(), Arc::clone(connection));
    }

    pub(super) fn leave(&mut self, worker: &WorkerKey, connection: &Connection) {
        if let Some(members) = self.0.get_mut(worker) {
            members.remove(&connection.id());
            shrink(members);
            if members.is_empty() {
                self.0.remove(worker);
                shrink(&mut self.0);
            }
        }
    }

    /// The number of workers for which memory is allocated.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Returns true if a connection is subscribed to the settings of this worker.
    pub(super) fn has_members(&self, worker: &WorkerKey) -> bool {
        self.0.contains_key(worker)
    }

    pub(super) fn members(&self, worker: &WorkerKey) -> Vec<Arc<Connection>> {
        let members = self.0.get(worker).into_iter();
        members.flat_map(HashMap::values).cloned().collect()
    }
}
