//! Whatever is done to both, a store on a database answers like the store in memory.

use super::{at, first_message, next_message, said, scope, start};
use crate::protocol::{ContentPart, EventType, User};
use crate::protocol::{Run, RunStatus};
use crate::store::{
    Begun, EventPatch, EventQuery, MemoryStore, NewMessage, NewThread, Order, Participant,
    Position, RunPatch, RunQuery, Scope, SnapshotFrom, Start, Store, StoreError, ThreadCursor,
    ThreadDraft, ThreadEdit, ThreadPatch, ThreadQuery, ThreadTarget, TurnChange, TurnKey, Viewer,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::fmt::Debug;

/// A store that is compared.
#[async_trait]
pub(crate) trait Compared: Send + Sync {
    /// The store, or one of several that share its database.
    fn store(&self, which: u64) -> &dyn Store;

    /// Closes it and opens it again.
    async fn reopen(&mut self);

    /// Whether its texts can hold U+0000.
    fn holds_nul(&self) -> bool;
}

/// A small generator: the same numbers for the same seed, on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

struct Both<C> {
    memory: MemoryStore,
    compared: C,
    dice: Dice,
    made: u64,
    turns: Vec<(Scope, TurnKey)>,
    events: Vec<String>,
    positions: Vec<(Scope, String, Position)>,
    refused: u64,
    finished: u64,
}

/// Two answers that must be the same.
#[track_caller]
fn same<T: Debug>(memory: &Result<T, StoreError>, compared: &Result<T, StoreError>) {
    assert_eq!(format!("{memory:#?}"), format!("{compared:#?}"));
}

macro_rules! in_both {
    ($both:ident, $($call:tt)+) => {{
        let memory = $both.memory.$($call)+.await;
        let which = $both.dice.roll(60);
        let compared = $both.compared.store(which).$($call)+.await;
        same(&memory, &compared);
        $both.refused += u64::from(memory.is_err());
        memory
    }};
}

impl<C: Compared> Both<C> {
    fn new_id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{}", self.made)
    }

    fn thread_id(&mut self) -> String {
        format!("t{}", self.dice.roll(6))
    }

    fn user(&mut self) -> User {
        let name = ["", "ann", "bob", "eve"][self.dice.roll(4) as usize];
        let mut user = User::new(name);
        user.user_name = self.dice.chance(20).then(|| "A name".to_owned());
        user
    }

    fn scope(&mut self) -> Scope {
        let mut scope = scope();
        match self.dice.roll(20) {
            0 => scope.agent = "other".to_owned(),
            1 => scope.worker_id = "other".to_owned(),
            2 => scope.organization_id = "other".to_owned(),
            3 => scope.workspace_id = "other".to_owned(),
            4..8 => scope.viewer = Viewer::Only(Participant::user(&self.user())),
            _ => {}
        }
        scope
    }

    fn event_id(&mut self) -> String {
        let known = self.dice.roll(self.events.len() as u64 + 1);
        let known = self.events.get(known as usize).cloned();
        known.unwrap_or_else(|| "nowhere".to_owned())
    }

    /// One that may still be open.
    fn recent_event_id(&mut self) -> String {
        let back = self.dice.roll(8) as usize;
        let recent = self.events.iter().rev().nth(back);
        recent.map_or_else(|| "nowhere".to_owned(), Clone::clone)
    }

    fn data(&mut self) -> Option<Value> {
        match self.dice.roll(4) {
            0 => {
                let text = if self.compared.holds_nul() {
                    "\u{0}ä"
                } else {
                    "ä"
                };
                let n = 0.1 + self.dice.roll(1000) as f64 / 7.0;
                Some(json!({"n": n, "text": text}))
            }
            1 => Some(Value::Null),
            _ => None,
        }
    }

    fn start(&mut self) -> Start {
        let run_id = self.dice.chance(80).then(|| self.new_id("r"));
        Start {
            run_id,
            ..start("r")
        }
    }

    fn now(&mut self) -> DateTime<Utc> {
        // Sometimes the same moment again, so that the id decides the order of threads.
        at(self.made as i64 / 3)
    }

    fn message(&mut self) -> NewMessage {
        let id = self.thread_id();
        let thread = if self.dice.chance(30) {
            let metadata = self.data();
            ThreadTarget::New(NewThread {
                metadata,
                ..NewThread::new(id)
            })
        } else {
            ThreadTarget::Existing(id)
        };
        let event_id = self.new_id("e");
        self.events.push(event_id.clone());
        let user = self.user();
        let participant = if user.user_id.is_empty() || self.dice.chance(10) {
            Participant::connection(["c1", "c2"][self.dice.roll(2) as usize])
        } else {
            Participant::user(&user)
        };
        let is_answer = self.dice.chance(15);
        let form = self.event_id();
        NewMessage {
            thread,
            event_id,
            kind: if is_answer {
                EventType::FormResponse
            } else {
                EventType::Message
            },
            content: vec![ContentPart::text("hello")],
            data: if is_answer && self.dice.chance(90) {
                Some(json!({"form_event_id": form, "values": {"name": "x"}}))
            } else {
                self.data()
            },
            client_event_id: self
                .dice
                .chance(30)
                .then(|| format!("client{}", self.made % 7)),
            user,
            participant,
            at: self.now(),
        }
    }

    fn change(&mut self, thread_id: &str) -> TurnChange {
        match self.dice.roll(10) {
            0 => TurnChange::Touch(self.now()),
            8 => TurnChange::Text {
                event_id: self.recent_event_id(),
                text: format!("so far {}", self.made),
                delta_seq: self.made,
            },
            9 => TurnChange::Finalize {
                event_id: self.recent_event_id(),
                text: format!("at last {}", self.made),
            },
            1 => TurnChange::Patch {
                patch: ThreadPatch::default().title("A title"),
                at: self.now(),
            },
            2 => TurnChange::Patch {
                patch: ThreadPatch::default().metadata(self.data().unwrap_or_default()),
                at: self.now(),
            },
            3 => TurnChange::Run(Run {
                id: format!("r{}", self.dice.roll(self.made + 1)),
                thread_id: thread_id.to_owned(),
                event_id: None,
                agent_id: None,
                status: RunStatus::Succeeded,
                started_at: self.now(),
                ended_at: Some(self.now()),
                error: None,
            }),
            kind => {
                let id = self.new_id("e");
                self.events.push(id.clone());
                let TurnChange::Event(mut event) = said(thread_id, &id, "ok") else {
                    unreachable!()
                };
                event.run_id = Some(format!("r{}", self.dice.roll(self.made + 1)));
                event.data = self.data();
                event.streaming = self.dice.chance(40).then_some(true);
                event.delta_seq = event.streaming.map(|_| 0);
                if kind == 4 {
                    event.kind = EventType::Form;
                    event.data = Some(json!({
                        "message": "m", "submit_label": "s", "cancel_label": "c", "size": "small",
                        "elements": [{
                            "name": if self.dice.chance(50) { "name" } else { "other" },
                            "label": "l", "order": 0, "required": true, "disabled": false,
                            "type": "text_input", "input_type": "text",
                        }],
                    }));
                }
                if kind == 5 && self.dice.chance(30) {
                    event.kind = EventType::FormResponse;
                    event.data = Some(json!({"form_event_id": self.event_id()}));
                }
                TurnChange::Event(event)
            }
        }
    }

    /// What the program does to a thread.
    fn edit(&mut self, thread_id: &str) -> ThreadEdit {
        let at = self.now();
        let run_id = format!("r{}", self.dice.roll(self.made + 1));
        match self.dice.roll(8) {
            0 => {
                let patch = ThreadPatch::default().title(format!("Title {}", self.made));
                ThreadEdit::Patch { patch, at }
            }
            1 | 2 => {
                let event_id = self.event_id();
                let patch = EventPatch::default().text("changed").data(self.made);
                ThreadEdit::UpdateEvent { event_id, patch }
            }
            3 => ThreadEdit::RemoveEvent {
                event_id: self.recent_event_id(),
                run_id: self.new_id("r"),
                at,
            },
            4 => ThreadEdit::UpdateRun {
                run_id,
                patch: RunPatch::default().failed("for a reason"),
                at,
            },
            5 => ThreadEdit::RemoveRun(run_id),
            6 => {
                let mut message = self.message();
                message.thread = ThreadTarget::Existing(thread_id.to_owned());
                let mut event = message.event(0);
                event.run_id = self.dice.chance(30).then_some(run_id);
                ThreadEdit::CreateEvent(Box::new(event))
            }
            _ => ThreadEdit::CreateRun(Run {
                id: run_id,
                thread_id: thread_id.to_owned(),
                event_id: None,
                agent_id: None,
                status: RunStatus::Running,
                started_at: at,
                ended_at: None,
                error: None,
            }),
        }
    }

    /// Which threads and which runs are looked for.
    fn queries(&mut self, limit: usize) -> (ThreadQuery, RunQuery) {
        let (since, before) = (self.dice.roll(self.made + 1), self.dice.roll(self.made + 1));
        let since = self.dice.chance(30).then(|| at(since as i64 / 3));
        let before = self.dice.chance(30).then(|| at(before as i64 / 3));
        let order = [Order::NewestFirst, Order::OldestFirst][self.dice.roll(2) as usize];
        let threads = ThreadQuery {
            participant: self
                .dice
                .chance(40)
                .then(|| Participant::user(&self.user())),
            active_since: since,
            active_before: before,
            order,
            ..ThreadQuery::newest(limit)
        };
        let runs = RunQuery {
            thread_id: self.dice.chance(60).then(|| self.thread_id()),
            event_id: self.dice.chance(20).then(|| self.event_id()),
            statuses: match self.dice.roll(3) {
                0 => vec![RunStatus::Failed, RunStatus::Canceled],
                1 => vec![RunStatus::Running],
                _ => Vec::new(),
            },
            started_since: since,
            started_before: before,
            order,
            ..RunQuery::newest(limit)
        };
        (threads, runs)
    }

    fn changes(&mut self, thread_id: &str) -> Vec<TurnChange> {
        (0..self.dice.roll(5))
            .map(|_| self.change(thread_id))
            .collect()
    }

    /// A turn that was claimed once: perhaps it is over, perhaps the caller has no right to it.
    fn turn(&mut self) -> Option<(Scope, TurnKey)> {
        let newest = self.turns.len() as u64;
        let which = newest.checked_sub(1 + self.dice.roll(newest.clamp(1, 16)))?;
        let (mut scope, mut key) = self.turns[which as usize].clone();
        if self.dice.chance(5) {
            scope = self.scope();
        }
        if self.dice.chance(5) {
            key.fence += 1;
        }
        Some((scope, key))
    }

    async fn write(&mut self) {
        match self.dice.roll(100) {
            0..40 => {
                let (scope, new, start) = (self.scope(), self.message(), self.start());
                let begun = in_both!(self, begin_turn(&scope, new.clone(), &start));
                if let Ok(Begun {
                    claim: Some(claim), ..
                }) = begun
                {
                    self.turns.push((scope.of_everyone(), claim.key));
                }
            }
            40..60 => {
                let Some((scope, key)) = self.turn() else {
                    return;
                };
                let changes = self.changes(&key.thread_id);
                let _ = in_both!(self, write_turn(&scope, &key, changes.clone()));
            }
            60..90 => {
                let Some((scope, key)) = self.turn() else {
                    return;
                };
                let (changes, start) = (self.changes(&key.thread_id), self.start());
                let written = in_both!(
                    self,
                    finish_turn(&scope, &key, changes.clone(), Some(&start))
                );
                let Ok(written) = written else { return };
                self.finished += 1;
                if let Some(next) = written.next {
                    self.turns.push((scope, next.key));
                }
            }
            90..93 => {
                let (scope, id) = (self.scope(), self.thread_id());
                let edit = self.edit(&id);
                let _ = in_both!(self, edit_thread(&scope, &id, edit.clone()));
            }
            93 => {
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
                    self.turns.push((scope.of_everyone(), claim.key));
                }
            }
            _ => {
                let (scope, id) = (self.scope(), self.thread_id());
                let _ = in_both!(self, delete_thread(&scope, &id));
                // A position of a thread that is gone is nobody's any more.
                self.positions.retain(|(_, thread_id, _)| *thread_id != id);
            }
        }
    }

    async fn read(&mut self) {
        let (scope, id) = (self.scope(), self.thread_id());
        let limit = [0, 1, 2, 5, 50][self.dice.roll(5) as usize];
        match self.dice.roll(7) {
            0 => {
                let _ = in_both!(self, thread(&scope, &id));
            }
            5 => {
                let (threads, runs) = self.queries(limit);
                let _ = in_both!(self, find_threads(&scope, &threads));
                let _ = in_both!(self, find_runs(&scope, &runs));
            }
            6 => {
                let (event_id, run_id) = (self.event_id(), format!("r{}", self.made));
                let _ = in_both!(self, event(&scope, &id, &event_id));
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
                    let page = in_both!(self, threads(&scope, after.as_ref(), limit)).unwrap();
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            2 => {
                let event_id = self.event_id();
                let from = [
                    SnapshotFrom::Newest,
                    SnapshotFrom::After(event_id.clone()),
                    SnapshotFrom::Covering(event_id),
                ];
                for from in from {
                    let snapshot = in_both!(self, snapshot(&scope, &id, &from));
                    if let Ok(snapshot) = snapshot {
                        let scope = scope.of_everyone();
                        self.positions.push((scope, id.clone(), snapshot.position));
                    }
                }
            }
            3 => {
                let before = self.event_id();
                let before = self.dice.chance(70).then_some(&*before);
                let _ = in_both!(self, events(&scope, &id, before, limit));
            }
            _ => {
                let Some((scope, id, position)) = self.positions.pop() else {
                    return;
                };
                let caught_up = in_both!(self, catch_up(&scope, &id, &position, limit)).unwrap();
                if self.dice.chance(50) {
                    self.positions.insert(0, (scope, id, caught_up.position));
                }
            }
        }
    }
}

/// Does random operations with both, as many times from the beginning as there are seeds.
pub(crate) async fn random_operations_have_the_same_answers<C: Compared>(
    seeds: u64,
    open: impl AsyncFn() -> C,
) {
    for seed in 1..=seeds {
        let mut both = Both {
            memory: MemoryStore::new(),
            compared: open().await,
            dice: Dice(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15)),
            made: 0,
            turns: Vec::new(),
            events: Vec::new(),
            positions: Vec::new(),
            refused: 0,
            finished: 0,
        };
        for step in 0..900 {
            both.write().await;
            both.read().await;
            if step % 100 == 50 {
                both.compared.reopen().await;
            }
        }
        assert!(both.refused > 100, "only {} were refused", both.refused);
        assert!(both.finished > 20, "only {} turns ended", both.finished);
    }
}

/// Lets a process stop in the middle of turns, in both.
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
            let snapshot = store.snapshot(&scope(), id, &from).await.unwrap();
            let run = &snapshot.runs[0];
            assert_eq!(run.status, RunStatus::Failed);
            assert_eq!(run.error.as_deref(), Some("interrupted"));
            assert_eq!(run.started_at, at(1));
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
