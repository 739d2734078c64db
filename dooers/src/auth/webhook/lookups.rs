//! Lookups of tokens: kept decisions, and shared requests.

use super::asker::{Asker, Question};
use super::cache::{Cache, Key};
use super::error::AskError;
use crate::auth::{Identity, Refusal};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

type Outcome = Result<Identity, Refusal>;
type Lookup = BoxFuture<'static, Outcome>;

/// Decides about tokens. Simultaneous lookups of one token are one request. A request without anybody who waits for its
/// answer is cancelled.
#[derive(Debug)]
pub(super) struct Lookups {
    asker: Asker,
    permits: Semaphore,
    next_id: AtomicU64,
    /// `true` if the last request got no decision.
    is_failing: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    cache: Cache,
    /// The requests that are being made, each with a unique number.
    running: HashMap<Key, (u64, WeakShared<Lookup>)>,
}

impl Lookups {
    pub(super) fn new(asker: Asker, max_requests: usize, max_cached: usize) -> Self {
        Self {
            asker,
            permits: Semaphore::new(max_requests),
            next_id: AtomicU64::new(0),
            is_failing: AtomicBool::new(false),
            state: Mutex::new(State {
                cache: Cache::new(max_cached),
                running: HashMap::new(),
            }),
        }
    }

    /// Returns the decision about a token.
    pub(super) async fn decide(self: &Arc<Self>, key: Key, question: Question) -> Outcome {
        let lookup = {
            let mut state = self.lock();
            if let Some(outcome) = state.cache.get(&key) {
                return outcome;
            }
            let running = state.running.get(&key);
            match running.and_then(|(_, lookup)| lookup.upgrade()) {
                Some(lookup) => lookup,
                None => self.start(&mut state, key, question),
            }
        };
        lookup.await
    }

    fn start(self: &Arc<Self>, state: &mut State, key: Key, question: Question) -> Shared<Lookup> {
        let running = Running {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            key: key.clone(),
            lookups: Arc::clone(self),
        };
        let id = running.id;
        let lookup: Lookup = Box::pin(async move { running.finish(&question).await });
        let lookup = lookup.shared();
        // A future that was not polled yet has a weak handle.
        if let Some(weak) = lookup.downgrade() {
            state.running.insert(key, (id, weak));
        }
        lookup
    }

    fn record(&self, error: Option<&AskError>) {
        let was_failing = self.is_failing.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !was_failing => {
                tracing::warn!(target: "dooers::auth", error = error as &dyn Error, receiver = %self.asker.url(), "the webhook did not decide about a token; clients are refused until it does");
            }
            Some(error) => {
                tracing::debug!(target: "dooers::auth", error = error as &dyn Error, "the webhook did not decide about a token");
            }
            None if was_failing => {
                tracing::info!(target: "dooers::auth", receiver = %self.asker.url(), "the webhook decides about tokens again");
            }
            None => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being made. It is removed from the list when it ends or is cancelled.
struct Running {
    id: u64,
    key: Key,
    lookups: Arc<Lookups>,
}

impl Running {
    async fn finish(&self, question: &Question) -> Outcome {
        let lookups = &*self.lookups;
        // The semaphore is never closed.
        let _permit = lookups.permits.acquire().await;
        let asked = lookups.asker.ask(question).await;
        lookups.record(asked.as_ref().err());
        match asked {
            Ok(decision) => {
                lookups.lock().cache.keep(self.key.clone(), &decision);
                decision.outcome
            }
            Err(_) => Err(Refusal::cannot_authenticate()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.lookups.lock();
        if state
            .running
            .get(&self.key)
            .is_some_and(|(id, _)| *id == self.id)
        {
            state.running.remove(&self.key);
        }
    }
}
