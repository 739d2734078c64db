//! A store that counts calls and can hold or lose their responses.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dooers::protocol::{AnalyticsEvent, Run, Thread, ThreadEvent};
use dooers::store::{
    AnalyticsFilter, BatchClaim, BeginOutcome, Cancel, Cancelled, CatchUp, Change, Claim,
    ClaimOptions, Edited, EventPage, EventQuery, Feedback, FeedbackDay, FeedbackPeriod,
    FeedbackQuery, FinishOutcome, GivenFeedback, HeldTurn, MemoryStore, NewFeedback, NewMessage,
    NodeInfo, NodeReport, NodeStore, OutboxBatch, OutboxStore, PageLimit, Participant, Position,
    Recovered, Retried, RunQuery, Scope, Snapshot, SnapshotFrom, Store, StoreError, StoredSetting,
    ThreadCursor, ThreadDraft, ThreadEdit, ThreadPage, ThreadQuery, ThreadRecord, TitleSearch,
    TurnChange, TurnKey, TurnState, UsageQuery, UsageSum, WorkerKey,
};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A store that counts its calls and whose responses can be held: the operation is done, but the caller does not
/// know yet.
#[derive(Debug)]
pub struct SpyStore {
    inner: Arc<dyn Store>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<&'static str, usize>,
    holds: HashMap<&'static str, (oneshot::Sender<()>, oneshot::Receiver<()>)>,
    loses: HashSet<&'static str>,
    fails: HashMap<&'static str, String>,
}

/// A held response, or one that will be held. Dropping it releases the response.
#[derive(Debug)]
pub struct HeldCall {
    reached: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl HeldCall {
    /// Waits until the call is done and its response is held.
    pub async fn reached(&mut self) {
        crate::within("a call of the store", &mut self.reached)
            .await
            .expect("the store is open");
    }

    /// Releases the response.
    pub fn release(self) {
        // The caller may be gone.
        let _ = self.release.send(());
    }
}

impl SpyStore {
    /// A spy on an empty in-memory store.
    #[must_use]
    pub fn memory() -> Arc<Self> {
        Self::over(Arc::new(MemoryStore::new()))
    }

    /// A spy on this store.
    #[must_use]
    pub fn over(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            state: Mutex::default(),
        })
    }

    /// The number of calls of this method.
    #[must_use]
    pub fn calls(&self, method: &str) -> usize {
        self.state().calls.get(method).copied().unwrap_or_default()
    }

    /// Holds the response to the next call of this method.
    pub fn hold(&self, method: &'static str) -> HeldCall {
        let (tell, reached) = oneshot::channel();
        let (release, released) = oneshot::channel();
        self.state().holds.insert(method, (tell, released));
        HeldCall { reached, release }
    }

    /// Loses the response to the next call of a method that changes something: the change is stored, but the caller
    /// receives `Unavailable`.
    pub fn lose(&self, method: &'static str) {
        self.state().loses.insert(method);
    }

    /// Lets the next call of `ping`, `threads` or a method that changes something fail with this error of the database.
    pub fn fail(&self, method: &'static str, error: impl Into<String>) {
        self.state().fails.insert(method, error.into());
    }

    /// The response of a method, unless it is to be lost or to fail.
    fn answer<T>(
        &self,
        method: &'static str,
        outcome: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(error) = self.state().fails.remove(method) {
            return Err(StoreError::Failed {
                what: method,
                source: error.into(),
            });
        }
        if self.state().loses.remove(method) {
            return Err(StoreError::Unavailable {
                what: method,
                source: "the answer was lost".into(),
            });
        }
        outcome
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn done(&self, method: &'static str) {
        let hold = {
            let mut state = self.state();
            *state.calls.entry(method).or_default() += 1;
            state.holds.remove(method)
        };
        if let Some((tell, released)) = hold {
            // The test may have ended.
            let _ = tell.send(());
            let _ = released.await;
        }
    }
}

impl dooers::__private::OwnStore for SpyStore {}

#[async_trait]
impl Store for SpyStore {
    async fn begin_turn(
        &self,
        scope: &Scope,
        message: NewMessage,
        start: &ClaimOptions,
    ) -> Result<BeginOutcome, StoreError> {
        let outcome = self.inner.begin_turn(scope, message, start).await;
        self.done("begin_turn").await;
        self.answer("begin_turn", outcome)
    }

    async fn claim_turn(
        &self,
        scope: &Scope,
        thread_id: &str,
        start: &ClaimOptions,
    ) -> Result<Option<Claim>, StoreError> {
        let outcome = self.inner.claim_turn(scope, thread_id, start).await;
        self.done("claim_turn").await;
        self.answer("claim_turn", outcome)
    }

    async fn resume_turn(&self, scope: &Scope, turn: &TurnKey) -> Result<Claim, StoreError> {
        let outcome = self.inner.resume_turn(scope, turn).await;
        self.done("resume_turn").await;
        outcome
    }

    fn may_lose_answers(&self) -> bool {
        true
    }

    async fn settled(&self) -> Result<(), StoreError> {
        let outcome = self.inner.settled().await;
        self.done("settled").await;
        self.answer("settled", outcome)
    }

    async fn write_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
    ) -> Result<Vec<Change>, StoreError> {
        let outcome = self.inner.write_turn(scope, turn, changes).await;
        self.done("write_turn").await;
        self.answer("write_turn", outcome)
    }

    async fn finish_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        next: Option<&ClaimOptions>,
    ) -> Result<FinishOutcome, StoreError> {
        let outcome = self.inner.finish_turn(scope, turn, changes, next).await;
        self.done("finish_turn").await;
        self.answer("finish_turn", outcome)
    }

    async fn retry_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        not_before: DateTime<Utc>,
    ) -> Result<Retried, StoreError> {
        let outcome = self
            .inner
            .retry_turn(scope, turn, changes, not_before)
            .await;
        self.done("retry_turn").await;
        self.answer("retry_turn", outcome)
    }

    async fn cancel_turn(
        &self,
        scope: Option<&Scope>,
        cancel: &Cancel,
    ) -> Result<Cancelled, StoreError> {
        let outcome = self.inner.cancel_turn(scope, cancel).await;
        self.done("cancel_turn").await;
        self.answer("cancel_turn", outcome)
    }

    async fn turn_state(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<TurnState, StoreError> {
        let outcome = self.inner.turn_state(scope, thread_id, event_id).await;
        self.done("turn_state").await;
        outcome
    }

    async fn recover(&self) -> Result<Recovered, StoreError> {
        self.inner.recover().await
    }

    async fn renew_leases(&self, node: &str, lease: Duration) -> Result<Vec<HeldTurn>, StoreError> {
        let outcome = self.inner.renew_leases(node, lease).await;
        self.done("renew_leases").await;
        self.answer("renew_leases", outcome)
    }

    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError> {
        let outcome = self.inner.expire_leases(at).await;
        self.done("expire_leases").await;
        self.answer("expire_leases", outcome)
    }

    async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<ThreadRecord, StoreError> {
        let outcome = self.inner.thread(scope, thread_id).await;
        self.done("thread").await;
        outcome
    }

    async fn thread_rows(&self, thread_ids: &[String]) -> Result<Vec<ThreadRecord>, StoreError> {
        let outcome = self.inner.thread_rows(thread_ids).await;
        self.done("thread_rows").await;
        outcome
    }

    async fn thread_revs(&self, thread_ids: &[String]) -> Result<HashMap<String, u64>, StoreError> {
        let outcome = self.inner.thread_revs(thread_ids).await;
        self.done("thread_revs").await;
        outcome
    }

    async fn open_turns(&self, event_ids: &[String]) -> Result<HashSet<String>, StoreError> {
        let outcome = self.inner.open_turns(event_ids).await;
        self.done("open_turns").await;
        outcome
    }

    async fn threads(
        &self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError> {
        let outcome = self.inner.threads(scope, after, limit).await;
        self.done("threads").await;
        self.answer("threads", outcome)
    }

    async fn search_threads(
        &self,
        scope: &Scope,
        search: &TitleSearch,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError> {
        let outcome = self.inner.search_threads(scope, search, after, limit).await;
        self.done("search_threads").await;
        outcome
    }

    async fn find_threads(
        &self,
        scope: &Scope,
        query: &ThreadQuery,
    ) -> Result<Vec<Thread>, StoreError> {
        let outcome = self.inner.find_threads(scope, query).await;
        self.done("find_threads").await;
        outcome
    }

    async fn snapshot_for(
        &self,
        scope: &Scope,
        reader: Option<&Participant>,
        thread_id: &str,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Result<Snapshot, StoreError> {
        let reading = self
            .inner
            .snapshot_for(scope, reader, thread_id, from, bytes);
        let outcome = reading.await;
        self.done("snapshot").await;
        outcome
    }

    async fn events(
        &self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: PageLimit,
    ) -> Result<EventPage, StoreError> {
        let outcome = self
            .inner
            .events(scope, thread_id, before_event_id, limit)
            .await;
        self.done("events").await;
        outcome
    }

    async fn find_events(
        &self,
        scope: &Scope,
        thread_id: &str,
        query: &EventQuery,
    ) -> Result<Vec<ThreadEvent>, StoreError> {
        let outcome = self.inner.find_events(scope, thread_id, query).await;
        self.done("find_events").await;
        outcome
    }

    async fn event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, StoreError> {
        let outcome = self.inner.event(scope, thread_id, event_id).await;
        self.done("event").await;
        outcome
    }

    async fn find_runs(&self, scope: &Scope, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        let outcome = self.inner.find_runs(scope, query).await;
        self.done("find_runs").await;
        outcome
    }

    async fn run(&self, scope: &Scope, thread_id: &str, run_id: &str) -> Result<Run, StoreError> {
        let outcome = self.inner.run(scope, thread_id, run_id).await;
        self.done("run").await;
        outcome
    }

    async fn catch_up(
        &self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: PageLimit,
    ) -> Result<CatchUp, StoreError> {
        let outcome = self.inner.catch_up(scope, thread_id, position, limit).await;
        self.done("catch_up").await;
        outcome
    }

    async fn create_thread(&self, scope: &Scope, draft: ThreadDraft) -> Result<Change, StoreError> {
        let outcome = self.inner.create_thread(scope, draft).await;
        self.done("create_thread").await;
        self.answer("create_thread", outcome)
    }

    async fn edit_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Edited, StoreError> {
        let outcome = self.inner.edit_thread(scope, thread_id, edit).await;
        self.done("edit_thread").await;
        self.answer("edit_thread", outcome)
    }

    async fn give_feedback(
        &self,
        scope: &Scope,
        given: NewFeedback,
    ) -> Result<GivenFeedback, StoreError> {
        let outcome = self.inner.give_feedback(scope, given).await;
        self.done("give_feedback").await;
        self.answer("give_feedback", outcome)
    }

    async fn find_feedback(
        &self,
        scope: &Scope,
        query: &FeedbackQuery,
    ) -> Result<Vec<Feedback>, StoreError> {
        let outcome = self.inner.find_feedback(scope, query).await;
        self.done("find_feedback").await;
        outcome
    }

    async fn count_feedback(
        &self,
        scope: &Scope,
        period: FeedbackPeriod,
    ) -> Result<Vec<FeedbackDay>, StoreError> {
        let outcome = self.inner.count_feedback(scope, period).await;
        self.done("count_feedback").await;
        outcome
    }

    async fn sum_usage(
        &self,
        scope: &Scope,
        query: &UsageQuery,
    ) -> Result<Vec<UsageSum>, StoreError> {
        let outcome = self.inner.sum_usage(scope, query).await;
        self.done("sum_usage").await;
        outcome
    }

    async fn has_usage(&self, usage_id: &str) -> Result<bool, StoreError> {
        let outcome = self.inner.has_usage(usage_id).await;
        self.done("has_usage").await;
        outcome
    }

    async fn delete_thread(&self, scope: &Scope, thread_id: &str) -> Result<Change, StoreError> {
        let outcome = self.inner.delete_thread(scope, thread_id).await;
        self.done("delete_thread").await;
        self.answer("delete_thread", outcome)
    }

    async fn settings(&self, worker: &WorkerKey) -> Result<Vec<StoredSetting>, StoreError> {
        let outcome = self.inner.settings(worker).await;
        self.done("settings").await;
        outcome
    }

    async fn setting_versions(
        &self,
        workers: &[WorkerKey],
    ) -> Result<HashMap<WorkerKey, u64>, StoreError> {
        let outcome = self.inner.setting_versions(workers).await;
        self.done("setting_versions").await;
        outcome
    }

    async fn forget_sent(
        &self,
        deleted_before: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let outcome = self.inner.forget_sent(deleted_before, limit).await;
        self.done("forget_sent").await;
        outcome
    }

    async fn put_settings(
        &self,
        worker: &WorkerKey,
        settings: Vec<StoredSetting>,
    ) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let outcome = self.inner.put_settings(worker, settings).await;
        self.done("put_settings").await;
        self.answer("put_settings", outcome)
    }

    async fn remove_setting(&self, worker: &WorkerKey, field_id: &str) -> Result<(), StoreError> {
        let outcome = self.inner.remove_setting(worker, field_id).await;
        self.done("remove_setting").await;
        self.answer("remove_setting", outcome)
    }

    async fn setting_keys(&self) -> Result<Vec<String>, StoreError> {
        let outcome = self.inner.setting_keys().await;
        self.done("setting_keys").await;
        outcome
    }

    async fn turn_keys(&self) -> Result<Vec<String>, StoreError> {
        let outcome = self.inner.turn_keys().await;
        self.done("turn_keys").await;
        outcome
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let outcome = self.inner.ping().await;
        self.done("ping").await;
        self.answer("ping", outcome)
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl OutboxStore for SpyStore {
    fn keep_outbox(&self, filter: Option<AnalyticsFilter>) {
        self.inner.keep_outbox(filter);
    }

    async fn append_outbox(&self, events: Vec<AnalyticsEvent>) -> Result<(), StoreError> {
        self.inner.append_outbox(events).await
    }

    async fn claim_batch(&self, claim: &BatchClaim) -> Result<Option<OutboxBatch>, StoreError> {
        self.inner.claim_batch(claim).await
    }

    async fn remove_batch(&self, batch_id: &str) -> Result<(), StoreError> {
        self.inner.remove_batch(batch_id).await
    }

    async fn retry_batch(
        &self,
        node: &str,
        batch_id: &str,
        wait: Duration,
    ) -> Result<(), StoreError> {
        self.inner.retry_batch(node, batch_id, wait).await
    }

    async fn trim_outbox(&self, limit: usize) -> Result<usize, StoreError> {
        self.inner.trim_outbox(limit).await
    }
}

#[async_trait]
impl NodeStore for SpyStore {
    async fn report_node(&self, report: &NodeReport, lease: Duration) -> Result<(), StoreError> {
        let outcome = self.inner.report_node(report, lease).await;
        self.done("report_node").await;
        self.answer("report_node", outcome)
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.inner.nodes().await
    }

    async fn remove_node(&self, id: &str) -> Result<(), StoreError> {
        self.inner.remove_node(id).await
    }

    async fn remove_dead_nodes(&self, dead_for: Duration) -> Result<(), StoreError> {
        self.inner.remove_dead_nodes(dead_for).await
    }
}
