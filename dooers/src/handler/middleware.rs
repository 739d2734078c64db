//! Middleware around the turns of all agents.

use super::WorkerRequest;
use crate::AgentError;
use futures::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Code that runs before and after each attempt of each turn, for example to log, to trace, to bill or to refuse.
///
/// [`WorkerServer::middleware`](crate::WorkerServer::middleware) adds it.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::{AttemptEnd, AttemptOutcome, TurnAttempt, TurnMiddleware};
///
/// struct Billing;
///
/// impl TurnMiddleware for Billing {
///     async fn before(&self, attempt: &TurnAttempt) -> Result<()> {
///         if attempt.request().organization_id == "broke" {
///             return Err(AgentError::public("There is no credit left."));
///         }
///         Ok(())
///     }
///
///     fn after(&self, attempt: &TurnAttempt, end: &AttemptEnd<'_>) {
///         if let AttemptOutcome::Succeeded = end.outcome() {
///             println!("{} took {:?}", attempt.agent(), end.duration());
///         }
///     }
/// }
///
/// let server = WorkerServer::new(WorkerConfig::new()).middleware(Billing);
/// ```
///
/// # Order
///
/// Middleware is called in the order in which it was added before an attempt, and in the opposite order after it. `after`
/// is called exactly once if `before` of the same middleware returned `Ok`, and not otherwise. The only exception is a
/// process that dies.
///
/// | end of the attempt | `before` | `after` |
/// |---|---|---|
/// | the handler returns or panics | all | all: `Succeeded` or `Failed` |
/// | `before` returns an error or panics | the others behind it are not called | those in front of it: `Failed` |
/// | timeout or cancellation | the one that is running is dropped, like the handler | those whose `before` has returned: `TimedOut` or `Cancelled` |
/// | the turn is queued or withdrawn before its handler starts | none | none |
/// | the attempt fails and is retried | all, again for each attempt | all, for each attempt; [`will_retry`](AttemptEnd::will_retry) is true |
/// | the server stops before the handler ends | all | all: `Interrupted`, or `Lost` if the server gives the turn up |
/// | another process takes the turn over, or the thread is deleted | all | all: `Lost` |
///
/// # Effects on the turn
///
/// An error of `before` ends the attempt as if the handler had returned it: users see its public text, and a
/// [retryable](AgentError::retryable) error is retried. `before` counts towards the `timeout` of the agent.
///
/// `after` cannot change or lose a result. The result is stored and published before `after` is called. A panic of `after`
/// is logged. `after` runs in the task of the thread, so the next turn of the thread waits for it. It must not block: use a
/// channel or `tokio::spawn` for longer work.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not middleware",
    label = "does not implement `TurnMiddleware`",
    note = "implement `TurnMiddleware` for a type of yours, with `before`, `after` or both; a closure cannot be middleware, as it is only one function"
)]
pub trait TurnMiddleware: Send + Sync + 'static {
    /// Runs before the arguments of the handler are created. By default, it does nothing.
    ///
    /// # Errors
    ///
    /// An error ends the attempt. The handler is not called.
    fn before(&self, attempt: &TurnAttempt) -> impl Future<Output = Result<(), AgentError>> + Send {
        let _ = attempt;
        std::future::ready(Ok(()))
    }

    /// Runs after the end of the attempt was stored. By default, it does nothing.
    fn after(&self, attempt: &TurnAttempt, end: &AttemptEnd<'_>) {
        let _ = (attempt, end);
    }
}

/// A program can keep its own reference to a middleware, for example to read counters.
impl<M: TurnMiddleware> TurnMiddleware for Arc<M> {
    async fn before(&self, attempt: &TurnAttempt) -> Result<(), AgentError> {
        M::before(self, attempt).await
    }

    fn after(&self, attempt: &TurnAttempt, end: &AttemptEnd<'_>) {
        M::after(self, attempt, end);
    }
}

/// One attempt of a turn, as middleware sees it.
#[derive(Debug)]
pub struct TurnAttempt {
    agent: &'static str,
    run_id: Option<String>,
    request: WorkerRequest,
}

impl TurnAttempt {
    pub(crate) fn new(agent: &'static str, run_id: Option<String>, request: WorkerRequest) -> Self {
        Self {
            agent,
            run_id,
            request,
        }
    }

    /// The name of the agent.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.agent
    }

    /// The message of the user, without the answers to password fields.
    #[must_use]
    pub fn request(&self) -> &WorkerRequest {
        &self.request
    }

    /// The number of this attempt, from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.request.attempt
    }

    /// The id of the run. `None` if the agent starts its runs itself.
    #[must_use]
    pub fn run_id(&self) -> Option<&str> {
        self.run_id.as_deref()
    }
}

/// The end of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct AttemptEnd<'a> {
    pub(crate) outcome: AttemptOutcome<'a>,
    pub(crate) duration: Duration,
    pub(crate) will_retry: bool,
}

impl<'a> AttemptEnd<'a> {
    /// The outcome of the attempt.
    #[must_use]
    pub fn outcome(&self) -> AttemptOutcome<'a> {
        self.outcome
    }

    /// The time from the start of the attempt to the end of its handler, without the time to store the end.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns true if the turn is queued for another attempt. It can still be withdrawn.
    #[must_use]
    pub fn will_retry(&self) -> bool {
        self.will_retry
    }
}

/// The outcome of an attempt, as it was stored.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum AttemptOutcome<'a> {
    /// The handler returned, and everything that it sent is stored.
    Succeeded,
    /// The handler or a middleware returned an error or panicked, or an event could not be stored.
    Failed(&'a AgentError),
    /// The attempt took longer than the agent's `timeout`.
    TimedOut,
    /// The turn was cancelled, or interrupted by a later message.
    Cancelled,
    /// The server stopped before the handler ended, or its lease may have been lost.
    Interrupted,
    /// The process stored no end, because another process has taken the turn over, the thread was deleted, or the server
    /// gave the turn up when it stopped.
    Lost,
}

/// The middleware of a server, in the order in which it was added.
#[derive(Clone, Default)]
pub(crate) struct Middlewares(Vec<Arc<dyn DynMiddleware>>);

impl Middlewares {
    pub(crate) fn add(&mut self, middleware: impl TurnMiddleware) {
        self.0.push(Arc::new(middleware));
    }

    pub(crate) fn all(&self) -> &[Arc<dyn DynMiddleware>] {
        &self.0
    }
}

impl fmt::Debug for Middlewares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Middlewares").field(&self.0.len()).finish()
    }
}

/// A [`TurnMiddleware`] of any type.
pub(crate) trait DynMiddleware: Send + Sync {
    fn call_before<'a>(&'a self, attempt: &'a TurnAttempt)
    -> BoxFuture<'a, Result<(), AgentError>>;

    fn call_after(&self, attempt: &TurnAttempt, end: &AttemptEnd<'_>);
}

impl<M: TurnMiddleware> DynMiddleware for M {
    fn call_before<'a>(
        &'a self,
        attempt: &'a TurnAttempt,
    ) -> BoxFuture<'a, Result<(), AgentError>> {
        Box::pin(self.before(attempt))
    }

    fn call_after(&self, attempt: &TurnAttempt, end: &AttemptEnd<'_>) {
        self.after(attempt, end);
    }
}
