//! The facts about one request that its events do not contain.

use crate::model::ModelError;
use async_openai::error::OpenAIError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The facts about one request that its events do not contain: `async-openai` reports an error of a stream as a text, and does
/// not report that it has read `[DONE]`.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    failure: Mutex<Option<ModelError>>,
    is_done: AtomicBool,
}

impl Exchange {
    /// Notes why the answer broke off.
    pub(super) fn fail(&self, error: ModelError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }

    /// Notes that the server has sent `[DONE]`.
    pub(super) fn finish(&self) {
        self.is_done.store(true, Ordering::Relaxed);
    }

    /// Returns true if the server has sent `[DONE]`.
    pub(super) fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Relaxed)
    }

    /// Converts an error of `async-openai`. Its texts may contain whole answers, so they are not used.
    pub(super) fn error(&self, error: OpenAIError) -> ModelError {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = failure.take() {
            return failure;
        }
        match error {
            OpenAIError::Boxed(error) => match error.downcast::<ModelError>() {
                Ok(error) => *error,
                Err(_) => ModelError::new("the request failed"),
            },
            OpenAIError::JSONDeserialize(error, _) => {
                ModelError::new("the model's server sent an event that is not JSON")
                    .with_source(error)
            }
            OpenAIError::StreamError(_) => {
                ModelError::retryable("the stream of the model's server is broken")
            }
            _ => ModelError::new("the request to the model's server cannot be made"),
        }
    }
}
