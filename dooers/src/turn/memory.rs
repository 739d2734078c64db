//! What a turn remembers of its thread.

use super::{Outbox, WorkerRequest};
use crate::history::{MemoryError, OwnRuns, WorkerMemory};
use crate::store::{Claim, Scope, Store};
use std::sync::Arc;

/// Where the memory of a turn comes from.
#[derive(Debug, Clone)]
pub(crate) enum TurnMemory {
    /// In a unit test: nothing but the request …
    Request,
    /// … or what the test says.
    Given(WorkerMemory),
    Stored {
        store: Arc<dyn Store>,
        scope: Scope,
        thread_id: String,
        /// The place of the message.
        message: u64,
        /// Its runs, if it runs beside other turns of its thread.
        own_runs: Option<Arc<dyn OwnRuns>>,
    },
}

impl TurnMemory {
    /// The memory of a claimed turn; with its outbox, if it runs beside other turns of its thread.
    pub(super) fn of_claim(
        store: Arc<dyn Store>,
        claim: &Claim,
        beside_others: Option<Arc<Outbox>>,
    ) -> Self {
        Self::Stored {
            store,
            scope: claim.thread.scope(),
            thread_id: claim.key.thread_id.clone(),
            message: claim.event.seq,
            own_runs: beside_others.map(|outbox| outbox as Arc<dyn OwnRuns>),
        }
    }

    /// Begins to remember: what is stored until now was there before the turn.
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
                own_runs,
            } => WorkerMemory::of_turn(store, scope, thread_id, message, own_runs).await,
        }
    }
}

impl OwnRuns for Outbox {
    fn run_ids(&self) -> Vec<String> {
        self.runs()
    }
}
