//! Subscriptions to settings.

use super::Hub;
use super::connection::Connection;
use super::frame::Frame;
use super::lock::lock;
use crate::protocol::Audience;
use crate::store::WorkerKey;
use std::sync::Arc;

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

    /// Returns true if a connection is subscribed to the settings of this worker.
    pub(crate) fn has_settings_subscribers(&self, worker: &WorkerKey) -> bool {
        lock(&self.0.settings).has_members(worker)
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
            let may_see = member.sees_setting(setting.worker, setting.is_for_creators);
            if may_see && !is_sender {
                member.notify_setting(setting.field_id, &setting.frame);
            }
        }
    }
}
