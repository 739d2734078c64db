//! The runner of this process's turns.

use super::active::{ActiveTurn, ActiveTurns, Claiming, TurnLookup};
use super::attempt::{Attempt, ObservedAttempt};
use super::context::{RETRY_AFTER, TurnContext, TurnParameters};
use super::driver::{self, HandlerEnd};
use super::next::Next;
use super::outcome::TurnOutcome;
use super::poll_time::Measured;
use super::publisher::Publisher;
use super::time_limit::{stopped_while_waiting, time_limit};
use super::writer::TurnWriter;
use crate::AgentError;
use crate::broker::Broker;
use crate::error::panic_text;
use crate::handler::{
    AgentDefinition, AnalyticsSink, AnswerKeys, AnswerKind, Middlewares, Outbox, States, Turn,
    TurnAnalytics, TurnAttempt, TurnMemory, WorkerRequest, WorkerResponse, WorkerSettingsHandle,
};
use crate::hub::{ChangeSender, Hub, LiveAnalytics};
use crate::protocol::{new_id, timestamp};
use crate::settings::LiveSettings;
use crate::store::OnBusy;
use crate::store::{
    Claim, ClaimOptions, HeldTurn, LONGEST_BACK_OFF, PendingThread, Scope, Store, StoreError,
    Viewer, WorkerKey, time_until_due,
};
use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Runs the turns of this process. It uses one task per thread with turns, or one task per turn if turns run
/// concurrently.
#[derive(Debug)]
pub(crate) struct Runner {
    context: TurnContext,
    settings: Arc<LiveSettings>,
    pub(crate) answer_keys: AnswerKeys,
    analytics: Arc<dyn AnalyticsSink>,
    states: Arc<States>,
    middlewares: Arc<Middlewares>,
    tasks: TaskTracker,
    /// Fires when running turns must end as interrupted.
    interrupted: CancellationToken,
}

/// The ways in which turns publish their changes and events.
#[derive(Debug)]
pub(crate) struct Outlets {
    pub(crate) hub: Hub,
    pub(crate) changes: ChangeSender,
    /// The broker, which announces changes to the other nodes.
    pub(crate) broker: Arc<dyn Broker>,
    /// The analytics of subscribers.
    pub(crate) live: LiveAnalytics,
    /// The server's part of the analytics of handlers.
    pub(crate) analytics: Arc<dyn AnalyticsSink>,
}

impl Runner {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        outlets: Outlets,
        settings: Arc<LiveSettings>,
        answer_keys: AnswerKeys,
        states: Arc<States>,
        parameters: TurnParameters,
    ) -> Self {
        let may_lose_answers = store.may_lose_answers();
        let Outlets {
            hub,
            changes,
            broker,
            live,
            analytics,
        } = outlets;
        Self {
            context: TurnContext {
                store,
                hub,
                publisher: Publisher::new(changes, live, broker, may_lose_answers),
                node: new_id(),
                parameters,
                draining: CancellationToken::new(),
                stopped: CancellationToken::new(),
                active: ActiveTurns::default(),
            },
            settings,
            answer_keys,
            analytics,
            states,
            middlewares: Arc::default(),
            tasks: TaskTracker::new(),
            interrupted: CancellationToken::new(),
        }
    }

    /// Calls this middleware around each attempt.
    pub(crate) fn with_middlewares(self, middlewares: Middlewares) -> Self {
        Self {
            middlewares: Arc::new(middlewares),
            ..self
        }
    }

    /// The parts of the process that its turns share.
    pub(super) fn context(&self) -> &TurnContext {
        &self.context
    }

    /// The publisher, which commits and publishes every change of a thread.
    pub(crate) fn publisher(&self) -> &Publisher {
        &self.context.publisher
    }

    /// The parameters with which this process starts a turn of this agent.
    pub(crate) fn claim_options(&self, agent: &AgentDefinition) -> ClaimOptions {
        self.context.claim_options(agent)
    }

    /// Registers an operation that may claim a turn of this thread, until the result is dropped. Drop it after the claimed
    /// turn was passed to [`run`](Self::run).
    pub(crate) fn claiming(&self, thread_id: &str) -> Claiming<'_> {
        self.context.active.claiming(thread_id)
    }

    /// Renews the leases of this process's turns, and drops turns that the process no longer owns. Returns the turns that the
    /// process owns according to the store. Pass them to [`resume`](Self::resume), which starts those that do not run.
    ///
    /// # Errors
    ///
    /// Any error of the store. The turns continue in that case: see [`lose_all`](Self::lose_all).
    pub(crate) async fn renew(&self) -> Result<Vec<HeldTurn>, StoreError> {
        let mut lost = self.context.active.fences();
        let waiting = self.waiting_turns();
        let all = self
            .context
            .store
            .renew_leases(&self.context.node, self.context.parameters.lease)
            .await?;
        for held in &all {
            lost.remove(&held.key.event_id);
            if held.is_cancelled {
                // Another process may have received the request to cancel.
                self.context.active.cancel(&held.key.event_id);
            }
        }
        // A turn that has ended in the meantime is found neither in the store nor in `active`.
        let turns = self.context.active.lose(&lost);
        if turns > 0 {
            tracing::warn!(target: "dooers::turn", turns, "another process has taken over turns of this process; their handlers are dropped");
        }
        self.find_answers(waiting, &all).await;
        Ok(all)
    }

    /// Runs a turn that this process owns according to the store but does not run, because the answer to its claim was lost.
    /// Returns `false` if a claim is still in progress, so that its answer may still arrive.
    ///
    /// # Errors
    ///
    /// Any error of the store. A turn that has ended in the meantime is not an error.
    pub(crate) async fn resume(
        self: &Arc<Self>,
        agent: AgentDefinition,
        held: &HeldTurn,
    ) -> Result<bool, StoreError> {
        if self.context.draining.is_cancelled() {
            // Like a queued turn, the turn is left to the next start.
            return Ok(true);
        }
        let _claiming = match self.context.active.find(&held.key) {
            TurnLookup::Runs => return Ok(true),
            TurnLookup::MayRun => return Ok(false),
            TurnLookup::Unknown(claiming) => claiming,
        };
        let mut claim = match self.context.store.resume_turn(&held.scope, &held.key).await {
            Ok(claim) => claim,
            Err(StoreError::StaleFence | StoreError::NotFound(_)) => return Ok(true),
            Err(error) => return Err(error),
        };
        if agent.has_manual_runs() {
            // The handler starts its runs itself.
            claim.run = None;
        }
        tracing::warn!(target: "dooers::turn", agent = agent.name(), event_id = held.key.event_id, "the answer to the claim of a turn was lost; the turn runs now");
        self.context.hub.resync(&held.key.thread_id);
        self.run(agent, claim);
        Ok(true)
    }

    /// Drops the handlers of all turns, because other processes may have taken over these turns. Turns that were not
    /// taken over end as interrupted or are retried when the database answers.
    pub(crate) fn lose_all(&self) {
        let all = self.context.active.fences();
        let turns = self.context.active.lose(&all);
        if turns > 0 {
            tracing::warn!(target: "dooers::turn", turns, "the leases of running turns could not be renewed in time; their handlers are dropped");
        }
    }

    /// Runs the queued turns of a thread, now or when their next attempt is due. A process that is stopping leaves
    /// them to the next process.
    pub(crate) async fn resume_pending(
        self: &Arc<Self>,
        agent: AgentDefinition,
        waiting: PendingThread,
    ) -> Result<(), StoreError> {
        let is_concurrent = agent.policy().on_busy() == OnBusy::Concurrent;
        let place = (waiting.scope, waiting.thread_id);
        let begins = if is_concurrent {
            waiting.all_from
        } else {
            waiting.not_before
        };
        // The store uses the same time to decide which turns are due.
        let now = timestamp::now();
        let later = begins.filter(|at| match is_concurrent {
            // A time too far in the future counts as due, but other turns of the thread may not be due yet.
            true => *at > now,
            false => !time_until_due(*at, now).is_zero(),
        });
        let later = later.map(|at| at.min(now + LONGEST_BACK_OFF));
        // Concurrent turns all start, each when it is due.
        while (later.is_none() || is_concurrent) && !self.context.draining.is_cancelled() {
            let start = ClaimOptions {
                at: now,
                ..self.claim_options(&agent)
            };
            let _claiming = self.claiming(&place.1);
            let claim = self.context.store.claim_turn(&place.0, &place.1, &start);
            let Some(claim) = self
                .context
                .publisher
                .commit((&place.0, &place.1), claim)
                .await?
            else {
                break;
            };
            self.run(agent.clone(), claim);
        }
        if let Some(at) = later {
            let runner = Arc::clone(self);
            self.spawn(async move {
                while let Some(claim) = runner.claim_at(&agent, &place, at).await {
                    runner.run(agent.clone(), claim);
                }
            });
        }
        Ok(())
    }

    /// Claims the next turn of a thread when it is due. `None` if the process stops first, or another task or process
    /// has claimed the turn.
    async fn claim_at(
        &self,
        agent: &AgentDefinition,
        (scope, thread_id): &(Scope, String),
        not_before: DateTime<Utc>,
    ) -> Option<Claim> {
        let now = timestamp::now();
        let mut wait = time_until_due(not_before, now);
        let due = now + wait;
        // A turn that is due at this time may not be due at a later time: see `time_until_due`.
        let has_waited = !wait.is_zero();
        loop {
            tokio::select! {
                // The order matters: a process that is stopping leaves the turn to the next process, even if the turn
                // is due.
                biased;
                () = self.context.draining.cancelled() => {
                    self.publisher().leave_queued();
                    return None;
                }
                () = tokio::time::sleep(wait) => {}
            }
            // The clock may be behind: two clocks can differ by microseconds, and a clock may be set back.
            let start = ClaimOptions {
                at: if has_waited {
                    timestamp::now().max(due)
                } else {
                    due
                },
                ..self.claim_options(agent)
            };
            let _claiming = self.claiming(thread_id);
            let claim = self.context.store.claim_turn(scope, thread_id, &start);
            match self
                .context
                .publisher
                .commit((scope, thread_id), claim)
                .await
            {
                Ok(Some(claim)) => {
                    self.context.begin(&claim);
                    return Some(claim);
                }
                Err(error) if error.is_of_the_database() => {
                    tracing::error!(target: "dooers::turn", error = &error as &dyn std::error::Error, "a queued turn could not be claimed; trying again");
                    wait = RETRY_AFTER;
                }
                // The turn was claimed by another process, or deleted with its thread.
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Runs a claimed turn, and all turns of its thread that are queued behind it.
    pub(crate) fn run(self: &Arc<Self>, agent: AgentDefinition, claim: Claim) {
        self.context.begin(&claim);
        let runner = Arc::clone(self);
        let span =
            tracing::debug_span!(target: "dooers::turn", "thread", id = %claim.key.thread_id);
        let task = async move {
            let place = (claim.thread.scope(), claim.key.thread_id.clone());
            let mut next = Next::Turn(Box::new(claim));
            loop {
                next = match next {
                    Next::Turn(claim) => runner.run_one(&agent, *claim).await,
                    Next::NotBefore(at) => runner.claim_at(&agent, &place, at).await.into(),
                    Next::Nothing => return,
                };
            }
        };
        self.spawn(task.instrument(span));
    }

    /// Cancels the turn that answers this message. Its handler is dropped, and its run ends as `canceled`. The turn is marked
    /// as cancelled in the store, so that another process that runs it finds the mark.
    pub(crate) fn cancel(&self, event_id: &str) {
        if !self.context.active.cancel(event_id) {
            self.publisher().signal(event_id);
        }
    }

    /// Returns true if this process runs the turn of this message, or claims a turn now.
    pub(crate) fn may_run(&self, event_id: &str) -> bool {
        self.context.active.may_run(event_id)
    }

    /// Returns true if this process runs the turn of this message, or stores its end.
    pub(crate) fn runs(&self, event_id: &str) -> bool {
        self.context.active.knows(event_id)
    }

    /// Returns true if this process runs a turn of this thread.
    pub(crate) fn runs_in(&self, thread_id: &str) -> bool {
        self.context.active.runs_in(thread_id)
    }

    /// Drops the handlers of a deleted thread.
    pub(crate) fn stop(&self, thread_id: &str) {
        self.context.active.stop(thread_id);
    }

    /// The id of this process, under which it holds its turns.
    pub(crate) fn node(&self) -> &str {
        &self.context.node
    }

    /// The number of running turns.
    pub(crate) fn running_count(&self) -> usize {
        self.context.active.count()
    }

    /// Stops claiming turns. Queued turns are left to the next start.
    pub(crate) fn stop_claiming(&self) {
        self.context.draining.cancel();
    }

    /// Stops claiming turns, and waits for the running turns to end.
    pub(crate) async fn over(&self) {
        self.stop_claiming();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Ends the running turns as interrupted.
    pub(crate) fn interrupt(&self) {
        let turns = self.context.active.count();
        if turns > 0 {
            tracing::warn!(target: "dooers::turn", turns, "some turns did not end in time; they are recorded as interrupted");
        }
        self.interrupted.cancel();
    }

    /// Drops the tasks of all turns. Their rows in the store stay unchanged.
    ///
    /// A handler that never awaits cannot be dropped. Its thread ends with the process.
    pub(crate) fn give_up(&self) {
        self.context.stopped.cancel();
    }

    fn analytics_of(&self, claim: &Claim) -> TurnAnalytics {
        let participant = claim.sender();
        TurnAnalytics {
            scope: Scope {
                viewer: Viewer::Only(participant.clone()),
                ..claim.thread.scope()
            },
            thread_id: claim.key.thread_id.clone(),
            event_id: claim.key.event_id.clone(),
            participant,
            sink: Arc::clone(&self.analytics),
        }
    }

    /// Spawns a task that is dropped when `stopped` fires.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.context.stopped.clone();
        // The task is boxed because the wrapping futures would reserve its memory twice.
        let work = Box::pin(work);
        self.tasks.spawn(stopped.run_until_cancelled_owned(work));
    }

    /// Runs one turn. Returns the next step of its thread.
    async fn run_one(&self, agent: &AgentDefinition, claim: Claim) -> Next {
        let run_id = claim.run.as_ref().map(|run| run.id.clone());
        let outbox = Arc::new(Outbox::live(
            run_id,
            agent.has_manual_runs(),
            self.answer_keys.clone(),
            self.analytics_of(&claim),
        ));
        let writer = TurnWriter::new(&self.context, agent, &claim, &outbox);
        let ActiveTurn {
            cancelled,
            lost,
            gone,
            ..
        } = self.context.begin(&claim);
        self.context.active.attach(&claim.key, &outbox);
        let mut observed = ObservedAttempt::begin(&self.middlewares, || attempt_of(agent, &claim));
        let before = observed.as_ref().map(ObservedAttempt::shared);
        let handler = handler_of(self, agent, &claim, &outbox, &cancelled, before);
        let handler = Measured::new(handler, agent.name(), &claim.event.id);
        let policy = agent.policy();
        let forms = || outbox.questions().waiting();
        let ends_early = async {
            tokio::select! {
                // The order matters: a cancelled turn ends as cancelled, even if it is also lost or timed out.
                biased;
                () = gone.cancelled() => None,
                () = cancelled.cancelled() => Some(TurnOutcome::Cancelled),
                () = lost.cancelled() => Some(TurnOutcome::Interrupted),
                () = self.interrupted.cancelled() => Some(TurnOutcome::Interrupted),
                () = stopped_while_waiting(&self.context.draining, forms()) => Some(TurnOutcome::Interrupted),
                () = time_limit(policy.timeout(), forms()) => Some(TurnOutcome::TimedOut),
            }
        };
        let ended = driver::drive(handler, ends_early, &outbox, &writer).await;
        if let Some(observed) = &mut observed {
            observed.handler_ended();
        }
        self.context.active.end(&claim.key);
        let is_cancelled = cancelled.is_cancelled();
        if !matches!(ended, HandlerEnd::Returned(_)) {
            // Stops work that the handler has handed to other tasks.
            cancelled.cancel();
        }
        let outcome = match ended {
            HandlerEnd::Returned(result) => TurnOutcome::of(result),
            HandlerEnd::Dropped(Some(outcome)) => outcome,
            HandlerEnd::Dropped(None) | HandlerEnd::Lost => {
                outbox.close();
                self.context.active.forget(&claim.key);
                return Next::Nothing;
            }
        };
        let has_more = claim.attempt <= policy.retries();
        let next = match outcome.retry_after(claim.attempt).filter(|_| has_more) {
            // The turn was cancelled at the moment when it failed.
            Some(_) if is_cancelled => writer.finish(TurnOutcome::Cancelled, observed).await.into(),
            Some(delay) => writer.requeue(&outcome, delay, observed).await,
            None => writer.finish(outcome, observed).await.into(),
        };
        self.context.active.forget(&claim.key);
        next
    }
}

/// The message of a turn, without the answers that are sealed.
fn request_of(claim: &Claim) -> WorkerRequest {
    let (thread, event) = (claim.thread.thread.clone(), claim.event.clone());
    WorkerRequest::of(thread, event, claim.attempt).with_stored_identity(claim.identity.as_deref())
}

/// The attempt, as middleware sees it.
fn attempt_of(agent: &AgentDefinition, claim: &Claim) -> TurnAttempt {
    let request = request_of(claim);
    let run_id = claim.run.as_ref().map(|run| run.id.clone());
    TurnAttempt::new(agent.name(), run_id, request)
}

/// Calls the middleware and the handler, and sends the value that the handler returns. A panic becomes an error.
fn handler_of(
    runner: &Runner,
    agent: &AgentDefinition,
    claim: &Claim,
    outbox: &Arc<Outbox>,
    cancellation: &CancellationToken,
    before: Option<Arc<Attempt>>,
) -> impl Future<Output = Result<(), AgentError>> + Send + use<> {
    let request = request_of(claim);
    let secrets = runner.answer_keys.open(claim);
    let response = WorkerResponse::new(Arc::clone(outbox));
    let agent = agent.clone();
    let settings = WorkerSettingsHandle {
        live: Arc::clone(&runner.settings),
        worker: WorkerKey {
            agent: agent.name().to_owned(),
            worker_id: claim.thread.thread.worker_id.clone(),
        },
    };
    let is_concurrent = agent.policy().on_busy() == OnBusy::Concurrent;
    let memory = TurnMemory::of_claim(
        Arc::clone(&runner.context.store),
        claim,
        outbox,
        is_concurrent,
    );
    let states = Arc::clone(&runner.states);
    // A child token, so that a handler that cancels its own token stops its own work and not the turn.
    let cancellation = cancellation.child_token();
    let work = async move {
        if let Some(attempt) = before {
            attempt.before().await?;
        }
        let request = request.with_secrets(secrets?);
        let turn = Turn::new(request, response.clone());
        let turn = turn.within(settings, memory, states, cancellation);
        let answer = agent.call(turn).await?;
        match answer.into_kind() {
            AnswerKind::Nothing => {}
            // These replies are stored together with the end of the run.
            AnswerKind::One(reply) => drop(response.send(*reply)),
            AnswerKind::Several(replies) => {
                for reply in replies {
                    drop(response.send(reply));
                }
            }
            AnswerKind::Text(reply) => response.stream_reply(reply).await?,
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
        .map(|result| result.unwrap_or_else(|panic| Err(panic_text("the handler", panic).into())))
}
