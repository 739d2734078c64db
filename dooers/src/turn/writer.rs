//! Writes what a turn does, and how it ends.

use super::outbox::{Draft, Outbox};
use super::runner::Runner;
use crate::AgentError;
use crate::agent::AgentDefinition;
use crate::crash;
use crate::protocol::{Run, RunStatus, timestamp};
use crate::store::{
    Claim, INTERRUPTED, Scope, StoreError, TurnChange, Written, interrupted_event, system_event,
};
use std::time::Duration;

/// What users read when a handler fails and has written nothing for them.
const FAILED_TEXT: &str = "Something went wrong while answering. Please try again.";

/// The same in a run's `error`.
const FAILED_ERROR: &str = "the agent failed";

/// How long to wait before the end of a turn is tried again that the database did not take.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How a turn ends in the record.
pub(super) enum Outcome {
    Succeeded,
    Failed(AgentError),
    Cancelled,
    /// The server stops, and it took too long.
    Interrupted,
}

impl Outcome {
    pub(super) fn of(result: Result<(), AgentError>) -> Self {
        match result {
            Ok(()) => Self::Succeeded,
            Err(error) => Self::Failed(error),
        }
    }
}

/// Writes what one turn does.
pub(super) struct TurnWriter<'a> {
    pub(super) runner: &'a Runner,
    pub(super) agent: &'a AgentDefinition,
    pub(super) scope: Scope,
    pub(super) claim: &'a Claim,
}

impl TurnWriter<'_> {
    /// Writes what the handler sent, and tells it.
    pub(super) async fn write(&self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        let changes = self.changes_of(drafts);
        let store = &self.runner.store;
        let _writing = self.runner.hub.writing(&self.claim.key.thread_id);
        let changes = store
            .write_turn(&self.scope, &self.claim.key, changes)
            .await?;
        self.runner.hub.publish(changes);
        Ok(())
    }

    /// Writes the last of the turn, and its end. The result is the thread's next turn.
    pub(super) async fn finish(&self, outbox: &Outbox, outcome: Outcome) -> Option<Claim> {
        let (pending, open_run) = outbox.close();
        let (drafts, waiting): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .map(|pending| (pending.draft, pending.stored))
            .unzip();
        let mut changes = self.changes_of(drafts);
        changes.extend(self.end_of(&outcome, open_run));
        let _writing = self.runner.hub.writing(&self.claim.key.thread_id);
        crash::point("before-run-end");
        let written = loop {
            let start = self.runner.start_of(self.agent);
            let next = (!self.runner.draining.is_cancelled()).then_some(&start);
            let store = &self.runner.store;
            match store
                .finish_turn(&self.scope, &self.claim.key, changes.clone(), next)
                .await
            {
                Ok(written) => break written,
                Err(error @ StoreError::Failed { .. }) => {
                    // The message is acked, so its turn must end in the record; the thread waits for that.
                    tracing::error!(target: "dooers::turn", error = &error as &dyn std::error::Error, "the end of a turn could not be stored; trying again");
                    tokio::select! {
                        () = tokio::time::sleep(RETRY_AFTER) => {}
                        () = self.runner.stopped.cancelled() => return None,
                    }
                }
                // The turn was deleted with its thread, or taken over.
                Err(_) => return None,
            }
        };
        let Written { changes, next } = written;
        self.runner.hub.publish(changes);
        for stored in waiting {
            // Who sent it need not wait for it.
            let _ = stored.send(Ok(()));
        }
        next
    }

    /// The events and changes that the handler's drafts stand for.
    fn changes_of(&self, drafts: Vec<Draft>) -> Vec<TurnChange> {
        let at = timestamp::now();
        let assistant = &self.runner.assistant_name;
        let thread_id = &self.claim.key.thread_id;
        drafts
            .into_iter()
            .map(|draft| draft.into_change(thread_id, self.agent.name(), assistant, at))
            .collect()
    }

    /// How the turn ends: what users read of a failure, the thread's new `last_event_at`, the end of the run.
    fn end_of(&self, outcome: &Outcome, open_run: Option<String>) -> Vec<TurnChange> {
        let at = timestamp::now();
        let thread_id = &self.claim.key.thread_id;
        let mut changes = Vec::new();
        let mut error_text = None;
        if let Outcome::Failed(error) = outcome {
            tracing::error!(target: "dooers::turn", agent = self.agent.name(), event_id = %self.claim.event.id, "the handler failed: {error}");
            let text = error.public_text().unwrap_or(FAILED_TEXT);
            let event = system_event(thread_id, open_run.clone(), text, at);
            changes.push(TurnChange::Event(Box::new(event)));
            error_text = Some(error.public_text().unwrap_or(FAILED_ERROR).to_owned());
        }
        if let Outcome::Interrupted = outcome {
            let event = interrupted_event(thread_id, open_run.clone(), at);
            changes.push(TurnChange::Event(Box::new(event)));
            error_text = Some(INTERRUPTED.to_owned());
        }
        changes.push(TurnChange::Touch(at));
        if let Some(id) = open_run {
            changes.push(TurnChange::Run(Run {
                id,
                thread_id: thread_id.clone(),
                agent_id: Some(self.agent.name().to_owned()),
                status: match outcome {
                    Outcome::Succeeded => RunStatus::Succeeded,
                    Outcome::Failed(_) | Outcome::Interrupted => RunStatus::Failed,
                    Outcome::Cancelled => RunStatus::Canceled,
                },
                started_at: at,
                ended_at: Some(at),
                error: error_text,
            }));
        }
        changes
    }
}
