//! Settings in the hands of the program, by the ids of their fields.

use super::{Repository, RepositoryError};
use crate::settings::{PatchError, SettingsError, SettingsValues};
use crate::store::{Scope, WorkerKey};
use serde_json::Value;
use std::sync::Arc;

/// Settings, which are those of the scope's agent and worker, whoever the scope is of. With a type of their own
/// [`WorkerServer::settings`](crate::WorkerServer::settings) gives them.
impl Repository {
    /// The values of all settings, secrets too: what was set, or else the default, or else `null`.
    ///
    /// # Errors
    ///
    /// `Settings`, if the agent has none, or a secret does not open.
    pub async fn settings(&self, scope: &Scope) -> Result<SettingsValues, RepositoryError> {
        Ok(self.running.settings.values(&worker(scope)).await?)
    }

    /// The value of one setting, secret or not.
    ///
    /// # Errors
    ///
    /// As [`settings`](Self::settings), and for a setting that is not there.
    pub async fn setting(&self, scope: &Scope, field_id: &str) -> Result<Value, RepositoryError> {
        let mut values = self.settings(scope).await?;
        let value = values.remove(field_id);
        value.ok_or_else(|| SettingsError::from(PatchError::NotFound(field_id.to_owned())).into())
    }

    /// Sets a setting. The value is checked as a client's is, stored, and shown to all who see the field. `null` restores
    /// the default, or clears a field without one, and is refused for a field that is `required`.
    ///
    /// An equal value is not a change: nothing is stored and nobody is notified. A stored secret is the exception. It is
    /// stored again, sealed with the newest key, and still nobody is notified.
    ///
    /// # Errors
    ///
    /// `Settings`, for a field that is not there or is readonly, or a value that it does not take.
    pub async fn set_setting(
        &self,
        scope: &Scope,
        field_id: &str,
        value: impl Into<Value>,
    ) -> Result<(), RepositoryError> {
        let (settings, worker) = (Arc::clone(&self.running.settings), worker(scope));
        let (field_id, value) = (field_id.to_owned(), value.into());
        let set = async move { settings.set(&worker, &field_id, value).await };
        Ok(self.running.to_the_end(set).await?)
    }

    /// Sets a setting back to its default, which is shown to all who see the field.
    ///
    /// # Errors
    ///
    /// `Settings`, for a field that is not there or is readonly.
    pub async fn remove_setting(
        &self,
        scope: &Scope,
        field_id: &str,
    ) -> Result<(), RepositoryError> {
        let (settings, worker) = (Arc::clone(&self.running.settings), worker(scope));
        let field_id = field_id.to_owned();
        let remove = async move { settings.remove(&worker, &field_id).await };
        Ok(self.running.to_the_end(remove).await?)
    }
}

fn worker(scope: &Scope) -> WorkerKey {
    WorkerKey {
        agent: scope.agent.clone(),
        worker_id: scope.worker_id.clone(),
    }
}
