//! The writer of a turn's changes and of its end.

use super::attempt::ObservedAttempt;
use super::context::{RETRY_AFTER, TurnContext};
use super::next::Next;
use super::outcome::TurnOutcome;
use super::published_text::PublishedText;
use super::publisher::{Committed, NotCommitted};
use super::written::{Witness, asked_form, begun_text, closed_form, ended_text, expired_form};
use crate::broker::TextPiece;
use crate::crash;
use crate::handler::{
    AgentDefinition, Draft, FormReply, Outbox, Rest, StoredSender, join_whole_texts,
};
use crate::protocol::{AnalyticsEvent, EventType, Run, RunStatus, ThreadEvent, cleaned, timestamp};
use crate::store::{
    Change, Claim, FinishOutcome, INTERRUPTED, Retried, Scope, StoreError, TIMED_OUT, TurnChange,
    failure_event, interrupted_event, system_event,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The message to users if a handler fails without an error text for them.
const FAILED_TEXT: &str = "Something went wrong while answering. Please try again.";

/// The `error` of the run if a handler fails without an error text for users.
const FAILED_ERROR: &str = "the agent failed";

/// The message to users if a turn takes longer than its agent allows.
const TIMED_OUT_TEXT: &str = "The answer took too long and was stopped. Please try again.";

/// Stores and publishes the changes of one turn.
pub(super) struct TurnWriter<'a> {
    pub(super) context: &'a TurnContext,
    agent: &'a AgentDefinition,
    pub(super) scope: Scope,
    pub(super) claim: &'a Claim,
    outbox: &'a Outbox,
    /// The texts that are being streamed, by their event ids.
    pub(super) texts: Mutex<HashMap<String, PublishedText>>,
}

/// The remains of an attempt, which are written with its end.
struct Remains {
    /// The changes that were not written, and the tracked events.
    changes: Vec<TurnChange>,
    /// The senders to notify.
    waiting: Vec<StoredSender>,
    /// The run that is still open.
    run_id: Option<String>,
    tracked: Vec<AnalyticsEvent>,
}

/// The result of storing changes of a handler.
enum Stored {
    /// This attempt stored the changes.
    Now(Vec<Change>),
    /// An earlier attempt had stored the changes. These are their events whose texts are being streamed.
    Before(Vec<ThreadEvent>),
}

/// An operation that was given up.
struct GivenUp {
    /// True if an attempt may have been stored, because its answer was lost.
    may_be_stored: bool,
}

impl NotCommitted for GivenUp {
    fn may_be_stored(&self) -> bool {
        self.may_be_stored
    }
}

impl Committed for Stored {
    fn take_changes(&mut self) -> Vec<Change> {
        match self {
            Self::Now(changes) => std::mem::take(changes),
            Self::Before(_) => Vec::new(),
        }
    }
}

impl<'a> TurnWriter<'a> {
    pub(super) fn new(
        context: &'a TurnContext,
        agent: &'a AgentDefinition,
        claim: &'a Claim,
        outbox: &'a Outbox,
    ) -> Self {
        Self {
            context,
            agent,
            scope: claim.thread.scope(),
            claim,
            outbox,
            texts: Mutex::default(),
        }
    }

    /// Stores drafts of the handler and publishes them. Waits while the database is not available.
    pub(super) async fn write(&self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        let changes = self.changes_of(drafts);
        let ended: Vec<_> = changes.iter().filter_map(ended_text).collect();
        for id in &ended {
            // The text is removed before its end is stored, so that a client that has read the end receives no older
            // pieces.
            self.texts().remove(id);
        }
        let write = self.until_written(&changes);
        let mut begun = Vec::new();
        let mut closed = Vec::new();
        let find_begun = |stored: &mut Stored| match stored {
            Stored::Now(changes) => {
                begun.extend(changes.iter().filter_map(begun_text));
                closed.extend(changes.iter().filter_map(closed_form));
            }
            Stored::Before(events) => begun.extend(events.drain(..).map(|event| (event, 0))),
        };
        let publisher = &self.context.publisher;
        let stored = publisher
            .commit_of_turn(self.claim, &[], write, find_begun)
            .await?;
        if let Stored::Before(_) = stored {
            self.context.hub.resync(&self.claim.key.thread_id);
        }
        for (event, rev) in begun {
            let id = event.id.clone();
            let elsewhere = TextPiece::begin(&event, rev);
            let growing = self.context.hub.grow(event, rev);
            let text = PublishedText {
                growing,
                elsewhere,
                stored: 0,
            };
            self.texts().insert(id.clone(), text);
            self.outbox.mark_text_stored(&id);
        }
        for id in ended {
            self.outbox.forget_text(&id);
        }
        let questions = self.outbox.questions();
        for id in changes.iter().filter_map(asked_form) {
            questions.mark_stored(id);
        }
        for id in changes.iter().filter_map(expired_form) {
            if !closed.iter().any(|closed| closed == id) && self.is_closed(id).await {
                // The answer to the write that closed the form was lost.
                closed.push(id.to_owned());
            }
        }
        for id in closed {
            questions.resolve(&id, Ok(FormReply::Expired), None);
        }
        Ok(())
    }

    /// Stores changes of the handler. Waits while the database is not available.
    ///
    /// If the answer to an attempt was lost, its changes may be stored nevertheless. They are stored together, so it is enough to
    /// look for one of them before the next attempt.
    async fn until_written(&self, changes: &[TurnChange]) -> Result<Stored, StoreError> {
        let (store, key) = (&self.context.store, &self.claim.key);
        let events = changes.iter().filter_map(|change| match change {
            TurnChange::Event(event) => Some(event),
            _ => None,
        });
        let witness = Witness::of(changes);
        let mut may_be_stored = false;
        loop {
            let attempt = async {
                if may_be_stored
                    && let Some(witness) = &witness
                    && self.is_stored(witness).await?
                {
                    let growing = events.clone().filter(|event| event.streaming == Some(true));
                    let mut stored = Vec::new();
                    for event in growing {
                        stored.push(store.event(&self.scope, &key.thread_id, &event.id).await?);
                    }
                    return Ok(Stored::Before(stored));
                }
                let written = store.write_turn(&self.scope, key, changes.to_vec()).await?;
                Ok(Stored::Now(written))
            };
            match attempt.await {
                Err(error @ StoreError::Unavailable { .. }) => {
                    may_be_stored = true;
                    tracing::warn!(target: "dooers::turn", error = &error as &dyn std::error::Error, "the events of a handler could not be stored; trying again");
                    if !self.may_try_again().await {
                        return Err(error);
                    }
                }
                stored => return stored,
            }
        }
    }

    /// Returns true if this form is closed in the store. After an error, the next renewal of the leases finds out.
    async fn is_closed(&self, form_event_id: &str) -> bool {
        let (store, thread_id) = (&self.context.store, &self.claim.key.thread_id);
        let form = store.event(&self.scope, thread_id, form_event_id).await;
        let asked = form.ok().and_then(|form| form.asked());
        asked.is_some_and(|asked| asked.closed)
    }

    /// Returns true if this change is stored.
    async fn is_stored(&self, witness: &Witness<'_>) -> Result<bool, StoreError> {
        let event_id = match witness {
            Witness::Event(id) => id,
            Witness::Usage(id) => return self.context.store.has_usage(id).await,
        };
        let thread_id = &self.claim.key.thread_id;
        match self
            .context
            .store
            .event(&self.scope, thread_id, event_id)
            .await
        {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Stores the remaining changes and the end of the turn, and reports the end to middleware. Returns the next turn of the
    /// thread.
    pub(super) async fn finish(
        &self,
        outcome: TurnOutcome,
        observed: Option<ObservedAttempt>,
    ) -> Option<Claim> {
        let Remains {
            mut changes,
            waiting,
            run_id: open_run,
            tracked,
        } = self.rest();
        changes.extend(self.end_of(&outcome, open_run.clone()));
        crash::point("before-run-end");
        let finish = || {
            let (context, changes) = (self.context, changes.clone());
            let start = context.claim_options(self.agent);
            let finished = async move {
                let next = (!context.draining.is_cancelled()).then_some(&start);
                let store = &context.store;
                store
                    .finish_turn(&self.scope, &self.claim.key, changes, next)
                    .await
            };
            finished.boxed()
        };
        let (publisher, key) = (&self.context.publisher, &self.claim.key);
        let outcome = Arc::new(outcome);
        let mut unreported = Some(Arc::clone(&outcome));
        let report = |written: &mut FinishOutcome| {
            #[cfg(feature = "testing")]
            publisher.record_tracked(&key.event_id, &tracked);
            let last_rev = written.changes.last().map_or(0, |change| change.rev);
            if let Some(outcome) = unreported.take() {
                publisher.report(&key.event_id, outcome, last_rev);
            }
        };
        let claiming = self.context.active.claiming(&key.thread_id);
        let finish = self.until_stored(finish);
        let written = publisher
            .commit_of_turn(self.claim, &tracked, finish, report)
            .await;
        match written {
            Ok(written) => {
                answer(waiting);
                if let Some(next) = &written.next {
                    self.context.begin(next);
                } else if self.context.draining.is_cancelled() {
                    publisher.leave_queued();
                }
                end(observed, &outcome, false);
                written.next
            }
            Err(given_up) => {
                // No answer can arrive any more. If the next turn was claimed, the recovery of lost answers resumes it.
                drop(claiming);
                if given_up.may_be_stored
                    && let Some(unreported) = unreported
                    && self.report_stored(unreported, open_run).await
                {
                    end(observed, &outcome, false);
                }
                None
            }
        }
    }

    /// Reports the end of a turn that may be stored although the answer was lost. `open_run` is the run that ended with it.
    ///
    /// If the record of the run contradicts the outcome, another process ended the turn. The record is reported then.
    /// Returns true if the record agrees with the outcome.
    async fn report_stored(&self, outcome: Arc<TurnOutcome>, open_run: Option<String>) -> bool {
        let thread_id = &self.claim.key.thread_id;
        let read = || {
            let (store, open_run) = (&self.context.store, open_run.clone());
            let read = async move {
                let run = match open_run {
                    Some(id) => Some(store.run(&self.scope, thread_id, &id).await?),
                    None => None,
                };
                let thread = store.thread(&self.scope, thread_id).await?;
                Ok((run, thread.rev))
            };
            read.boxed()
        };
        // The thread was deleted, or the server has stopped.
        let Ok((run, rev)) = self.until_stored(read).await else {
            return false;
        };
        let status = outcome.status();
        let contradicts = |run: &Run| run.status != status;
        let contradiction = run.filter(contradicts);
        let agrees = contradiction.is_none();
        let recorded = match contradiction {
            Some(run) => TurnOutcome::of_record(run.status).map(Arc::new),
            None => Some(outcome),
        };
        if let Some(outcome) = recorded {
            let event_id = &self.claim.key.event_id;
            self.context.publisher.report(event_id, outcome, rev);
        }
        agrees
    }

    /// Stores the remaining changes of an attempt, queues the turn for the next attempt, and reports the end of the attempt
    /// to middleware.
    pub(super) async fn requeue(
        &self,
        outcome: &TurnOutcome,
        delay: Duration,
        observed: Option<ObservedAttempt>,
    ) -> Next {
        if let TurnOutcome::Failed(error) = outcome {
            tracing::warn!(target: "dooers::turn", agent = self.agent.name(), event_id = %self.claim.event.id, attempt = self.claim.attempt, "the handler failed and will be retried: {error}");
        }
        let Remains {
            mut changes,
            waiting,
            run_id,
            tracked,
        } = self.rest();
        if self.agent.has_manual_runs() {
            // The next attempt starts a run of its own.
            let run = run_id.map(|id| self.run_ended(id, RunStatus::Failed, Some(FAILED_ERROR)));
            changes.extend(run.map(TurnChange::Run));
        }
        changes.extend(self.end_of_questions());
        let not_before = timestamp::now() + delay;
        let (publisher, key) = (&self.context.publisher, &self.claim.key);
        let requeue = || {
            let (store, changes) = (&self.context.store, changes.clone());
            store.retry_turn(&self.scope, key, changes, not_before)
        };
        let report = |retried: &mut Retried| {
            #[cfg(feature = "testing")]
            publisher.record_tracked(&key.event_id, &tracked);
            if retried.is_cancelled {
                publisher.report_withdrawn(&retried.changes);
            }
        };
        let requeue = self.until_stored(requeue);
        let committed = publisher
            .commit_of_turn(self.claim, &tracked, requeue, report)
            .await;
        let retried = match committed {
            Ok(retried) => retried,
            // The turn may be queued for its next attempt.
            Err(given_up) if given_up.may_be_stored => {
                end(observed, outcome, true);
                return Next::NotBefore(not_before);
            }
            Err(_) => return Next::Nothing,
        };
        answer(waiting);
        if retried.is_cancelled {
            end(observed, &TurnOutcome::Cancelled, false);
            // The next turn of the thread can start now.
            return Next::NotBefore(timestamp::now());
        }
        end(observed, outcome, true);
        Next::NotBefore(not_before)
    }

    /// Closes the outbox at the end of an attempt.
    fn rest(&self) -> Remains {
        let Rest {
            drafts,
            waiting,
            pieces,
            run_id,
            tracked,
        } = self.outbox.close();
        self.publish_pieces(pieces);
        self.texts().clear();
        let mut changes = self.changes_of(drafts);
        let events = tracked.iter().cloned();
        changes.extend(events.map(|event| TurnChange::Track(Box::new(event))));
        Remains {
            changes,
            waiting,
            run_id,
            tracked,
        }
    }

    /// Repeats a store operation until the database accepts it.
    ///
    /// # Errors
    ///
    /// [`GivenUp`] if the turn no longer belongs to this process, or if the server has stopped.
    async fn until_stored<'s, T>(
        &'s self,
        act: impl Fn() -> BoxFuture<'s, Result<T, StoreError>>,
    ) -> Result<T, GivenUp> {
        let mut may_be_stored = false;
        loop {
            match act().await {
                Err(error) if error.is_of_the_database() => {
                    may_be_stored = true;
                    // The message was acknowledged, so the end of its turn must be recorded. Later turns of the thread wait
                    // for it.
                    tracing::error!(target: "dooers::turn", error = &error as &dyn std::error::Error, "the end of a turn could not be stored; trying again");
                    if !self.may_try_again().await {
                        return Err(GivenUp { may_be_stored });
                    }
                }
                // The turn was deleted with its thread or taken over, or an earlier attempt was stored and its answer was
                // lost.
                Err(_) => return Err(GivenUp { may_be_stored }),
                Ok(stored) => return Ok(stored),
            }
        }
    }

    /// Pauses before the next attempt. Returns `false` if the server has stopped.
    async fn may_try_again(&self) -> bool {
        tokio::select! {
            () = tokio::time::sleep(RETRY_AFTER) => true,
            () = self.context.stopped.cancelled() => false,
        }
    }

    /// Converts the handler's drafts to changes.
    fn changes_of(&self, drafts: Vec<Draft>) -> Vec<TurnChange> {
        let at = timestamp::now();
        let assistant = &self.context.parameters.assistant_name;
        let (thread_id, agent) = (&self.claim.key.thread_id, self.agent.name());
        let user = self.claim.event.user.as_ref();
        let user_id = user.map_or("", |user| &user.user_id);
        let change = |draft| {
            if let Draft::Usage { usage, .. } = &draft {
                self.context.parameters.check_currency(agent, usage);
            }
            draft.into_change(thread_id, agent, assistant, user_id, at)
        };
        let drafts = join_whole_texts(drafts).into_iter();
        drafts.map(change).collect()
    }

    /// The changes that end the turn: the message to users after a failure, the new `last_event_at` of the thread, and
    /// the end of the run.
    fn end_of(&self, outcome: &TurnOutcome, open_run: Option<String>) -> Vec<TurnChange> {
        let at = timestamp::now();
        let (thread_id, event_id) = (&self.claim.key.thread_id, &*self.claim.key.event_id);
        let mut changes = Vec::new();
        let mut error_text = None;
        if let TurnOutcome::Failed(error) = outcome {
            tracing::error!(target: "dooers::turn", agent = self.agent.name(), event_id, "the handler failed: {error}");
            let public = error.public_text().map(|text| cleaned(text.to_owned()));
            let run_id = open_run.clone();
            let event = match &public {
                Some(text) => system_event(thread_id, run_id, text, at),
                None => failure_event(thread_id, run_id, FAILED_TEXT, event_id, at),
            };
            changes.push(TurnChange::Event(Box::new(event)));
            error_text = Some(public.unwrap_or_else(|| FAILED_ERROR.to_owned()));
        }
        if let TurnOutcome::TimedOut = outcome {
            tracing::warn!(target: "dooers::turn", agent = self.agent.name(), event_id, "the handler took too long");
            let event = failure_event(thread_id, open_run.clone(), TIMED_OUT_TEXT, event_id, at);
            changes.push(TurnChange::Event(Box::new(event)));
            error_text = Some(TIMED_OUT.to_owned());
        }
        if let TurnOutcome::Interrupted = outcome {
            tracing::warn!(target: "dooers::turn", agent = self.agent.name(), event_id, "the turn was interrupted, because the server stops or could not renew its lease");
            let event = interrupted_event(thread_id, open_run.clone(), event_id, at);
            changes.push(TurnChange::Event(Box::new(event)));
            error_text = Some(INTERRUPTED.to_owned());
        }
        if !matches!(outcome, TurnOutcome::Succeeded)
            && self.claim.event.kind == EventType::FormResponse
        {
            changes.push(TurnChange::ReopenForm);
        }
        changes.extend(self.end_of_questions());
        changes.push(TurnChange::Touch(at));
        if let Some(id) = open_run {
            let run = self.run_ended(id, outcome.status(), error_text.as_deref());
            changes.push(TurnChange::Run(run));
        }
        changes
    }

    /// The change that closes the forms that nobody has answered. It comes before the end of the run.
    fn end_of_questions(&self) -> Option<TurnChange> {
        let has_asked = self.outbox.questions().has_asked();
        has_asked.then_some(TurnChange::EndQuestions)
    }

    /// The end of a run at the current time. The store keeps the time at which the run started.
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
            usage: Vec::new(),
        }
    }
}

/// Reports the stored end of an attempt to middleware.
fn end(observed: Option<ObservedAttempt>, outcome: &TurnOutcome, will_retry: bool) {
    if let Some(observed) = observed {
        observed.end(outcome, will_retry);
    }
}

/// Notifies the senders that their changes are stored. A receiver may have been dropped, because handlers do not have to
/// wait.
fn answer(waiting: Vec<StoredSender>) {
    for stored in waiting {
        let _ = stored.send(Ok(()));
    }
}
