//! A store that keeps everything in memory and loses it with the process.

mod reading;
mod thread;
mod turns;

use super::{
    Begun, Cancel, Cancelled, CatchUp, Change, Claim, EventPage, EventQuery, HeldTurn, NewMessage,
    Participant, Position, Recovered, Scope, Snapshot, SnapshotFrom, Start, Store, StoreError,
    StoredSetting, ThreadCursor, ThreadPage, ThreadRecord, ThreadTarget, TurnChange, TurnKey,
    WorkerKey, Written, message,
};
use crate::protocol::{ThreadEvent, timestamp};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use thread::ThreadState;

/// A store that keeps everything in memory and loses it with the process: for tests and trials.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    threads: HashMap<String, ThreadState>,
    sent: HashMap<SentKey, SentEvent>,
    settings: HashMap<WorkerKey, BTreeMap<String, StoredSetting>>,
}

/// Under which a repeated message is known: worker, organization, workspace, who, and the client's id.
type SentKey = (String, String, String, Participant, String);

#[derive(Debug, Clone)]
struct SentEvent {
    thread_id: String,
    event_id: String,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No method panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn thread(&self, scope: &Scope, thread_id: &str) -> Result<&ThreadState, StoreError> {
        self.threads
            .get(thread_id)
            .filter(|thread| thread.is_visible_in(scope))
            .ok_or(StoreError::NotFound("thread"))
    }

    fn thread_mut(
        &mut self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<&mut ThreadState, StoreError> {
        self.threads
            .get_mut(thread_id)
            .filter(|thread| thread.is_visible_in(scope))
            .ok_or(StoreError::NotFound("thread"))
    }

    /// The stored event of a message that was sent before.
    fn repeated(
        &self,
        scope: &Scope,
        key: &SentKey,
        new: &NewMessage,
    ) -> Result<Option<Begun>, StoreError> {
        let Some(sent) = self.sent.get(key) else {
            return Ok(None);
        };
        let thread = self.thread(scope, &sent.thread_id)?;
        let kept = thread
            .kept_event(&sent.event_id)
            .ok_or(StoreError::NotFound("thread"))?;
        new.must_repeat(&kept.event)?;
        Ok(Some(Begun {
            event: kept.event.clone(),
            rev: kept.first_rev,
            is_repeated: true,
            is_over: !thread.has_turn(&sent.event_id),
            changes: Vec::new(),
            claim: None,
            interrupted: Vec::new(),
        }))
    }

    /// Ends the turns that run, or only those whose lease ran out before a time.
    fn interrupt(&mut self, at: DateTime<Utc>, before: Option<DateTime<Utc>>) -> Recovered {
        let mut recovered = Recovered::default();
        for thread in self.threads.values_mut() {
            let interrupted = thread.interrupt(at, before);
            if interrupted.is_some() || before.is_none() {
                recovered.waiting.extend(thread.waiting());
            }
            if let Some(interrupted) = interrupted {
                recovered.interrupted += interrupted.failed;
                recovered.retried += interrupted.retried;
                recovered.changes.push(interrupted.changes);
            }
        }
        recovered
    }

    fn begin(
        &mut self,
        scope: &Scope,
        new: &NewMessage,
        start: &Start,
    ) -> Result<Begun, StoreError> {
        let key = new.client_event_id.clone().map(|client_event_id| {
            (
                scope.worker_id.clone(),
                scope.organization_id.clone(),
                scope.workspace_id.clone(),
                new.participant.clone(),
                client_event_id,
            )
        });
        if let Some(key) = &key
            && let Some(begun) = self.repeated(scope, key, new)?
        {
            return Ok(begun);
        }
        let answer = new.form_answer()?;
        let thread_id = new.thread.id();
        let mut changes = Vec::new();
        let made = match &new.thread {
            ThreadTarget::Existing(_) => None,
            ThreadTarget::New(made) => Some(made),
            ThreadTarget::ExistingOrNew(made) if self.threads.contains_key(&made.id) => None,
            ThreadTarget::ExistingOrNew(made) => Some(made),
        };
        let thread = match made {
            None => {
                let thread = self.thread_mut(scope, thread_id)?;
                if let Some(answer) = &answer {
                    let form = thread.event(&answer.form_event_id);
                    let is_answered = thread.has_answer_to(&answer.form_event_id);
                    message::check_answer(form, is_answered, answer)?;
                }
                thread.check_busy(start)?;
                changes.extend(thread.meet(new));
                thread
            }
            Some(made) => {
                let id = &made.id;
                if answer.is_some() {
                    return Err(StoreError::NotFound("form in this thread"));
                }
                if self.threads.contains_key(id) {
                    // Outside the scope it answers as if it did not exist.
                    self.thread(scope, id)?;
                    return Err(StoreError::Conflict(format!(
                        "there is a thread `{id}` already"
                    )));
                }
                let record = new.new_thread(scope, made);
                let (thread, created) =
                    ThreadState::new(record, scope.agent.clone(), new.participant.clone());
                changes.push(created);
                self.threads.entry(id.clone()).or_insert(thread)
            }
        };
        let (event, change) = thread.append_message(new);
        let rev = change.rev;
        changes.push(change);
        // Behind the message, which is why it happens.
        let (withdrawn, interrupted) = thread.make_way(start);
        changes.extend(withdrawn);
        let mut claim = thread.queue(&new.event_id, start);
        if let Some(claim) = &mut claim {
            changes.append(&mut claim.changes);
        }
        if let Some(key) = key {
            let sent = SentEvent {
                thread_id: thread_id.to_owned(),
                event_id: new.event_id.clone(),
            };
            self.sent.insert(key, sent);
        }
        Ok(Begun {
            event,
            rev,
            is_repeated: false,
            is_over: false,
            changes,
            claim,
            interrupted,
        })
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin_turn(
        &self,
        scope: &Scope,
        message: NewMessage,
        start: &Start,
    ) -> Result<Begun, StoreError> {
        self.state().begin(scope, &message, start)
    }

    async fn claim_turn(
        &self,
        scope: &Scope,
        thread_id: &str,
        start: &Start,
    ) -> Result<Option<Claim>, StoreError> {
        Ok(self.state().thread_mut(scope, thread_id)?.claim(start))
    }

    async fn write_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
    ) -> Result<Vec<Change>, StoreError> {
        let mut state = self.state();
        let thread = state.thread_mut(scope, &turn.thread_id)?;
        thread.check_fence(turn)?;
        Ok(thread.apply(turn, changes))
    }

    async fn finish_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        next: Option<&Start>,
    ) -> Result<Written, StoreError> {
        let mut state = self.state();
        let thread = state.thread_mut(scope, &turn.thread_id)?;
        thread.check_fence(turn)?;
        let mut changes = thread.apply(turn, changes);
        changes.extend(thread.finalize_all(&turn.event_id));
        thread.end_turn(&turn.event_id);
        let mut next = next.and_then(|start| thread.claim(start));
        if let Some(next) = &mut next {
            changes.append(&mut next.changes);
        }
        Ok(Written { changes, next })
    }

    async fn retry_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        not_before: DateTime<Utc>,
    ) -> Result<Vec<Change>, StoreError> {
        let mut state = self.state();
        let thread = state.thread_mut(scope, &turn.thread_id)?;
        thread.check_fence(turn)?;
        let mut changes = thread.apply(turn, changes);
        changes.extend(thread.finalize_all(&turn.event_id));
        thread.requeue(&turn.event_id, Some(not_before));
        Ok(changes)
    }

    async fn cancel_turn(
        &self,
        scope: Option<&Scope>,
        cancel: &Cancel,
    ) -> Result<Cancelled, StoreError> {
        let mut state = self.state();
        let is_it = |thread: &&mut ThreadState| {
            thread.has(&cancel.target) && scope.is_none_or(|scope| thread.is_visible_in(scope))
        };
        let thread = state.threads.values_mut().find(is_it);
        Ok(thread.ok_or(cancel.target.not_found())?.cancel(cancel))
    }

    async fn recover(&self) -> Result<Recovered, StoreError> {
        Ok(self.state().interrupt(timestamp::now(), None))
    }

    async fn renew_leases(
        &self,
        node: &str,
        lease_until: DateTime<Utc>,
    ) -> Result<Vec<HeldTurn>, StoreError> {
        let mut state = self.state();
        let threads = state.threads.values_mut();
        Ok(threads
            .flat_map(|thread| thread.renew_leases(node, lease_until))
            .collect())
    }

    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError> {
        Ok(self.state().interrupt(at, Some(at)))
    }

    async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<ThreadRecord, StoreError> {
        Ok(self.state().thread(scope, thread_id)?.record())
    }

    async fn threads(
        &self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: usize,
    ) -> Result<ThreadPage, StoreError> {
        let state = self.state();
        let visible = state
            .threads
            .values()
            .filter(|thread| thread.is_visible_in(scope));
        Ok(reading::page_of(visible, after, limit))
    }

    async fn snapshot(
        &self,
        scope: &Scope,
        thread_id: &str,
        from: &SnapshotFrom,
    ) -> Result<Snapshot, StoreError> {
        Ok(self.state().thread(scope, thread_id)?.snapshot(from))
    }

    async fn events(
        &self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        self.state()
            .thread(scope, thread_id)?
            .events_before(before_event_id, limit)
    }

    async fn find_events(
        &self,
        scope: &Scope,
        thread_id: &str,
        query: &EventQuery,
    ) -> Result<Vec<ThreadEvent>, StoreError> {
        Ok(self.state().thread(scope, thread_id)?.find(query))
    }

    async fn catch_up(
        &self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: usize,
    ) -> Result<CatchUp, StoreError> {
        Ok(self
            .state()
            .thread(scope, thread_id)?
            .catch_up(position, limit))
    }

    async fn delete_thread(&self, scope: &Scope, thread_id: &str) -> Result<Change, StoreError> {
        let mut state = self.state();
        let record = state.thread(scope, thread_id)?.record();
        state.threads.remove(thread_id);
        Ok(Change::of_deletion(record))
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

    async fn setting_keys(&self) -> Result<Vec<String>, StoreError> {
        let state = self.state();
        let settings = state.settings.values().flat_map(BTreeMap::values);
        let keys: BTreeSet<_> = settings
            .filter_map(|setting| setting.key_id.clone())
            .collect();
        Ok(keys.into_iter().collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}
