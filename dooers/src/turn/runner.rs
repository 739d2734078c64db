//! Runs the turns of this process.

use super::active::{ActiveTurn, ActiveTurns};
use super::driver::{self, Ended};
use super::{Outbox, Turn, WorkerRequest, WorkerResponse, WorkerSettingsHandle};
use crate::AgentError;
use crate::agent::AgentDefinition;
use crate::crash;
use crate::hub::Hub;
use crate::protocol::{Run, RunStatus, new_id, timestamp};
use crate::reply::AnswerKind;
use crate::settings::LiveSettings;
use crate::state::States;
use crate::store::{
    Claim, INTERRUPTED, Scope, Start, Store, StoreError, TurnChange, WorkerKey, Written,
    interrupted_event, system_event,
};
use futures::{FutureExt, StreamExt};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// What users read when a handler fails and has written nothing for them.
const FAILED_TEXT: &str = "Something went wrong while answering. Please try again.";

/// The same in a run's `error`.
const FAILED_ERROR: &str = "the agent failed";

/// How long a handler that is stopped may take until it waits for something.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait before the end of a turn is tried again that the database did not take.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Runs the turns of this process: one task a thread that has any.
#[derive(Debug)]
pub(crate) struct Runner {
    store: Arc<dyn Store>,
    hub: Hub,
    settings: Arc<LiveSettings>,
    states: Arc<States>,
    node: String,
    assistant_name: String,
    tasks: TaskTracker,
    /// How long a turn belongs to a process that does not renew that.
    lease: Duration,
    /// Turns that wait are left to wait.
    draining: CancellationToken,
    /// Turns that run are ended as interrupted.
    interrupted: CancellationToken,
    /// What is left is dropped.
    stopped: CancellationToken,
    active: ActiveTurns,
}

impl Runner {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        hub: Hub,
        settings: Arc<LiveSettings>,
        states: Arc<States>,
        assistant_name: String,
        lease: Duration,
    ) -> Self {
        Self {
            store,
            hub,
            settings,
            states,
            node: new_id(),
            assistant_name,
            tasks: TaskTracker::new(),
            lease,
            draining: CancellationToken::new(),
            interrupted: CancellationToken::new(),
            stopped: CancellationToken::new(),
            active: ActiveTurns::default(),
        }
    }

    /// How this process starts a turn of this agent.
    pub(crate) fn start_of(&self, agent: &AgentDefinition) -> Start {
        let at = timestamp::now();
        Start {
            node: self.node.clone(),
            run_id: (!agent.has_manual_runs()).then(new_id),
            at,
            lease_until: at + self.lease,
        }
    }

    /// Keeps this process's turns for longer, and drops those that are its own no more.
    ///
    /// # Errors
    ///
    /// Whatever the store says. The turns go on then: see [`lose_all`](Self::lose_all).
    pub(crate) async fn renew(&self) -> Result<(), StoreError> {
        let mut lost = self.active.events();
        if lost.is_empty() {
            return Ok(());
        }
        let until = timestamp::now() + self.lease;
        for held in self.store.renew_leases(&self.node, until).await? {
            lost.remove(&held);
        }
        // One that ended meanwhile is not to be found either, neither there nor here.
        let turns = self.active.lose(&lost);
        if turns > 0 {
            tracing::warn!(target: "dooers::turn", turns, "another process has taken over turns of this one; their handlers are dropped");
        }
        Ok(())
    }

    /// Drops all turns: another process may have taken them over.
    pub(crate) fn lose_all(&self) {
        let all = self.active.events();
        self.active.lose(&all);
    }

    /// Runs a claimed turn, and all that wait behind it.
    pub(crate) fn run(self: &Arc<Self>, agent: AgentDefinition, claim: Claim) {
        let runner = Arc::clone(self);
        let thread_id = claim.key.thread_id.clone();
        let stop = self.stopped.child_token();
        self.active.begin(&thread_id, stop.clone());
        let span = tracing::debug_span!(target: "dooers::turn", "thread", id = %thread_id);
        let task = async move {
            let mut next = Some(claim);
            while let Some(claim) = next.take() {
                next = runner.run_one(&agent, claim, &stop).await;
            }
            runner.active.end(&thread_id, &stop);
        };
        self.tasks.spawn(task.instrument(span));
    }

    /// Cancels the turn that answers this message: its handler is dropped, and its run ends canceled.
    pub(crate) fn cancel(&self, thread_id: &str, event_id: &str) {
        self.active.cancel(thread_id, event_id);
    }

    /// Stops the handler of a thread that is no more.
    pub(crate) fn stop(&self, thread_id: &str) {
        self.active.stop(thread_id);
    }

    /// How many threads have a turn that runs.
    pub(crate) fn running_count(&self) -> usize {
        self.active.count()
    }

    /// From now on the turns that wait are left to the next start.
    pub(crate) fn leave_waiting(&self) {
        self.draining.cancel();
    }

    /// Waits for the turns that run, at most this long, and records what is left then as interrupted.
    pub(crate) async fn drain(&self, at_most: Duration) {
        self.leave_waiting();
        self.tasks.close();
        if tokio::time::timeout(at_most, self.tasks.wait())
            .await
            .is_err()
        {
            let turns = self.active.count();
            tracing::warn!(target: "dooers::turn", turns, "some turns did not end in time; they are recorded as interrupted");
            self.interrupted.cancel();
            // A handler that never waits cannot be stopped; its thread ends with the process, and the next start
            // records its turn.
            if tokio::time::timeout(STOP_TIMEOUT, self.tasks.wait())
                .await
                .is_err()
            {
                tracing::warn!(target: "dooers::turn", "a handler blocks its thread and is left behind");
            }
        }
        self.stopped.cancel();
    }

    /// Runs one turn. The result is the thread's next.
    async fn run_one(
        &self,
        agent: &AgentDefinition,
        claim: Claim,
        stop: &CancellationToken,
    ) -> Option<Claim> {
        let run_id = claim.run.as_ref().map(|run| run.id.clone());
        let outbox = Arc::new(Outbox::live(run_id, agent.has_manual_runs()));
        let writer = TurnWriter {
            runner: self,
            agent,
            scope: claim.thread.scope(),
            claim: &claim,
        };
        let ActiveTurn {
            cancelled, lost, ..
        } = self
            .active
            .next(&claim.key.thread_id, &claim.key.event_id, stop);
        let handler = handler_of(self, agent, &claim, &outbox, &cancelled);
        let write = |drafts| writer.write(drafts);
        let ends_early = async {
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = self.interrupted.cancelled() => {}
            }
        };
        let ended = tokio::select! {
            // First: what is to be dropped without a trace is cancelled, too.
            biased;
            () = lost.cancelled() => Ended::Lost,
            ended = driver::drive(handler, ends_early, &outbox, write) => ended,
        };
        self.active.rest(&claim.key.thread_id);
        match ended {
            Ended::Returned(result) => writer.finish(&outbox, Outcome::of(result), stop).await,
            Ended::Dropped if cancelled.is_cancelled() => {
                writer.finish(&outbox, Outcome::Cancelled, stop).await
            }
            Ended::Dropped => {
                cancelled.cancel();
                writer.finish(&outbox, Outcome::Interrupted, stop).await
            }
            Ended::Lost => {
                outbox.close();
                None
            }
        }
    }
}

/// How a turn ends in the record.
enum Outcome {
    Succeeded,
    Failed(AgentError),
    Cancelled,
    /// The server stops, and it took too long.
    Interrupted,
}

impl Outcome {
    fn of(result: Result<(), AgentError>) -> Self {
        match result {
            Ok(()) => Self::Succeeded,
            Err(error) => Self::Failed(error),
        }
    }
}

/// Calls the handler and sends what it returns. A panic is an error like any other.
fn handler_of(
    runner: &Runner,
    agent: &AgentDefinition,
    claim: &Claim,
    outbox: &Arc<Outbox>,
    cancellation: &CancellationToken,
) -> impl Future<Output = Result<(), AgentError>> + Send + use<> {
    let event = &claim.event;
    let request = WorkerRequest::of(
        claim.thread.thread.clone(),
        event.id.clone(),
        event
            .user
            .clone()
            .unwrap_or_else(|| crate::protocol::User::new("")),
        event.content.clone().unwrap_or_default(),
        event.data.clone(),
        claim.attempt,
    );
    let response = WorkerResponse::new(Arc::clone(outbox));
    let agent = *agent;
    let settings = WorkerSettingsHandle {
        live: Arc::clone(&runner.settings),
        worker: WorkerKey {
            agent: agent.name().to_owned(),
            worker_id: claim.thread.thread.worker_id.clone(),
        },
    };
    let (states, cancellation) = (Arc::clone(&runner.states), cancellation.clone());
    let work = async move {
        let turn = Turn::new(request, response.clone()).within(settings, states, cancellation);
        let answer = agent.call(turn).await?;
        match answer.into_kind() {
            AnswerKind::Nothing => {}
            // It is stored together with the end of the run.
            AnswerKind::One(reply) => drop(response.send(*reply)),
            AnswerKind::Stream(mut replies) => {
                while let Some(reply) = replies.next().await {
                    response.send(reply?).await?;
                }
            }
        }
        Ok(())
    };
    AssertUnwindSafe(work)
        .catch_unwind()
        .map(|result| result.unwrap_or_else(|panic| Err(AgentError::from(panic_text(&*panic)))))
}

/// Writes what one turn does.
struct TurnWriter<'a> {
    runner: &'a Runner,
    agent: &'a AgentDefinition,
    scope: Scope,
    claim: &'a Claim,
}

impl TurnWriter<'_> {
    async fn write(&self, drafts: Vec<super::Draft>) -> Result<(), StoreError> {
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
    async fn finish(
        &self,
        outbox: &Outbox,
        outcome: Outcome,
        stop: &CancellationToken,
    ) -> Option<Claim> {
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
                        () = stop.cancelled() => return None,
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
    fn changes_of(&self, drafts: Vec<super::Draft>) -> Vec<TurnChange> {
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

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the handler panicked: {}", text.unwrap_or("(no message)"))
}
