//! Differential tests: a store on a database returns the same results as the memory store.

mod asked;

use self::asked::Dice;
use super::{at, first_message, next_message, scope, start};
use crate::protocol::{EventType, RunStatus};
use crate::store::{
    AnalyticsFilter, BatchClaim, BeginOutcome, Cancel, CancelTarget, Cancelled, Claim, EventQuery,
    MemoryStore, NewMessage, NewThread, OutboxStore, PageLimit, Participant, Position, Scope,
    SnapshotFrom, Store, StoreError, StoredSetting, ThreadCursor, ThreadDraft, ThreadEdit,
    ThreadTarget, TurnKey, WorkerKey,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::time::Duration;

/// A store that is compared with the memory store.
#[async_trait]
pub(crate) trait Compared: Send + Sync {
    /// Returns the store, or one of several stores on the same database.
    fn store(&self, which: u64) -> &dyn Store;

    /// Closes and reopens the store.
    async fn reopen(&mut self);

    /// Returns `true` if the store's texts can contain U+0000.
    fn holds_nul(&self) -> bool;
}

struct Both<C> {
    memory: MemoryStore,
    compared: C,
    dice: Dice,
    made: u64,
    turns: Vec<(Scope, TurnKey)>,
    /// Threads, each with the id of an event or a run for it.
    events: Vec<(String, String)>,
    forms: Vec<(String, String)>,
    runs: Vec<(String, String)>,
    positions: Vec<(Scope, String, Position)>,
    /// Messages of running turns that were cancelled. Their `retry_turn` would show the time of each store's clock, and is
    /// left out.
    cancelled: HashSet<String>,
    refused: u64,
    done: HashMap<&'static str, u64>,
}

/// Asserts that two results are equal.
#[track_caller]
fn same<T: Debug>(memory: &Result<T, StoreError>, compared: &Result<T, StoreError>) {
    assert_eq!(format!("{memory:#?}"), format!("{compared:#?}"));
}

fn name_of(edit: &ThreadEdit) -> &'static str {
    match edit {
        ThreadEdit::Patch { .. } => "patch of a thread",
        ThreadEdit::CreateEvent(_) => "new event",
        ThreadEdit::UpdateEvent { .. } => "patch of an event",
        ThreadEdit::RemoveEvent { .. } => "removal of an event",
        ThreadEdit::CreateRun(_) => "new run",
        ThreadEdit::UpdateRun { .. } => "patch of a run",
        ThreadEdit::RemoveRun(_) => "removal of a run",
    }
}

macro_rules! in_both {
    ($both:ident, $($call:tt)+) => {{
        let memory = $both.memory.$($call)+.await;
        let which = $both.dice.roll(60);
        let compared = $both.compared.store(which).$($call)+.await;
        same(&memory, &compared);
        $both.refused += u64::from(memory.is_err());
        $both.count(stringify!($($call)+), memory.is_ok());
        memory
    }};
}

impl<C: Compared> Both<C> {
    /// Records a claimed turn.
    fn claimed(&mut self, scope: Scope, claim: Claim) {
        let run = claim.run.map(|run| (run.thread_id, run.id));
        self.runs.extend(run);
        self.turns.push((scope, claim.key));
    }

    /// Counts the calls of both stores. `call` begins with the name of a method.
    fn count(&mut self, call: &'static str, is_done: bool) {
        let name = call.split('(').next().unwrap_or(call).trim();
        *self.done.entry(name).or_default() += u64::from(is_done);
    }

    /// Compares the settings of a worker.
    async fn tune(&mut self) {
        let worker = WorkerKey {
            agent: "echo".to_owned(),
            worker_id: ["w", "other"][self.dice.roll(2) as usize].to_owned(),
        };
        let field_id = format!("f{}", self.dice.roll(5));
        if self.dice.chance(30) {
            let _ = in_both!(self, remove_setting(&worker, &field_id));
        } else {
            let put: Vec<_> = (0..self.dice.roll(4))
                .map(|_| StoredSetting {
                    field_id: format!("f{}", self.dice.roll(5)),
                    value: self.data().unwrap_or_else(|| json!(self.made)),
                    key_id: self
                        .dice
                        .chance(20)
                        .then(|| format!("k{}", self.dice.roll(3))),
                    updated_at: self.now(),
                })
                .collect();
            let _ = in_both!(self, put_settings(&worker, put.clone()));
        }
        let _ = in_both!(self, setting_keys());
        let _ = in_both!(self, turn_keys());
        let stored = in_both!(self, settings(&worker)).unwrap();
        // `Debug` of a setting does not show its value.
        let which = self.dice.roll(60);
        let compared = self.compared.store(which).settings(&worker).await.unwrap();
        assert_eq!(stored, compared);
    }

    /// Answers one of the last forms of a thread.
    async fn answer(&mut self, thread_id: &str) {
        let (scope, start) = (self.scope(), self.start());
        let form = self.recent_form(thread_id);
        let new = NewMessage {
            kind: EventType::FormResponse,
            thread: ThreadTarget::Existing(thread_id.to_owned()),
            data: Some(json!({"form_event_id": form, "values": {"name": "x"}})),
            ..self.message()
        };
        let begun = in_both!(self, begin_turn(&scope, new.clone(), &start));
        let Ok(begun) = begun else { return };
        self.count("answer to a turn", begun.answered.is_some());
        if let Some(claim) = begun.claim {
            self.claimed(scope.of_everyone(), claim);
        }
    }

    /// Compares the turns that the only process holds, with their questions. The order of the turns is undefined.
    async fn renew(&mut self) {
        let (node, lease) = (start("r").node, Duration::from_secs(60));
        let which = self.dice.roll(60);
        let stores: [&dyn Store; 2] = [&self.memory, self.compared.store(which)];
        let mut all = Vec::new();
        for store in stores {
            let mut held = store.renew_leases(&node, lease).await.unwrap();
            held.sort_by(|one, other| one.key.event_id.cmp(&other.key.event_id));
            all.push(held);
        }
        assert_eq!(all[0], all[1]);
    }

    /// Turns the outbox of all stores on.
    fn keep_outbox(&self) {
        self.memory.keep_outbox(Some(AnalyticsFilter::default()));
        for which in 0..3 {
            let store = self.compared.store(which);
            store.keep_outbox(Some(AnalyticsFilter::default()));
        }
    }

    /// Compares the analytics events since the last call.
    async fn drain_outbox(&mut self) {
        let claim = BatchClaim {
            node: "n".to_owned(),
            batch_id: "b".to_owned(),
            lease: Duration::ZERO,
            events: 100_000,
            bytes: usize::MAX,
            age: Duration::ZERO,
        };
        while in_both!(self, claim_batch(&claim)).unwrap().is_some() {
            let _ = in_both!(self, remove_batch("b"));
        }
    }

    async fn write(&mut self) {
        if self.dice.chance(12) {
            let (scope, given) = (self.scope(), self.feedback());
            let _ = in_both!(self, give_feedback(&scope, given.clone()));
        }
        match self.dice.roll(140) {
            0..40 => {
                let (scope, new, start) = (self.scope(), self.message(), self.start());
                let begun = in_both!(self, begin_turn(&scope, new.clone(), &start));
                if let Ok(BeginOutcome {
                    claim: Some(claim), ..
                }) = begun
                {
                    self.claimed(scope.of_everyone(), claim);
                }
            }
            40..60 => {
                let Some((scope, key)) = self.turn() else {
                    return;
                };
                let changes = self.changes(&key.thread_id);
                let _ = in_both!(self, write_turn(&scope, &key, changes.clone()));
                if self.dice.chance(50) {
                    self.answer(&key.thread_id).await;
                }
            }
            60..65 => {
                let Some((scope, key)) = self.turn() else {
                    return;
                };
                if self.cancelled.contains(&key.event_id) {
                    return;
                }
                let changes = self.changes(&key.thread_id);
                let not_before = self.now() + TimeDelta::microseconds(self.dice.roll(9) as i64);
                let _ = in_both!(self, retry_turn(&scope, &key, changes.clone(), not_before));
            }
            100..102 => self.tune().await,
            102..105 => {
                let (id, scope) = (self.thread_id(), self.scope());
                let scope = self.dice.chance(70).then_some(scope);
                let cancel = Cancel {
                    target: CancelTarget::Event(self.recent_event_id(&id)),
                    run_id: self.some_run_id(&id),
                    at: self.now(),
                };
                let cancelled = in_both!(self, cancel_turn(scope.as_ref(), &cancel));
                if let Ok(Cancelled::Running { event_id, .. }) = cancelled {
                    self.cancelled.insert(event_id);
                }
            }
            65..90 => {
                let Some((scope, key)) = self.turn() else {
                    return;
                };
                let (changes, start) = (self.changes(&key.thread_id), self.start());
                let written = in_both!(
                    self,
                    finish_turn(&scope, &key, changes.clone(), Some(&start))
                );
                let Ok(written) = written else { return };
                if let Some(next) = written.next {
                    self.claimed(scope, next);
                }
            }
            90..93 | 108.. => {
                let (scope, id) = (self.scope(), self.thread_id());
                let edit = self.edit(&id);
                let edited = in_both!(self, edit_thread(&scope, &id, edit.clone()));
                self.count(name_of(&edit), edited.is_ok());
                if let Ok(edited) = edited {
                    self.cancelled.extend(edited.interrupted);
                }
            }
            93 | 105..108 => {
                let scope = self.scope();
                let draft = ThreadDraft {
                    thread: NewThread::new(self.thread_id()),
                    owner: self.user(),
                    at: self.now(),
                };
                let _ = in_both!(self, create_thread(&scope, draft.clone()));
            }
            94..97 => {
                let (scope, id, start) = (self.scope(), self.thread_id(), self.start());
                let claim = in_both!(self, claim_turn(&scope, &id, &start));
                if let Ok(Some(claim)) = claim {
                    self.claimed(scope.of_everyone(), claim);
                }
            }
            _ => {
                let (scope, id) = (self.scope(), self.thread_id());
                let _ = in_both!(self, delete_thread(&scope, &id));
                // A position of a deleted thread is not used any more.
                self.positions.retain(|(_, thread_id, _)| *thread_id != id);
            }
        }
    }

    async fn read(&mut self) {
        let (scope, id) = (self.scope(), self.thread_id());
        let limit = [0, 1, 2, 5, 50][self.dice.roll(5) as usize];
        // The limits in bytes are often so low that the first item exceeds them, or the second one, or a later one.
        let bytes = [usize::MAX, 1, 500, 1500][self.dice.roll(4) as usize];
        let page_limit = PageLimit::new(limit).bytes(bytes);
        match self.dice.roll(7) {
            0 => {
                let _ = in_both!(self, thread(&scope, &id));
            }
            5 => {
                let (threads, runs) = self.queries(&id, limit);
                let _ = in_both!(self, find_threads(&scope, &threads));
                let _ = in_both!(self, find_runs(&scope, &runs));
                let usage = self.usage_query(&id);
                let _ = in_both!(self, sum_usage(&scope, &usage));
                let (feedback, period) = self.feedback_queries(&runs);
                let _ = in_both!(self, find_feedback(&scope, &feedback));
                let _ = in_both!(self, count_feedback(&scope, period));
            }
            6 => {
                let (event_id, run_id) = (self.event_id(&id), self.run_id(&id));
                let _ = in_both!(self, event(&scope, &id, &event_id));
                let _ = in_both!(self, turn_state(&scope, &id, &event_id));
                let _ = in_both!(self, run(&scope, &id, &run_id));
                let query = EventQuery {
                    with_deleted: self.dice.chance(50),
                    ..EventQuery::newest(limit)
                };
                let _ = in_both!(self, find_events(&scope, &id, &query));
            }
            1 => {
                let mut after: Option<ThreadCursor> = None;
                loop {
                    let page = in_both!(self, threads(&scope, after.as_ref(), page_limit)).unwrap();
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                let search = self.search();
                loop {
                    let from = after.as_ref();
                    let page = in_both!(self, search_threads(&scope, &search, from, page_limit));
                    let page = page.unwrap();
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            2 => {
                let event_id = self.event_id(&id);
                let from = [
                    SnapshotFrom::Newest,
                    SnapshotFrom::After(event_id.clone()),
                    SnapshotFrom::Covering(event_id),
                ];
                let reader = self.dice.chance(60).then(|| self.user());
                let reader = reader.as_ref().map(Participant::user);
                for from in from {
                    let snapshot = in_both!(
                        self,
                        snapshot_for(&scope, reader.as_ref(), &id, &from, bytes)
                    );
                    if let Ok(snapshot) = snapshot {
                        let scope = scope.of_everyone();
                        self.positions.push((scope, id.clone(), snapshot.position));
                    }
                }
            }
            3 => {
                let before = self.event_id(&id);
                let before = self.dice.chance(70).then_some(&*before);
                let _ = in_both!(self, events(&scope, &id, before, page_limit));
            }
            _ => {
                let Some((scope, id, position)) = self.positions.pop() else {
                    let usage_id = format!("u{}", self.made);
                    let _ = in_both!(self, has_usage(&usage_id));
                    return;
                };
                let caught_up =
                    in_both!(self, catch_up(&scope, &id, &position, page_limit)).unwrap();
                if self.dice.chance(50) {
                    self.positions.insert(0, (scope, id, caught_up.position));
                }
            }
        }
    }
}

/// Executes random operations on both stores, once from the beginning for each seed.
pub(crate) async fn random_operations_have_the_same_answers<C: Compared>(
    seeds: u64,
    open: impl AsyncFn() -> C,
) {
    let mut done: HashMap<&str, u64> = HashMap::new();
    for seed in 1..=seeds {
        let mut both = Both {
            memory: MemoryStore::new(),
            compared: open().await,
            dice: Dice(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15)),
            made: 0,
            turns: Vec::new(),
            events: Vec::new(),
            forms: Vec::new(),
            runs: Vec::new(),
            positions: Vec::new(),
            cancelled: HashSet::new(),
            refused: 0,
            done: HashMap::new(),
        };
        let has_outbox = seed % 2 == 1;
        if has_outbox {
            both.keep_outbox();
        }
        for step in 0..900 {
            both.write().await;
            both.read().await;
            if step % 10 == 5 {
                both.renew().await;
            }
            if step % 100 == 50 {
                both.compared.reopen().await;
                if has_outbox {
                    both.drain_outbox().await;
                    both.keep_outbox();
                }
            }
        }
        assert!(both.refused > 100, "only {} were refused", both.refused);
        assert!(both.done["finish_turn"] > 20, "{:?}", both.done);
        for (call, times) in both.done {
            *done.entry(call).or_default() += times;
        }
    }
    assert!(done.values().all(|times| *times > 0), "{done:?}");
}

/// Stops a process in the middle of turns, in both stores.
pub(crate) async fn what_a_stopped_process_left_is_recovered(compared: &dyn Store) {
    let memory = MemoryStore::new();
    let stores: [&dyn Store; 2] = [&memory, compared];
    for store in stores {
        for id in ["running", "queued", "done"] {
            let new = first_message(id, &format!("{id}-1"));
            let begun = store.begin_turn(&scope(), new, &start("r")).await.unwrap();
            let key = begun.claim.unwrap().key;
            if id == "queued" {
                let new = next_message(id, "queued-2");
                store.begin_turn(&scope(), new, &start("r2")).await.unwrap();
            }
            if id == "done" {
                let next = start("r3");
                let end = Vec::new();
                store
                    .finish_turn(&scope(), &key, end, Some(&next))
                    .await
                    .unwrap();
            }
        }
        let recovered = store.recover().await.unwrap();
        assert_eq!(recovered.interrupted, 2);
        let waiting: Vec<_> = recovered.waiting.iter().map(|w| &*w.thread_id).collect();
        assert_eq!(waiting, ["queued"]);
        assert_eq!(recovered.waiting[0].scope, scope());
        for id in ["running", "queued"] {
            let from = SnapshotFrom::Newest;
            let snapshot = store
                .snapshot(&scope(), id, &from, usize::MAX)
                .await
                .unwrap();
            let run = &snapshot.runs[0];
            assert_eq!(run.status, RunStatus::Failed);
            assert_eq!(run.error.as_deref(), Some("interrupted"));
            // The message of the second turn is older than the run of the first turn, and the run of the second turn is
            // newer.
            let started_at = if id == "running" { at(1) } else { at(3) };
            assert_eq!(run.started_at, started_at);
            let told = snapshot.events.last().unwrap();
            assert_eq!(told.actor, crate::protocol::Actor::System);
            assert_eq!(told.run_id.as_deref(), Some("r"));
            assert_eq!(snapshot.thread.thread.last_event_at, told.created_at);
            let revs = if id == "running" { 6 } else { 7 };
            assert_eq!(snapshot.thread.rev, revs);
        }
        let claim = store.claim_turn(&scope(), "queued", &start("r4")).await;
        assert_eq!(claim.unwrap().unwrap().event.id, "queued-2");
        assert_eq!(store.recover().await.unwrap().interrupted, 1);
    }
}
