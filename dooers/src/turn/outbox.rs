//! What a handler has sent and the store has not yet taken.

use crate::AgentError;
use crate::protocol::{Actor, Run, RunStatus, ThreadEvent, new_id, strip_nul};
use crate::reply::Reply;
use crate::store::{ThreadPatch, TurnChange};
use chrono::{DateTime, Utc};
use futures::task::AtomicWaker;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tokio::sync::oneshot;

/// One thing that a handler did to its thread.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Draft {
    Event {
        id: String,
        run_id: Option<String>,
        reply: Box<Reply>,
    },
    Thread(ThreadPatch),
    RunStarted {
        id: String,
    },
    RunEnded {
        id: String,
        status: RunStatus,
        error: Option<String>,
    },
}

impl Draft {
    /// What the store is to do. `at` is now.
    pub(crate) fn into_change(
        self,
        thread_id: &str,
        agent: &str,
        assistant_name: &str,
        at: DateTime<Utc>,
    ) -> TurnChange {
        let run = |id, status, ended_at, error| {
            TurnChange::Run(Run {
                id,
                thread_id: thread_id.to_owned(),
                agent_id: Some(agent.to_owned()),
                status,
                started_at: at,
                ended_at,
                error,
            })
        };
        match self {
            Self::Event { id, run_id, reply } => {
                let author = match reply.actor {
                    Actor::Assistant => reply.author.or_else(|| Some(assistant_name.to_owned())),
                    Actor::User | Actor::System | Actor::Tool => reply.author,
                };
                TurnChange::Event(Box::new(ThreadEvent {
                    id,
                    thread_id: thread_id.to_owned(),
                    run_id,
                    kind: reply.kind,
                    actor: reply.actor,
                    author: author.map(strip_nul),
                    user: None,
                    content: reply.content,
                    data: reply.data,
                    created_at: at,
                    streaming: None,
                    finalized: None,
                    delta_seq: None,
                    client_event_id: None,
                    seq: 0,
                }))
            }
            Self::Thread(patch) => TurnChange::Patch { patch, at },
            Self::RunStarted { id } => run(id, RunStatus::Running, None, None),
            Self::RunEnded { id, status, error } => run(id, status, Some(at), error),
        }
    }
}

/// A draft and who waits for it to be stored.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) draft: Draft,
    pub(crate) stored: oneshot::Sender<Result<(), AgentError>>,
}

/// The drafts of one turn, in the order in which they were sent.
///
/// Nothing is written while the handler runs without waiting: all that it sent until then goes into one
/// transaction.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    changed: AtomicWaker,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    pending: Vec<Pending>,
    /// The run that new events belong to.
    run_id: Option<String>,
    has_manual_runs: bool,
}

#[derive(Debug)]
enum Mode {
    Live,
    /// In a unit test: drafts are kept and count as stored at once.
    Recording(Vec<Draft>),
    Closed,
}

impl Outbox {
    /// The outbox of a running turn.
    pub(crate) fn live(run_id: Option<String>, has_manual_runs: bool) -> Self {
        Self::of(Mode::Live, run_id, has_manual_runs)
    }

    /// An outbox that keeps what is sent.
    pub(crate) fn recording() -> Self {
        Self::of(Mode::Recording(Vec::new()), None, true)
    }

    fn of(mode: Mode, run_id: Option<String>, has_manual_runs: bool) -> Self {
        Self {
            state: Mutex::new(State {
                mode,
                pending: Vec::new(),
                run_id,
                has_manual_runs,
            }),
            changed: AtomicWaker::new(),
        }
    }

    /// Sends an event; the result is its id.
    pub(crate) fn send(&self, reply: Reply) -> (String, oneshot::Receiver<Result<(), AgentError>>) {
        let mut state = self.state();
        let id = new_id();
        let draft = Draft::Event {
            id: id.clone(),
            run_id: state.run_id.clone(),
            reply: Box::new(reply),
        };
        (id, self.push(&mut state, draft))
    }

    /// Changes the thread's own row.
    pub(crate) fn patch(&self, patch: ThreadPatch) -> oneshot::Receiver<Result<(), AgentError>> {
        self.push(&mut self.state(), Draft::Thread(patch))
    }

    /// Starts a run; the result is its id.
    pub(crate) fn start_run(&self) -> (String, oneshot::Receiver<Result<(), AgentError>>) {
        let mut state = self.state();
        if !state.has_manual_runs {
            let reason = "the server starts and ends this agent's runs; to do it yourself, write `#[dooers::agent(run = \"manual\")]`";
            return (String::new(), refused(reason));
        }
        if state.run_id.is_some() {
            return (
                String::new(),
                refused("a run is still open; call `run_end` before the next `run_start`"),
            );
        }
        let id = new_id();
        state.run_id = Some(id.clone());
        let draft = Draft::RunStarted { id: id.clone() };
        (id, self.push(&mut state, draft))
    }

    /// Ends the open run; the result is its id.
    pub(crate) fn end_run(
        &self,
        status: RunStatus,
        error: Option<String>,
    ) -> (String, oneshot::Receiver<Result<(), AgentError>>) {
        let mut state = self.state();
        if !state.has_manual_runs {
            let reason = "the server starts and ends this agent's runs; to do it yourself, write `#[dooers::agent(run = \"manual\")]`";
            return (String::new(), refused(reason));
        }
        let Some(id) = state.run_id.take() else {
            return (
                String::new(),
                refused("no run is open; call `run_start` before `run_end`"),
            );
        };
        let draft = Draft::RunEnded {
            id: id.clone(),
            status,
            error,
        };
        (id, self.push(&mut state, draft))
    }

    /// All that waits, in order.
    pub(crate) fn take(&self) -> Vec<Pending> {
        std::mem::take(&mut self.state().pending)
    }

    /// Whether anything waits; if not, the waker is called once something does.
    pub(crate) fn has_pending(&self, waker: &Waker) -> bool {
        self.changed.register(waker);
        !self.state().pending.is_empty()
    }

    /// The turn has ended: takes what waits, and refuses everything that comes later.
    pub(crate) fn close(&self) -> (Vec<Pending>, Option<String>) {
        let mut state = self.state();
        state.mode = Mode::Closed;
        (std::mem::take(&mut state.pending), state.run_id.take())
    }

    /// What was sent to a recording outbox.
    pub(crate) fn recorded(&self) -> Vec<Draft> {
        match &self.state().mode {
            Mode::Recording(drafts) => drafts.clone(),
            Mode::Live | Mode::Closed => Vec::new(),
        }
    }

    fn push(&self, state: &mut State, draft: Draft) -> oneshot::Receiver<Result<(), AgentError>> {
        let (stored, receiver) = oneshot::channel();
        match &mut state.mode {
            Mode::Live => {
                state.pending.push(Pending { draft, stored });
                self.changed.wake();
                receiver
            }
            Mode::Recording(drafts) => {
                drafts.push(draft);
                answered(Ok(()))
            }
            Mode::Closed => refused("the turn has ended; nothing can be sent any more"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(reason: &str) -> oneshot::Receiver<Result<(), AgentError>> {
    answered(Err(AgentError::from(reason)))
}

fn answered(result: Result<(), AgentError>) -> oneshot::Receiver<Result<(), AgentError>> {
    let (sender, receiver) = oneshot::channel();
    // The receiver is right here, so the sending cannot fail.
    let _ = sender.send(result);
    receiver
}
