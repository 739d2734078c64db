//! Subscriptions to settings.

use super::connection::Connection;
use super::frame::Frame;
use super::{Hub, lock};
use crate::protocol::Audience;
use crate::shrink::shrink;
use crate::store::WorkerKey;
use std::collections::HashMap;
use std::sync::Arc;

/// The connections that subscribed to the settings of each worker.
#[derive(Debug, Default)]
pub(super) struct SettingsRooms(HashMap<WorkerKey, HashMap<u64, Arc<Connection>>>);

impl SettingsRooms {
    fn enter(&mut self, worker: WorkerKey, connection: &Arc<Connection>) {
        let members = self.0.entry(worker).or_default();
        members.insert(connection.id(), Arc::clone(connection));
    }

    fn leave(&mut self, worker: &WorkerKey, connection: &Connection) {
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

    fn members(&self, worker: &WorkerKey) -> Vec<Arc<Connection>> {
        let members = self.0.get(worker).into_iter();
        members.flat_map(HashMap::values).cloned().collect()
    }
}

/// A changed setting that is published to its audience.
#[derive(Debug)]
pub(crate) struct PublishedSetting<'a> {
    pub(crate) worker: &'a WorkerKey,
    pub(crate) field_id: &'a str,
    pub(crate) frame: Frame,
    /// True if only creators see the field.
    pub(crate) is_for_creators: bool,
}

impl Hub {
    /// Sends the snapshot, and then every change that this audience may see. A second subscription replaces the first.
    pub(crate) fn subscribe_settings(
        &self,
        connection: &Arc<Connection>,
        worker: WorkerKey,
        audience: Audience,
        snapshot: Frame,
    ) {
        self.unsubscribe_settings(connection);
        connection.outbound().push(snapshot);
        connection.set_settings(Some((worker.clone(), audience)));
        lock(&self.0.settings).enter(worker, connection);
    }

    /// Ends the subscription, if there is one.
    pub(crate) fn unsubscribe_settings(&self, connection: &Connection) {
        if let Some((worker, _)) = connection.set_settings(None) {
            lock(&self.0.settings).leave(&worker, connection);
        }
    }

    /// Sends a change to the subscribers that may see it and to the connection that made it.
    pub(crate) fn publish_setting(
        &self,
        setting: &PublishedSetting<'_>,
        sender: Option<&Connection>,
    ) {
        if let Some(sender) = sender {
            // The change is the answer to the connection's request.
            sender.outbound().push(setting.frame.clone());
        }
        for member in lock(&self.0.settings).members(setting.worker) {
            let is_sender = sender.is_some_and(|sender| sender.id() == member.id());
            let may_see =
                !setting.is_for_creators || member.settings_audience() == Audience::Creator;
            if may_see && !is_sender {
                member.tell_of_setting(setting.field_id, &setting.frame);
            }
        }
    }
}
