//! A user message while its handler answers it.

#[cfg(feature = "tools")]
use super::call_ids::{CallIds, IdsGuard};
use super::{TurnMemory, WorkerRequest, WorkerResponse, state::States};
#[cfg(feature = "tools")]
use crate::AgentError;
use crate::history::{MemoryError, WorkerMemory};
use crate::settings::{LiveSettings, Settings, SettingsError, SettingsValues, WorkerSettings};
use crate::store::WorkerKey;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A user message while it is answered. All arguments of a handler are created from it.
///
/// A clone is the same turn.
#[derive(Debug, Clone)]
pub struct Turn {
    request: WorkerRequest,
    response: WorkerResponse,
    /// `None` in a unit test.
    settings: Option<WorkerSettingsHandle>,
    memory: TurnMemory,
    states: Arc<States>,
    cancellation: CancellationToken,
    #[cfg(feature = "tools")]
    call_ids: Arc<CallIds>,
}

/// The settings of a turn's worker, independent of their type.
#[derive(Debug, Clone)]
pub(crate) struct WorkerSettingsHandle {
    pub(crate) live: Arc<LiveSettings>,
    pub(crate) worker: WorkerKey,
}

impl Turn {
    /// Creates a turn that answers `request` and sends to `response`. Its settings are the defaults, and its memory
    /// contains only the request.
    #[must_use]
    pub fn new(request: WorkerRequest, response: WorkerResponse) -> Self {
        Self {
            request,
            response,
            settings: None,
            memory: TurnMemory::Request,
            states: Arc::default(),
            cancellation: CancellationToken::new(),
            #[cfg(feature = "tools")]
            call_ids: Arc::default(),
        }
    }

    /// Adds state of the program, for unit tests.
    #[must_use]
    pub fn with_state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        Arc::make_mut(&mut self.states).insert(state);
        self
    }

    /// Sets the memory, for unit tests.
    #[must_use]
    pub fn with_memory(mut self, memory: WorkerMemory) -> Self {
        self.memory = TurnMemory::Given(memory);
        self
    }

    /// Adds the parts that a server provides.
    pub(crate) fn within(
        mut self,
        settings: WorkerSettingsHandle,
        memory: TurnMemory,
        states: Arc<States>,
        cancellation: CancellationToken,
    ) -> Self {
        self.settings = Some(settings);
        self.memory = memory;
        self.states = states;
        self.cancellation = cancellation;
        self
    }

    /// The state of this type that the program passed to the server.
    #[must_use]
    pub fn state<S: Clone + 'static>(&self) -> Option<S> {
        self.states.get()
    }

    /// The ids of the tool calls that are used in the thread.
    #[cfg(feature = "tools")]
    pub(crate) async fn call_ids(&self) -> Result<IdsGuard<'_>, AgentError> {
        self.call_ids.used(self.memory()).await
    }

    /// The worker and the agent of the turn. `None` in a unit test.
    pub(crate) fn worker(&self) -> Option<&WorkerKey> {
        self.settings.as_ref().map(|settings| &settings.worker)
    }

    /// Fires when the turn is cancelled.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// The message of the user.
    #[must_use]
    pub fn request(&self) -> &WorkerRequest {
        &self.request
    }

    /// The response, which sends events to the thread.
    #[must_use]
    pub fn response(&self) -> &WorkerResponse {
        &self.response
    }

    /// The memory of the turn: earlier messages of the thread, and the events that the turn itself sent.
    ///
    /// # Errors
    ///
    /// [`MemoryError`] if the thread was deleted or the database fails.
    pub async fn memory(&self) -> Result<WorkerMemory, MemoryError> {
        self.memory.open(&self.request).await
    }

    /// Reads the current settings.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the database fails or a secret cannot be decrypted.
    pub async fn settings<T: WorkerSettings>(&self) -> Result<T, SettingsError> {
        match &self.settings {
            Some(handle) => {
                let current = handle.live.current(&handle.worker).await?;
                Ok(T::from_values(&current.values))
            }
            None => Ok(T::default()),
        }
    }

    pub(crate) fn live_settings<T: WorkerSettings>(&self) -> Settings<T> {
        match self.settings.clone() {
            Some(handle) => Settings::new(handle.live, handle.worker),
            None => Settings::detached(),
        }
    }

    pub(crate) async fn settings_values(&self) -> Result<SettingsValues, SettingsError> {
        match &self.settings {
            Some(handle) => handle.live.values(&handle.worker).await,
            None => Ok(SettingsValues::default()),
        }
    }
}
