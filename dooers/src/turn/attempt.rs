//! The middleware calls of one attempt.

use super::outcome::TurnOutcome;
use crate::AgentError;
use crate::error::panic_text;
use crate::handler::{AttemptEnd, AttemptOutcome, DynMiddleware, Middlewares, TurnAttempt};
use futures::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// An attempt that middleware observes. When it is dropped without an end, the attempt is reported as lost.
#[derive(Debug)]
pub(super) struct ObservedAttempt {
    attempt: Arc<Attempt>,
    begun: Instant,
    duration: Option<Duration>,
    is_ended: bool,
}

/// The part that the handler's future shares.
#[derive(Debug)]
pub(super) struct Attempt {
    middlewares: Arc<Middlewares>,
    attempt: TurnAttempt,
    /// The number of middlewares whose `before` has returned `Ok`.
    passed: AtomicUsize,
}

impl ObservedAttempt {
    /// Begins an attempt. `None` if there is no middleware, so that such an attempt costs nothing.
    pub(super) fn begin(
        middlewares: &Arc<Middlewares>,
        attempt: impl FnOnce() -> TurnAttempt,
    ) -> Option<Self> {
        if middlewares.all().is_empty() {
            return None;
        }
        let attempt = Attempt {
            middlewares: Arc::clone(middlewares),
            attempt: attempt(),
            passed: AtomicUsize::new(0),
        };
        Some(Self {
            attempt: Arc::new(attempt),
            begun: Instant::now(),
            duration: None,
            is_ended: false,
        })
    }

    /// The part that the handler's future takes.
    pub(super) fn shared(&self) -> Arc<Attempt> {
        Arc::clone(&self.attempt)
    }

    /// Notes that the handler has ended.
    pub(super) fn handler_ended(&mut self) {
        self.duration = Some(self.begun.elapsed());
    }

    /// Reports the end, which was stored.
    pub(super) fn end(mut self, outcome: &TurnOutcome, will_retry: bool) {
        self.report(outcome.shown(), will_retry);
    }

    fn report(&mut self, outcome: AttemptOutcome<'_>, will_retry: bool) {
        if std::mem::replace(&mut self.is_ended, true) {
            return;
        }
        let end = AttemptEnd {
            outcome,
            duration: self.duration.unwrap_or_else(|| self.begun.elapsed()),
            will_retry,
        };
        for middleware in self.attempt.passed().iter().rev() {
            let after = || middleware.call_after(&self.attempt.attempt, &end);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(after)) {
                let attempt = &self.attempt.attempt;
                let event_id = attempt.request().event_id.as_str();
                tracing::error!(target: "dooers::turn", agent = attempt.agent(), event_id, "{}", panic_text("a middleware", panic));
            }
        }
    }
}

impl Drop for ObservedAttempt {
    fn drop(&mut self) {
        self.report(AttemptOutcome::Lost, false);
    }
}

impl Attempt {
    /// Calls `before` of each middleware, up to the first error.
    pub(super) async fn before(&self) -> Result<(), AgentError> {
        for middleware in self.middlewares.all() {
            // The call is inside of the future, because it may panic as well.
            let before = async { middleware.call_before(&self.attempt).await };
            match AssertUnwindSafe(before).catch_unwind().await {
                Ok(passed) => passed?,
                Err(panic) => return Err(panic_text("a middleware", panic).into()),
            }
            self.passed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn passed(&self) -> &[Arc<dyn DynMiddleware>] {
        let passed = self.passed.load(Ordering::Relaxed);
        self.middlewares.all().get(..passed).unwrap_or_default()
    }
}
