//! Renewing the leases of this process's turns, and taking over turns of dead processes.

use super::server_state::ServerState;
use crate::protocol::timestamp;
use crate::store::{HeldTurn, PendingThread, Recovered, StoreError};
use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

impl ServerState {
    /// Renews the leases of this process's turns and takes over turns whose lease expired, until the server has
    /// stopped. Then it no longer waits for the database, because no turns are left.
    pub(super) async fn keep_leases(self: Arc<Self>) {
        self.stopped.run_until_cancelled(self.keep_on()).await;
    }

    async fn keep_on(&self) {
        let lease = self.config.lease;
        let pause = self.config.renewal_pause();
        let mut renewed = Instant::now();
        loop {
            self.search_until(Instant::now() + pause, renewed + lease)
                .await;
            let now = Instant::now();
            let held = match self
                .drop_at_deadline(renewed + lease, self.runner.renew())
                .await
            {
                Ok(held) => held,
                Err(error) => {
                    tracing::error!(target: "dooers::turn", error = &error as &dyn std::error::Error, "the leases of the running turns could not be renewed");
                    if renewed.elapsed() + pause >= lease {
                        // The next attempt would come too late.
                        self.runner.lose_all();
                    }
                    continue;
                }
            };
            renewed = now;
            if let Err(error) = self
                .drop_at_deadline(renewed + lease, self.resume(held))
                .await
            {
                tracing::error!(target: "dooers::turn", error = &error as &dyn std::error::Error, "turns whose claims had no answer could not be resumed");
            }
            self.search(renewed + lease).await;
        }
    }

    /// Waits until it is time to renew the leases, and takes over turns of dead processes meanwhile.
    async fn search_until(&self, renew_at: Instant, lease_ends: Instant) {
        let pause = self.config.search_pause();
        loop {
            let search_at = Instant::now() + pause;
            tokio::select! {
                () = sleep_until(renew_at) => return,
                () = self.renew_soon.notified() => return,
                () = sleep_until(search_at), if self.broker.has_others() => {}
            }
            self.search(lease_ends).await;
        }
    }

    async fn search(&self, lease_ends: Instant) {
        let searching = self.drop_at_deadline(lease_ends, self.take_over());
        if let Err(error) = searching.await {
            tracing::error!(target: "dooers::turn", error = &error as &dyn std::error::Error, "turns of a dead process could not be taken over");
        }
    }

    /// Waits for work that uses the database. If it takes until the leases end, this process drops its turns, because
    /// another process may take them over.
    async fn drop_at_deadline<T>(&self, lease_ends: Instant, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep_until(lease_ends) => self.runner.lose_all(),
        }
        work.await
    }

    /// Takes over the turns that dead processes left, and starts the turns that are queued after them.
    pub(super) async fn recover(&self) -> Result<(), StoreError> {
        self.take(self.store.recover()).await
    }

    /// Runs those of these turns of this process that it does not know. Returns the threads in which that is still uncertain.
    pub(super) async fn resume(&self, all: Vec<HeldTurn>) -> Result<HashSet<String>, StoreError> {
        let mut uncertain = HashSet::new();
        for held in all {
            let Some(agent) = self.agent(&held.scope.agent) else {
                continue;
            };
            if !self.runner.resume(agent, &held).await? {
                uncertain.insert(held.key.thread_id);
            }
        }
        Ok(uncertain)
    }

    pub(super) async fn take_over(&self) -> Result<(), StoreError> {
        self.take(self.store.expire_leases(timestamp::now())).await
    }

    async fn take(
        &self,
        ending: impl Future<Output = Result<Recovered, StoreError>>,
    ) -> Result<(), StoreError> {
        let publisher = self.runner.publisher();
        let report = |recovered: &mut Recovered| {
            for thread in &recovered.changes {
                publisher.report_lost(&thread.changes);
            }
        };
        let recovered = publisher.commit_anywhere(ending, report).await?;
        for event_id in &recovered.interrupted_messages {
            tracing::warn!(target: "dooers::turn", event_id, "a turn was interrupted, because its process stopped or died");
        }
        let (interrupted, retried) = (recovered.interrupted, recovered.retried);
        if interrupted + retried > 0 {
            tracing::warn!(target: "dooers::server", interrupted, retried, "took over turns of dead processes");
        }
        self.resume_pending(recovered.waiting).await
    }

    /// Starts the turns that are queued in these threads, now or as soon as they may be retried.
    pub(super) async fn resume_pending(
        &self,
        threads: impl IntoIterator<Item = PendingThread>,
    ) -> Result<(), StoreError> {
        for waiting in threads {
            let Some(agent) = self.agent(&waiting.scope.agent) else {
                tracing::warn!(target: "dooers::server", agent = waiting.scope.agent, thread_id = waiting.thread_id, "a queued message is for an agent that this program does not serve");
                continue;
            };
            self.runner.resume_pending(agent, waiting).await?;
        }
        Ok(())
    }
}
