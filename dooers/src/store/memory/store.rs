//! The store in memory.

use super::nodes::MemoryNodes;
use super::outbox::MemoryOutbox;
use super::reading;
use crate::protocol::{AnalyticsEvent, Run, Thread, ThreadEvent, timestamp};
use crate::store::outbox::OutboxSwitch;
use crate::store::rules;
use crate::store::state::{ThreadState, Threads};
use crate::store::{
    AnalyticsFilter, BatchClaim, BeginOutcome, Cancel, Cancelled, CatchUp, Change, Claim,
    ClaimOptions, Edited, EventPage, EventQuery, Feedback, FeedbackDay, FeedbackPeriod,
    FeedbackQuery, FinishOutcome, GivenFeedback, HeldTurn, NewFeedback, NewMessage, NodeInfo,
    NodeReport, NodeStore, OutboxBatch, OutboxStore, PageLimit, Participant, Position, Recovered,
    Retried, RunQuery, Scope, Snapshot, SnapshotFrom, Store, StoreError, StoredSetting,
    ThreadCursor, ThreadDraft, ThreadEdit, ThreadPage, ThreadQuery, ThreadRecord, TitleSearch,
    TurnChange, TurnKey, TurnState, UsageQuery, UsageSum, WorkerKey,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A store in memory, for tests and trials. Its content is lost when the process ends. `Debug` does not show the content.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<MemoryState>,
    outbox: OutboxSwitch,
    /// Locked by tests while the store must not answer reads of rows and events.
    #[cfg(test)]
    pub(crate) unanswered: tokio::sync::RwLock<()>,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct MemoryState {
    threads: Threads,
    settings: HashMap<WorkerKey, BTreeMap<String, StoredSetting>>,
    outbox: MemoryOutbox,
    nodes: MemoryNodes,
}

impl crate::store::OwnStore for MemoryStore {}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, MemoryState> {
        // The state is consistent after a panic, because no method panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes an operation, and stores the analytics events that it adds.
    fn change<T>(
        &self,
        operation: impl FnOnce(&mut Threads) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        state.threads.outbox.filter = self.outbox.filter();
        let outcome = operation(&mut state.threads);
        let added = std::mem::take(&mut state.threads.outbox.events);
        state
            .outbox
            .append(added.into_iter().map(|(_, event)| event));
        outcome
    }
}

impl MemoryState {
    /// Returns the threads that are visible in this scope.
    fn visible<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a ThreadState> {
        let threads = self.threads.by_id.values();
        threads.filter(|thread| thread.is_visible_in(scope))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin_turn(
        &self,
        scope: &Scope,
        message: NewMessage,
        start: &ClaimOptions,
    ) -> Result<BeginOutcome, StoreError> {
        self.change(|threads| rules::begin(threads, scope, &message, start))
    }

    async fn claim_turn(
        &self,
        scope: &Scope,
        thread_id: &str,
        start: &ClaimOptions,
    ) -> Result<Option<Claim>, StoreError> {
        self.change(|threads| rules::claim(threads, scope, thread_id, start))
    }

    async fn resume_turn(&self, scope: &Scope, turn: &TurnKey) -> Result<Claim, StoreError> {
        self.change(|threads| rules::resume(threads, scope, turn))
    }

    async fn write_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
    ) -> Result<Vec<Change>, StoreError> {
        self.change(|threads| rules::write(threads, scope, turn, &changes))
    }

    async fn finish_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        next: Option<&ClaimOptions>,
    ) -> Result<FinishOutcome, StoreError> {
        self.change(|threads| rules::finish(threads, scope, turn, &changes, next))
    }

    async fn retry_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        not_before: DateTime<Utc>,
    ) -> Result<Retried, StoreError> {
        self.change(|threads| rules::retry(threads, scope, turn, &changes, not_before))
    }

    async fn cancel_turn(
        &self,
        scope: Option<&Scope>,
        cancel: &Cancel,
    ) -> Result<Cancelled, StoreError> {
        self.change(|threads| rules::cancel(threads, scope, cancel))
    }

    async fn turn_state(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<TurnState, StoreError> {
        let state = self.state();
        let thread = state.threads.get(scope, thread_id)?;
        thread
            .turn_state(event_id)
            .ok_or(StoreError::NotFound("event in this thread"))
    }

    async fn recover(&self) -> Result<Recovered, StoreError> {
        self.change(|threads| rules::recover(threads, timestamp::now(), None))
    }

    async fn renew_leases(&self, node: &str, lease: Duration) -> Result<Vec<HeldTurn>, StoreError> {
        let mut state = self.state();
        let threads = state.threads.by_id.values_mut();
        Ok(threads
            .flat_map(|thread| thread.renew_leases(node, lease))
            .collect())
    }

    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError> {
        self.change(|threads| rules::recover(threads, at, Some(timestamp::now())))
    }

    async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<ThreadRecord, StoreError> {
        Ok(self.state().threads.get(scope, thread_id)?.record())
    }

    async fn thread_rows(&self, thread_ids: &[String]) -> Result<Vec<ThreadRecord>, StoreError> {
        #[cfg(test)]
        drop(self.unanswered.read().await);
        let state = self.state();
        let found = thread_ids
            .iter()
            .filter_map(|id| state.threads.by_id.get(id));
        Ok(found.map(ThreadState::record).collect())
    }

    async fn thread_revs(&self, thread_ids: &[String]) -> Result<HashMap<String, u64>, StoreError> {
        let state = self.state();
        let found = thread_ids
            .iter()
            .filter_map(|id| state.threads.by_id.get(id));
        let revs = found.map(|thread| {
            let record = thread.record();
            (record.thread.id, record.rev)
        });
        Ok(revs.collect())
    }

    async fn open_turns(&self, event_ids: &[String]) -> Result<HashSet<String>, StoreError> {
        let state = self.state();
        let turns = state.threads.by_id.values().flat_map(|it| &it.turns);
        let open: HashSet<&str> = turns.map(|turn| &*turn.event_id).collect();
        let asked = event_ids.iter().filter(|id| open.contains(id.as_str()));
        Ok(asked.cloned().collect())
    }

    async fn threads(
        &self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError> {
        let state = self.state();
        Ok(reading::page_of(state.visible(scope), after, limit))
    }

    async fn search_threads(
        &self,
        scope: &Scope,
        search: &TitleSearch,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError> {
        let state = self.state();
        let threads = state.visible(scope);
        Ok(reading::search(threads, search, after, limit))
    }

    async fn find_threads(
        &self,
        scope: &Scope,
        query: &ThreadQuery,
    ) -> Result<Vec<Thread>, StoreError> {
        let state = self.state();
        Ok(reading::find_threads(state.visible(scope), query))
    }

    async fn find_runs(&self, scope: &Scope, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        let state = self.state();
        let Some(thread_id) = &query.thread_id else {
            return Ok(reading::find_runs(state.visible(scope), query));
        };
        let thread = state.threads.get(scope, thread_id)?;
        Ok(reading::find_runs([thread].into_iter(), query))
    }

    async fn event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, StoreError> {
        let state = self.state();
        let event = state.threads.get(scope, thread_id)?.event(event_id);
        event
            .cloned()
            .ok_or(StoreError::NotFound("event in this thread"))
    }

    async fn run(&self, scope: &Scope, thread_id: &str, run_id: &str) -> Result<Run, StoreError> {
        let state = self.state();
        let run = state.threads.get(scope, thread_id)?.run(run_id);
        run.cloned()
            .ok_or(StoreError::NotFound("run in this thread"))
    }

    async fn snapshot_for(
        &self,
        scope: &Scope,
        reader: Option<&Participant>,
        thread_id: &str,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Result<Snapshot, StoreError> {
        let state = self.state();
        let thread = state.threads.get(scope, thread_id)?;
        Ok(thread.snapshot(reader, from, bytes))
    }

    async fn events(
        &self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: PageLimit,
    ) -> Result<EventPage, StoreError> {
        self.state()
            .threads
            .get(scope, thread_id)?
            .events_before(before_event_id, limit)
    }

    async fn find_events(
        &self,
        scope: &Scope,
        thread_id: &str,
        query: &EventQuery,
    ) -> Result<Vec<ThreadEvent>, StoreError> {
        Ok(self.state().threads.get(scope, thread_id)?.find(query))
    }

    async fn catch_up(
        &self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: PageLimit,
    ) -> Result<CatchUp, StoreError> {
        Ok(self
            .state()
            .threads
            .get(scope, thread_id)?
            .catch_up(position, limit))
    }

    async fn create_thread(&self, scope: &Scope, draft: ThreadDraft) -> Result<Change, StoreError> {
        self.change(|threads| rules::create(threads, scope, &draft))
    }

    async fn edit_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Edited, StoreError> {
        self.change(|threads| rules::edit(threads, scope, thread_id, &edit))
    }

    async fn give_feedback(
        &self,
        scope: &Scope,
        given: NewFeedback,
    ) -> Result<GivenFeedback, StoreError> {
        self.change(|threads| rules::give_feedback(threads, scope, &given))
    }

    async fn find_feedback(
        &self,
        scope: &Scope,
        query: &FeedbackQuery,
    ) -> Result<Vec<Feedback>, StoreError> {
        let state = self.state();
        let Some(thread_id) = &query.thread_id else {
            return Ok(reading::find_feedback(state.visible(scope), query));
        };
        let thread = state.threads.get(scope, thread_id)?;
        Ok(reading::find_feedback([thread].into_iter(), query))
    }

    async fn count_feedback(
        &self,
        scope: &Scope,
        period: FeedbackPeriod,
    ) -> Result<Vec<FeedbackDay>, StoreError> {
        let state = self.state();
        let visible = state.visible(scope);
        Ok(reading::count_feedback(visible, &scope.agent, period))
    }

    async fn sum_usage(
        &self,
        scope: &Scope,
        query: &UsageQuery,
    ) -> Result<Vec<UsageSum>, StoreError> {
        Ok(reading::sum_usage(
            &self.state().threads.usage,
            scope,
            query,
        ))
    }

    async fn has_usage(&self, usage_id: &str) -> Result<bool, StoreError> {
        let state = self.state();
        Ok(state
            .threads
            .usage
            .iter()
            .any(|row| row.used.id == usage_id))
    }

    async fn delete_thread(&self, scope: &Scope, thread_id: &str) -> Result<Change, StoreError> {
        self.change(|threads| rules::delete(threads, scope, thread_id))
    }

    async fn forget_sent(
        &self,
        deleted_before: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        Ok(self.state().threads.forget_sent(deleted_before, limit))
    }

    async fn settings(&self, worker: &WorkerKey) -> Result<Vec<StoredSetting>, StoreError> {
        let state = self.state();
        let stored = state.settings.get(worker).into_iter();
        Ok(stored.flat_map(BTreeMap::values).cloned().collect())
    }

    async fn put_settings(
        &self,
        worker: &WorkerKey,
        settings: Vec<StoredSetting>,
    ) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let mut state = self.state();
        let stored = state.settings.entry(worker.clone()).or_default();
        let put = |mut setting: StoredSetting| {
            let before = stored.get(&setting.field_id);
            let before = before.map_or(setting.updated_at, |before| before.updated_at);
            setting.updated_at = setting.updated_at.max(before);
            let updated_at = setting.updated_at;
            stored.insert(setting.field_id.clone(), setting);
            updated_at
        };
        Ok(settings.into_iter().map(put).collect())
    }

    async fn remove_setting(&self, worker: &WorkerKey, field_id: &str) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(stored) = state.settings.get_mut(worker) {
            stored.remove(field_id);
        }
        Ok(())
    }

    async fn setting_keys(&self) -> Result<Vec<String>, StoreError> {
        let state = self.state();
        let settings = state.settings.values().flat_map(BTreeMap::values);
        let keys: BTreeSet<_> = settings
            .filter_map(|setting| setting.key_id.clone())
            .collect();
        Ok(keys.into_iter().collect())
    }

    async fn turn_keys(&self) -> Result<Vec<String>, StoreError> {
        let state = self.state();
        let turns = state
            .threads
            .by_id
            .values()
            .flat_map(|thread| &thread.turns);
        let sealed = turns.filter_map(|turn| turn.sealed.as_ref());
        let keys: BTreeSet<_> = sealed.map(|sealed| sealed.digest.key_id.clone()).collect();
        Ok(keys.into_iter().collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}

#[async_trait]
impl OutboxStore for MemoryStore {
    fn keep_outbox(&self, filter: Option<AnalyticsFilter>) {
        self.outbox.set(filter);
    }

    async fn append_outbox(&self, events: Vec<AnalyticsEvent>) -> Result<(), StoreError> {
        let rows = self.outbox.rows(&events)?;
        self.state().outbox.append(rows);
        Ok(())
    }

    async fn claim_batch(&self, claim: &BatchClaim) -> Result<Option<OutboxBatch>, StoreError> {
        Ok(self.state().outbox.claim(claim))
    }

    async fn remove_batch(&self, batch_id: &str) -> Result<(), StoreError> {
        self.state().outbox.remove(batch_id);
        Ok(())
    }

    async fn retry_batch(
        &self,
        node: &str,
        batch_id: &str,
        wait: Duration,
    ) -> Result<(), StoreError> {
        self.state().outbox.retry(node, batch_id, wait);
        Ok(())
    }

    async fn trim_outbox(&self, limit: usize) -> Result<usize, StoreError> {
        Ok(self.state().outbox.trim(limit))
    }
}

#[async_trait]
impl NodeStore for MemoryStore {
    async fn report_node(&self, report: &NodeReport, lease: Duration) -> Result<(), StoreError> {
        self.state().nodes.report(report, lease);
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        Ok(self.state().nodes.list())
    }

    async fn remove_node(&self, id: &str) -> Result<(), StoreError> {
        self.state().nodes.remove(id);
        Ok(())
    }

    async fn remove_dead_nodes(&self, dead_for: Duration) -> Result<(), StoreError> {
        self.state().nodes.remove_dead(dead_for);
        Ok(())
    }
}
