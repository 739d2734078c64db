//! The settings of a [`Repository`], by the ids of their fields.

use super::{Repository, RepositoryError};
use crate::settings::{PatchError, SettingsError, SettingsValues};
use crate::store::{Scope, WorkerKey};
use serde_json::Value;
use std::sync::Arc;

/// Methods for the settings of the scope's agent and worker. The user of the scope does not matter.
/// [`WorkerServer::settings`](crate::WorkerServer::settings) returns settings with their own type.
impl Repository {
    /// Reads the values of all settings, including secrets. A setting that was not set has its default, or `null`.
    ///
    /// # Errors
    ///
    /// `Settings`, if the agent has no settings, or if a secret cannot be opened.
    pub async fn settings(&self, scope: &Scope) -> Result<SettingsValues, RepositoryError> {
        let place = self.place(scope);
        let (server, scope) = place.open()?;
        Ok(server.settings.values(&worker(scope)).await?)
    }

    /// Reads the value of one setting, which may be a secret.
    ///
    /// # Errors
    ///
    /// The same as [`settings`](Self::settings), and `Settings` for a field that does not exist.
    pub async fn setting(&self, scope: &Scope, field_id: &str) -> Result<Value, RepositoryError> {
        let mut values = self.settings(scope).await?;
        let value = values.remove(field_id);
        value.ok_or_else(|| SettingsError::from(PatchError::NotFound(field_id.to_owned())).into())
    }

    /// Sets a setting. The value is checked like a client's value, stored, and published to all clients that see the
    /// field. `null` restores the default, or clears a field without one, and is refused for a field that is
    /// `required`.
    ///
    /// An equal value is not a change: nothing is stored or published. A stored secret is the exception. It is stored
    /// again, sealed with the newest key, but not published.
    ///
    /// # Errors
    ///
    /// `Settings`, for a field that does not exist or is read-only, or for a value that the field does not accept.
    pub async fn set_setting(
        &self,
        scope: &Scope,
        field_id: &str,
        value: impl Into<Value>,
    ) -> Result<(), RepositoryError> {
        let place = self.place(scope);
        let (server, scope) = place.open()?;
        let (settings, worker) = (Arc::clone(&server.settings), worker(scope));
        let (field_id, value) = (field_id.to_owned(), value.into());
        let set = async move { settings.set(&worker, &field_id, value).await };
        Ok(server.run_detached(set).await?)
    }

    /// Resets a setting to its default, and publishes it to all clients that see the field.
    ///
    /// # Errors
    ///
    /// `Settings`, for a field that does not exist or is read-only.
    pub async fn remove_setting(
        &self,
        scope: &Scope,
        field_id: &str,
    ) -> Result<(), RepositoryError> {
        let place = self.place(scope);
        let (server, scope) = place.open()?;
        let (settings, worker) = (Arc::clone(&server.settings), worker(scope));
        let field_id = field_id.to_owned();
        let remove = async move { settings.remove(&worker, &field_id).await };
        Ok(server.run_detached(remove).await?)
    }
}

fn worker(scope: &Scope) -> WorkerKey {
    WorkerKey {
        agent: scope.agent.clone(),
        worker_id: scope.worker_id.clone(),
    }
}
