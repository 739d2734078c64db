//! Writes what a turn does, and how it ends.

use super::draft::{Draft, join_whole_texts};
use super::outbox::{Outbox, Piece, Rest, StoredSender};
use super::outcome::Outcome;
use super::runner::{Next, RETRY_AFTER, Runner};
use crate::agent::AgentDefinition;
use crate::crash;
use crate::hub::GrowingText;
use crate::protocol::{Run, RunStatus, ThreadEvent, cleaned, timestamp};
use crate::store::{
    Change, ChangeBody, Claim, INTERRUPTED, Scope, StoreError, TurnChange, Written,
    interrupted_event, system_event,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What users read when a handler fails and has written nothing for them.
const FAILED_TEXT: &str = "Something went wrong while answering. Please try again.";

/// The same in a run's `error`.
const FAILED_ERROR: &str = "the agent failed";

/// What users read when an answer takes longer than its agent allows.
const TIMED_OUT_TEXT: &str = "The answer took too long and was stopped. Please try again.";

/// The same in a run's `error`.
const TIMED_OUT_ERROR: &str = "timed out";

/// Writes what one turn does.
pub(super) struct TurnWriter<'a> {
    runner: &'a Runner,
    agent: &'a AgentDefinition,
    scope: Scope,
    claim: &'a Claim,
    outbox: &'a Outbox,
    /// The texts that are told, by their events.
    texts: Mutex<HashMap<String, ToldText>>,
}

/// A text that is told.
struct ToldText {
    growing: GrowingText,
    /// The number of its next piece when it was stored last.
    stored: u64,
}

impl<'a> TurnWriter<'a> {
    pub(super) fn new(
        runner: &'a Runner,
        agent: &'a AgentDefinition,
        claim: &'a Claim,
        outbox: &'a Outbox,
    ) -> Self {
        Self {
            runner,
            agent,
            scope: claim.thread.scope(),
            claim,
            outbox,
            texts: Mutex::default(),
        }
    }

    /// Writes what the handler sent, and publishes it. While the database is not available, this waits.
    pub(super) async fn write(&self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        let changes = self.changes_of(drafts);
        let ended: Vec<_> = changes.iter().filter_map(ended_text).collect();
        for id in &ended {
            // Before it is stored: who has read the end is told nothing of what came before it.
            self.texts().remove(id);
        }
        let (store, key) = (&self.runner.store, &self.claim.key);
        let (_writing, changes) = loop {
            let writing = self.runner.hub.writing(&key.thread_id);
            match store.write_turn(&self.scope, key, changes.clone()).await {
                Err(error @ StoreError::Unavailable { .. }) => {
                    drop(writing);
                    tracing::warn!(target: "dooers::turn", error = &error as &dyn std::error::Error, "what a handler sent could not be stored; trying again");
                    if !self.may_try_again().await {
                        return Err(error);
                    }
                }
                written => break (writing, written?),
            }
        };
        let begun: Vec<_> = changes.iter().filter_map(begun_text).collect();
        self.runner.hub.publish(changes);
        for (event, rev) in begun {
            let id = event.id.clone();
            let growing = self.runner.hub.grow(event, rev);
            self.texts()
                .insert(id.clone(), ToldText { growing, stored: 0 });
            self.outbox.tell_text(&id);
        }
        for id in ended {
            self.outbox.forget_text(&id);
        }
        Ok(())
    }

    /// Tells what came to texts that grow.
    pub(super) fn tell(&self, pieces: Vec<Piece>) {
        let texts = self.texts();
        for piece in pieces {
            if let Some(text) = texts.get(&piece.event_id) {
                text.growing.push(&piece.text);
            }
        }
    }

    /// Stores how far the texts have grown. If the database fails it is done the next time.
    pub(super) async fn write_texts(&self) -> Result<(), StoreError> {
        let grown = self.grown_texts();
        if grown.is_empty() {
            return Ok(());
        }
        let store = &self.runner.store;
        match store.write_turn(&self.scope, &self.claim.key, grown).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_of_the_database() => {
                tracing::warn!(target: "dooers::turn", error = &error as &dyn std::error::Error, "how far a text has grown could not be stored");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn grown_texts(&self) -> Vec<TurnChange> {
        let mut grown = Vec::new();
        for (event_id, text) in self.texts().iter_mut() {
            let (whole, delta_seq) = text.growing.told();
            if delta_seq > text.stored {
                text.stored = delta_seq;
                grown.push(TurnChange::Text {
                    event_id: event_id.clone(),
                    text: whole,
                    delta_seq,
                });
            }
        }
        grown
    }

    fn texts(&self) -> MutexGuard<'_, HashMap<String, ToldText>> {
        // Nothing panics while the lock is held.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the last of the turn, and its end. The result is the thread's next turn.
    pub(super) async fn finish(&self, outcome: Outcome) -> Option<Claim> {
        let (mut changes, waiting, run_id) = self.rest();
        changes.extend(self.end_of(&outcome, run_id));
        let _writing = self.runner.hub.writing(&self.claim.key.thread_id);
        crash::point("before-run-end");
        let finish = || {
            let (runner, changes) = (self.runner, changes.clone());
            let finished = async move {
                let start = runner.start_of(self.agent);
                let next = (!runner.draining.is_cancelled()).then_some(&start);
                let store = &runner.store;
                store
                    .finish_turn(&self.scope, &self.claim.key, changes, next)
                    .await
            };
            finished.boxed()
        };
        let Written { changes, next } = self.until_stored(finish).await?;
        let last_rev = changes.last().map_or(0, |change| change.rev);
        let event_id = &self.claim.key.event_id;
        self.runner.endings.tell(event_id, outcome, last_rev);
        self.runner.hub.publish(changes);
        answer(waiting);
        next
    }

    /// Writes the last of an attempt, and lets the turn wait for the next one.
    pub(super) async fn give_back(&self, outcome: &Outcome, delay: Duration) -> Next {
        if let Outcome::Failed(error) = outcome {
            tracing::warn!(target: "dooers::turn", agent = self.agent.name(), event_id = %self.claim.event.id, attempt = self.claim.attempt, "the handler failed and is tried again: {error}");
        }
        let (mut changes, waiting, run_id) = self.rest();
        if self.agent.has_manual_runs() {
            // The next attempt starts its own.
            let run = run_id.map(|id| self.run_ended(id, RunStatus::Failed, Some(FAILED_ERROR)));
            changes.extend(run.map(TurnChange::Run));
        }
        let not_before = timestamp::now() + delay;
        let _writing = self.runner.hub.writing(&self.claim.key.thread_id);
        let give_back = || {
            let (store, changes) = (&self.runner.store, changes.clone());
            store.retry_turn(&self.scope, &self.claim.key, changes, not_before)
        };
        let Some(retried) = self.until_stored(give_back).await else {
            return Next::Nothing;
        };
        if retried.is_cancelled {
            // The others of the thread need not wait for it.
            self.runner.publish_withdrawn(retried.changes);
            answer(waiting);
            return Next::NotBefore(timestamp::now());
        }
        self.runner.hub.publish(retried.changes);
        answer(waiting);
        Next::NotBefore(not_before)
    }

    /// What the handler left: the changes that are not written, who waits for that, and its open run. From now on it
    /// can send nothing more.
    fn rest(&self) -> (Vec<TurnChange>, Vec<StoredSender>, Option<String>) {
        let Rest {
            drafts,
            waiting,
            pieces,
            run_id,
        } = self.outbox.close();
        self.tell(pieces);
        self.texts().clear();
        (self.changes_of(drafts), waiting, run_id)
    }

    /// Does something until the database takes it. None if the turn is no longer this process's.
    async fn until_stored<'s, T>(
        &'s self,
        act: impl Fn() -> BoxFuture<'s, Result<T, StoreError>>,
    ) -> Option<T> {
        loop {
            match act().await {
                Ok(stored) => return Some(stored),
                Err(error) if error.is_of_the_database() => {
                    // The message is acked, so its turn must end in the record; the thread waits for that.
                    tracing::error!(target: "dooers::turn", error = &error as &dyn std::error::Error, "the end of a turn could not be stored; trying again");
                    if !self.may_try_again().await {
                        return None;
                    }
                }
                // The turn was deleted with its thread, or taken over.
                Err(_) => return None,
            }
        }
    }

    /// Pauses before the database is asked again. The result is `false` if the server has stopped.
    async fn may_try_again(&self) -> bool {
        tokio::select! {
            () = tokio::time::sleep(RETRY_AFTER) => true,
            () = self.runner.stopped.cancelled() => false,
        }
    }

    /// The events and changes that the handler's drafts stand for.
    fn changes_of(&self, drafts: Vec<Draft>) -> Vec<TurnChange> {
        let at = timestamp::now();
        let assistant = &self.runner.assistant_name;
        let thread_id = &self.claim.key.thread_id;
        join_whole_texts(drafts)
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
            let public = error.public_text().map(|text| cleaned(text.to_owned()));
            let text = public.as_deref().unwrap_or(FAILED_TEXT);
            let event = system_event(thread_id, open_run.clone(), text, at);
            changes.push(TurnChange::Event(Box::new(event)));
            error_text = Some(public.unwrap_or_else(|| FAILED_ERROR.to_owned()));
        }
        if let Outcome::TimedOut = outcome {
            tracing::warn!(target: "dooers::turn", agent = self.agent.name(), event_id = %self.claim.event.id, "the handler took too long");
            let event = system_event(thread_id, open_run.clone(), TIMED_OUT_TEXT, at);
            changes.push(TurnChange::Event(Box::new(event)));
            error_text = Some(TIMED_OUT_ERROR.to_owned());
        }
        if let Outcome::Interrupted = outcome {
            let event = interrupted_event(thread_id, open_run.clone(), at);
            changes.push(TurnChange::Event(Box::new(event)));
            error_text = Some(INTERRUPTED.to_owned());
        }
        changes.push(TurnChange::Touch(at));
        if let Some(id) = open_run {
            let status = match outcome {
                Outcome::Succeeded => RunStatus::Succeeded,
                Outcome::Failed(_) | Outcome::TimedOut | Outcome::Interrupted => RunStatus::Failed,
                Outcome::Cancelled => RunStatus::Canceled,
            };
            let run = self.run_ended(id, status, error_text.as_deref());
            changes.push(TurnChange::Run(run));
        }
        changes
    }

    /// The end of a run, now. The store knows when it began.
    fn run_ended(&self, id: String, status: RunStatus, error: Option<&str>) -> Run {
        let at = timestamp::now();
        Run {
            id,
            thread_id: self.claim.key.thread_id.clone(),
            event_id: Some(self.claim.key.event_id.clone()),
            agent_id: Some(self.agent.name().to_owned()),
            status,
            started_at: at,
            ended_at: Some(at),
            error: error.map(str::to_owned),
        }
    }
}

/// The event of a text that begins to grow, and the number of the change.
fn begun_text(change: &Change) -> Option<(ThreadEvent, u64)> {
    match &change.body {
        ChangeBody::Event(event) if event.streaming == Some(true) => {
            Some(((**event).clone(), change.rev))
        }
        _ => None,
    }
}

/// The event of a text that grows no more.
fn ended_text(change: &TurnChange) -> Option<String> {
    match change {
        TurnChange::Finalize { event_id, .. } => Some(event_id.clone()),
        TurnChange::Event(event) if event.finalized == Some(true) => Some(event.id.clone()),
        _ => None,
    }
}

/// Tells all who wait that it is stored. Who sent something need not wait for it.
fn answer(waiting: Vec<StoredSender>) {
    for stored in waiting {
        let _ = stored.send(Ok(()));
    }
}
