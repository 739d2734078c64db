//! The memory of a turn.

use super::{Outbox, WorkerRequest};
use crate::history::{MemoryError, OwnAnswers, OwnEvents, OwnRuns, WorkerMemory};
use crate::store::{Claim, Scope, Store};
use std::sync::Arc;

/// The source of a turn's memory.
#[derive(Debug, Clone)]
pub(crate) enum TurnMemory {
    /// Only the request itself, in a unit test.
    Request,
    /// The memory that a unit test passes.
    Given(WorkerMemory),
    Stored {
        store: Arc<dyn Store>,
        scope: Scope,
        thread_id: String,
        /// The position of the message.
        message: u64,
        own: OwnEvents,
    },
}

impl TurnMemory {
    /// Creates the memory of a claimed turn with this outbox. `is_concurrent` is true if the turn runs concurrently with other
    /// turns of its thread.
    pub(crate) fn of_claim(
        store: Arc<dyn Store>,
        claim: &Claim,
        outbox: &Arc<Outbox>,
        is_concurrent: bool,
    ) -> Self {
        let outbox = || Arc::clone(outbox);
        Self::Stored {
            store,
            scope: claim.thread.scope(),
            thread_id: claim.key.thread_id.clone(),
            message: claim.event.seq,
            own: OwnEvents {
                runs: is_concurrent.then(|| outbox() as Arc<dyn OwnRuns>),
                answers: Some(outbox()),
            },
        }
    }

    /// Opens the memory. Events that are stored at this time count as earlier than the turn.
    pub(super) async fn open(&self, request: &WorkerRequest) -> Result<WorkerMemory, MemoryError> {
        match self.clone() {
            Self::Request => {
                let memory = WorkerMemory::of([request.clone().into()]);
                Ok(memory.in_thread(request.thread.clone()))
            }
            Self::Given(memory) => Ok(memory),
            Self::Stored {
                store,
                scope,
                thread_id,
                message,
                own,
            } => WorkerMemory::of_turn(store, scope, thread_id, message, own).await,
        }
    }
}

impl OwnRuns for Outbox {
    fn run_ids(&self) -> Vec<String> {
        self.runs()
    }
}

impl OwnAnswers for Outbox {
    fn positions(&self) -> Vec<u64> {
        self.questions().answers()
    }
}
