//! One user message being answered.

mod active;
mod draft;
mod driver;
mod form_answers;
mod memory;
mod outbox;
mod outcome;
mod poll_time;
mod publisher;
mod recorder;
mod request;
mod response;
mod runner;
mod secrets;
#[cfg(test)]
mod tests;
mod text;
mod title;
mod writer;

pub use recorder::Recorder;
pub use request::{FormResponse, WorkerRequest};
pub use response::{Sent, WorkerResponse};
pub use text::TextStream;
pub use title::title_from;

pub(crate) use memory::TurnMemory;
pub(crate) use outbox::Outbox;
#[cfg(feature = "testing")]
pub(crate) use outcome::EndedTurns;
pub(crate) use outcome::{Ended, Ending, Outcome};
pub(crate) use runner::Runner;
pub(crate) use secrets::AnswerKeys;

use crate::AgentError;
use crate::history::{MemoryError, WorkerMemory};
use crate::settings::{LiveSettings, Settings, SettingsValues, WorkerSettings};
use crate::state::States;
use crate::store::WorkerKey;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// One user message being answered: what every argument of the handler is made from.
///
/// A clone is the same turn.
#[derive(Debug, Clone)]
pub struct Turn {
    request: WorkerRequest,
    response: WorkerResponse,
    /// None in a unit test.
    settings: Option<WorkerSettingsHandle>,
    memory: TurnMemory,
    states: Arc<States>,
    cancellation: CancellationToken,
}

/// The settings of a turn's worker, whatever their type.
#[derive(Debug, Clone)]
pub(crate) struct WorkerSettingsHandle {
    pub(crate) live: Arc<LiveSettings>,
    pub(crate) worker: WorkerKey,
}

impl Turn {
    /// A turn of this request, whose answer goes to this response. Its settings are the defaults, and it remembers nothing
    /// but the request.
    #[must_use]
    pub fn new(request: WorkerRequest, response: WorkerResponse) -> Self {
        Self {
            request,
            response,
            settings: None,
            memory: TurnMemory::Request,
            states: Arc::default(),
            cancellation: CancellationToken::new(),
        }
    }

    /// The same turn of a program that has this state: for a unit test.
    #[must_use]
    pub fn with_state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        Arc::make_mut(&mut self.states).insert(state);
        self
    }

    /// The same turn with this memory: for a unit test.
    #[must_use]
    pub fn with_memory(mut self, memory: WorkerMemory) -> Self {
        self.memory = TurnMemory::Given(memory);
        self
    }

    /// The same turn within a server.
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

    /// What the program gave the server of this type.
    #[must_use]
    pub fn state<S: Clone + 'static>(&self) -> Option<S> {
        self.states.get()
    }

    /// Fires when the turn is cancelled.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// What the user sent.
    #[must_use]
    pub fn request(&self) -> &WorkerRequest {
        &self.request
    }

    /// Where the answer goes.
    #[must_use]
    pub fn response(&self) -> &WorkerResponse {
        &self.response
    }

    /// What was said in the thread before, and what the turn has said itself.
    ///
    /// # Errors
    ///
    /// [`MemoryError`], if the thread was deleted or the database fails.
    pub async fn memory(&self) -> Result<WorkerMemory, MemoryError> {
        self.memory.open(&self.request).await
    }

    /// The settings of the moment.
    ///
    /// # Errors
    ///
    /// [`AgentError`], if the database fails or a secret does not open.
    pub async fn settings<T: WorkerSettings>(&self) -> Result<T, AgentError> {
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

    pub(crate) async fn settings_values(&self) -> Result<SettingsValues, AgentError> {
        match &self.settings {
            Some(handle) => Ok(handle.live.values(&handle.worker).await?),
            None => Ok(SettingsValues::default()),
        }
    }
}
