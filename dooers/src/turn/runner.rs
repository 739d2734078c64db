//! Runs the turns of this process.

use super::active::{ActiveTurn, ActiveTurns};
use super::driver::{self, Ended};
use super::outcome::Outcome;
use super::poll_time::Measured;
use super::publisher::Publisher;
use super::writer::TurnWriter;
use super::{
    AnswerKeys, Outbox, Turn, TurnMemory, WorkerRequest, WorkerResponse, WorkerSettingsHandle,
};
use crate::AgentError;
use crate::agent::AgentDefinition;
use crate::hub::{ChangeSender, Hub};
use crate::policy::OnBusy;
use crate::protocol::{new_id, timestamp};
use crate::reply::AnswerKind;
use crate::settings::LiveSettings;
use crate::state::States;
use crate::store::{
    Claim, LONGEST_BACK_OFF, Scope, Start, Store, StoreError, Waiting, WorkerKey, time_until_due,
};
use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// How long to wait before the database is asked again that did not answer.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Runs the turns of this process: one task a thread that has any, or one a turn if they run side by side.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Hub,
    pub(super) publisher: Publisher,
    settings: Arc<LiveSettings>,
    pub(crate) answer_keys: AnswerKeys,
    states: Arc<States>,
    node: String,
    pub(super) assistant_name: String,
    tasks: TaskTracker,
    /// How long a turn belongs to a process that does not renew that.
    lease: Duration,
    /// Turns that wait are left to wait.
    pub(super) draining: CancellationToken,
    /// Turns that run are ended as interrupted.
    interrupted: CancellationToken,
    /// What is left is dropped.
    pub(super) stopped: CancellationToken,
    active: ActiveTurns,
}

impl Runner {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        (hub, changes): (Hub, ChangeSender),
        settings: Arc<LiveSettings>,
        answer_keys: AnswerKeys,
        states: Arc<States>,
        assistant_name: String,
        lease: Duration,
    ) -> Self {
        Self {
            store,
            hub,
            publisher: Publisher::new(changes),
            settings,
            answer_keys,
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

    /// The path by which every change of a thread is committed and published.
    pub(crate) fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// How this process starts a turn of this agent.
    pub(crate) fn start_of(&self, agent: &AgentDefinition) -> Start {
        let at = timestamp::now();
        Start {
            node: self.node.clone(),
            run_id: (!agent.has_manual_runs()).then(new_id),
            at,
            lease: self.lease,
            retries: agent.policy().retries(),
            on_busy: agent.policy().on_busy(),
        }
    }

    /// Keeps this process's turns for longer, and drops those that are its own no more.
    ///
    /// # Errors
    ///
    /// Whatever the store says. The turns go on then: see [`lose_all`](Self::lose_all).
    pub(crate) async fn renew(&self) -> Result<(), StoreError> {
        let mut lost = self.active.fences();
        if lost.is_empty() {
            return Ok(());
        }
        for held in self.store.renew_leases(&self.node, self.lease).await? {
            lost.remove(&held.event_id);
            if held.is_cancelled {
                // Perhaps by way of another process.
                self.active.cancel(&held.event_id);
            }
        }
        // One that ended meanwhile is not to be found either, neither there nor here.
        let turns = self.active.lose(&lost);
        if turns > 0 {
            tracing::warn!(target: "dooers::turn", turns, "another process has taken over turns of this one; their handlers are dropped");
        }
        Ok(())
    }

    /// Drops the handlers of all turns: another process may have taken them over. Those that it has not end as
    /// interrupted once the database answers.
    pub(crate) fn lose_all(&self) {
        let all = self.active.fences();
        self.active.lose(&all);
    }

    /// Runs what waits in a thread, now or when it may be tried again. A process that stops leaves it to the next.
    pub(crate) async fn go_on(
        self: &Arc<Self>,
        agent: AgentDefinition,
        waiting: Waiting,
    ) -> Result<(), StoreError> {
        let is_concurrent = agent.policy().on_busy() == OnBusy::Concurrent;
        let place = (waiting.scope, waiting.thread_id);
        let begins = if is_concurrent {
            waiting.all_from
        } else {
            waiting.not_before
        };
        // The store decides by the same time what is due.
        let now = timestamp::now();
        let later = begins.filter(|at| match is_concurrent {
            // One that is too far ahead is due, and others may not be.
            true => *at > now,
            false => !time_until_due(*at, now).is_zero(),
        });
        let later = later.map(|at| at.min(now + LONGEST_BACK_OFF));
        // Those that run side by side all begin, each that may.
        while (later.is_none() || is_concurrent) && !self.draining.is_cancelled() {
            let start = Start {
                at: now,
                ..self.start_of(&agent)
            };
            let claim = self.store.claim_turn(&place.0, &place.1, &start);
            let Some(claim) = self.publisher.commit(&place.1, claim).await? else {
                break;
            };
            self.run(agent, claim);
        }
        if let Some(at) = later {
            let runner = Arc::clone(self);
            self.spawn(async move {
                while let Some(claim) = runner.claim_at(&agent, &place, at).await {
                    runner.run(agent, claim);
                }
            });
        }
        Ok(())
    }

    /// Claims what waits in a thread once it may be tried again. None if the process stops before, or somebody else has
    /// claimed it.
    async fn claim_at(
        &self,
        agent: &AgentDefinition,
        (scope, thread_id): &(Scope, String),
        not_before: DateTime<Utc>,
    ) -> Option<Claim> {
        let now = timestamp::now();
        let mut wait = time_until_due(not_before, now);
        let due = now + wait;
        // What is due by this clock need not be so by a later time: see `time_until_due`.
        let has_waited = !wait.is_zero();
        loop {
            tokio::select! {
                // First: a process that stops leaves it to the next, though its time may have come.
                biased;
                () = self.draining.cancelled() => return None,
                () = tokio::time::sleep(wait) => {}
            }
            // The clock may be behind: two of them need not agree to the microsecond, and one may be set back.
            let start = Start {
                at: if has_waited {
                    timestamp::now().max(due)
                } else {
                    due
                },
                ..self.start_of(agent)
            };
            let claim = self.store.claim_turn(scope, thread_id, &start);
            match self.publisher.commit(thread_id, claim).await {
                Ok(Some(claim)) => return Some(claim),
                Err(error) if error.is_of_the_database() => {
                    tracing::error!(target: "dooers::turn", error = &error as &dyn std::error::Error, "a turn that waits could not be claimed; trying again");
                    wait = RETRY_AFTER;
                }
                // Claimed by somebody else, or deleted with its thread.
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Runs a claimed turn, and all that wait behind it.
    pub(crate) fn run(self: &Arc<Self>, agent: AgentDefinition, claim: Claim) {
        self.begin(&claim);
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

    fn begin(&self, claim: &Claim) -> ActiveTurn {
        self.active.begin(&claim.key, &self.stopped)
    }

    /// Cancels the turn that answers this message: its handler is dropped, and its run ends canceled.
    pub(crate) fn cancel(&self, event_id: &str) {
        self.active.cancel(event_id);
    }

    /// Drops the handlers of a thread that is no more.
    pub(crate) fn stop(&self, thread_id: &str) {
        self.active.stop(thread_id);
    }

    /// How many turns run.
    pub(crate) fn running_count(&self) -> usize {
        self.active.count()
    }

    /// From now on the turns that wait are left to the next start.
    pub(crate) fn leave_waiting(&self) {
        self.draining.cancel();
    }

    /// Waits for the turns that run. What waits is left to the next start.
    pub(crate) async fn over(&self) {
        self.leave_waiting();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Ends the turns that run as interrupted.
    pub(crate) fn interrupt(&self) {
        let turns = self.active.count();
        if turns > 0 {
            tracing::warn!(target: "dooers::turn", turns, "some turns did not end in time; they are recorded as interrupted");
        }
        self.interrupted.cancel();
    }

    /// Drops what is left of all turns. Their rows stay as they are in the store.
    ///
    /// A handler that never waits cannot be dropped: its thread ends with the process.
    pub(crate) fn give_up(&self) {
        self.stopped.cancel();
    }

    /// Spawns work that ends at the latest when turns are given up.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.stopped.clone();
        // Boxed: what wraps it would hold its memory twice.
        let work = Box::pin(work);
        self.tasks.spawn(stopped.run_until_cancelled_owned(work));
    }

    /// Runs one turn. The result is what comes next in its thread.
    async fn run_one(&self, agent: &AgentDefinition, claim: Claim) -> Next {
        let run_id = claim.run.as_ref().map(|run| run.id.clone());
        let outbox = Arc::new(Outbox::live(
            run_id,
            agent.has_manual_runs(),
            self.answer_keys.clone(),
        ));
        let writer = TurnWriter::new(self, agent, &claim, &outbox);
        let ActiveTurn {
            cancelled,
            lost,
            gone,
            ..
        } = self.begin(&claim);
        let handler = handler_of(self, agent, &claim, &outbox, &cancelled);
        let handler = Measured::new(handler, agent.name(), &claim.event.id);
        let policy = agent.policy();
        let ends_early = async {
            tokio::select! {
                // First what says more: a turn that is cancelled ends so, whatever else happens to it.
                biased;
                () = gone.cancelled() => None,
                () = cancelled.cancelled() => Some(Outcome::Cancelled),
                () = lost.cancelled() => Some(Outcome::Interrupted),
                () = self.interrupted.cancelled() => Some(Outcome::Interrupted),
                () = sleep_for(policy.timeout()) => Some(Outcome::TimedOut),
            }
        };
        let ended = driver::drive(handler, ends_early, &outbox, &writer).await;
        self.active.end(&claim.key);
        let is_cancelled = cancelled.is_cancelled();
        if !matches!(ended, Ended::Returned(_)) {
            // For the work that the handler gave to others.
            cancelled.cancel();
        }
        let outcome = match ended {
            Ended::Returned(result) => Outcome::of(result),
            Ended::Dropped(Some(outcome)) => outcome,
            Ended::Dropped(None) | Ended::Lost => {
                outbox.close();
                return Next::Nothing;
            }
        };
        let has_more = claim.attempt <= policy.retries();
        match outcome.retry_after(claim.attempt).filter(|_| has_more) {
            // A failure at the moment at which it was cancelled.
            Some(_) if is_cancelled => writer.finish(Outcome::Cancelled).await.into(),
            Some(delay) => writer.give_back(&outcome, delay).await,
            None => writer.finish(outcome).await.into(),
        }
    }
}

/// What comes next in a thread.
pub(super) enum Next {
    Turn(Box<Claim>),
    /// A turn may be tried again from this time on.
    NotBefore(DateTime<Utc>),
    Nothing,
}

impl From<Option<Claim>> for Next {
    fn from(claim: Option<Claim>) -> Self {
        claim.map_or(Self::Nothing, |claim| Self::Turn(Box::new(claim)))
    }
}

/// For ever, without a limit.
async fn sleep_for(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
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
    let (thread, event) = (claim.thread.thread.clone(), claim.event.clone());
    let request = WorkerRequest::of(thread, event, claim.attempt);
    let secrets = runner.answer_keys.open(claim);
    let response = WorkerResponse::new(Arc::clone(outbox));
    let agent = *agent;
    let settings = WorkerSettingsHandle {
        live: Arc::clone(&runner.settings),
        worker: WorkerKey {
            agent: agent.name().to_owned(),
            worker_id: claim.thread.thread.worker_id.clone(),
        },
    };
    let is_concurrent = agent.policy().on_busy() == OnBusy::Concurrent;
    let beside_others = is_concurrent.then(|| Arc::clone(outbox));
    let memory = TurnMemory::of_claim(Arc::clone(&runner.store), claim, beside_others);
    let states = Arc::clone(&runner.states);
    // One of its own: a handler that fires it, by a guard that it drops, stops its own work and not its turn.
    let cancellation = cancellation.child_token();
    let work = async move {
        let request = request.with_secrets(secrets?);
        let turn = Turn::new(request, response.clone());
        let turn = turn.within(settings, memory, states, cancellation);
        let answer = agent.call(turn).await?;
        match answer.into_kind() {
            AnswerKind::Nothing => {}
            // It is stored together with the end of the run.
            AnswerKind::One(reply) => drop(response.send(*reply)),
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
        .map(|result| result.unwrap_or_else(|panic| Err(AgentError::from(panic_text(&*panic)))))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the handler panicked: {}", text.unwrap_or("(no message)"))
}
