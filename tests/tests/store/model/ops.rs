//! Operations of the model, with their expected outcomes.

use super::thread::ModelThread;
use crate::asserts::{
    Reader, assert_conflict, assert_not_found, assert_stale, catch_up_fully, kinds, start_position,
};
use crate::backends::AnyStore;
use crate::fixtures::{ana, ben, message, now, run_change, start, streamed, written};
use chrono::{DateTime, TimeDelta, Utc};
use dooers::protocol::{ContentPart, RunStatus, ThreadEvent};
use dooers::store::{
    NewMessage, NewThread, Position, Scope, ThreadPatch, ThreadTarget, TurnChange,
};
use std::collections::VecDeque;

/// Number of tenants in the model.
pub(super) const TENANTS: usize = 3;

/// A stored message, which can be sent again.
struct Sent {
    thread: usize,
    new: NewMessage,
    event: ThreadEvent,
}

/// A reference model, next to the store under test.
pub(crate) struct Model<'a> {
    pub(super) store: &'a AnyStore,
    /// The prefix of all ids, so that several models can share a store.
    prefix: String,
    ids: usize,
    pub(super) threads: Vec<ModelThread>,
    sent: Vec<Sent>,
    pub(super) readers: Vec<(usize, Reader)>,
}

impl<'a> Model<'a> {
    pub(crate) fn new(store: &'a AnyStore, prefix: String) -> Self {
        Self {
            store,
            prefix,
            ids: 0,
            threads: Vec::new(),
            sent: Vec::new(),
            readers: Vec::new(),
        }
    }

    fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("{}-{}", self.prefix, self.ids)
    }

    pub(super) fn tenant(&self, number: usize) -> Scope {
        let part = |differs: bool| format!("{}-{}", self.prefix, u8::from(differs));
        Scope::new(part(false), part(number == 1))
            .organization(part(false))
            .workspace(part(number == 2))
    }

    pub(super) fn scope_of(&self, thread: usize) -> Scope {
        self.tenant(self.threads[thread].tenant)
    }

    /// Any thread, including deleted ones.
    pub(super) fn any_thread(&self, pick: usize) -> Option<usize> {
        (!self.threads.is_empty()).then(|| pick % self.threads.len())
    }

    /// The `last_event_at` of a thread of this tenant after an event at this time. `recover` uses the real
    /// clock, which is ahead of the clock of the test.
    fn front(&self, tenant: usize, at: DateTime<Utc>) -> DateTime<Utc> {
        let threads = self.threads.iter().filter(|thread| thread.tenant == tenant);
        let times = threads.flat_map(|thread| {
            let runs = thread.runs.iter().map(|run| run.started_at);
            runs.chain([thread.last_event_at])
        });
        match times.max() {
            Some(newest) if at < newest => newest + TimeDelta::microseconds(1),
            _ => at,
        }
    }

    /// A message of one of the users, with a new `client_event_id`.
    fn message(&mut self, thread: ThreadTarget, user: usize) -> NewMessage {
        let user = if user.is_multiple_of(2) { ana() } else { ben() };
        NewMessage {
            client_event_id: Some(self.new_id()),
            ..message(thread, &self.new_id(), &user)
        }
    }

    pub(crate) async fn begin(&mut self, tenant: usize, user: usize) {
        let (id, run_id, tenant) = (self.new_id(), self.new_id(), tenant % TENANTS);
        let target = ThreadTarget::New(NewThread::new(&id));
        let new = self.message(target, user);
        let scope = self.tenant(tenant);
        let begun = self
            .store
            .begin_turn(&scope, new.clone(), &start(&run_id))
            .await
            .unwrap();
        assert_eq!(kinds(&begun.changes), ["thread", "event", "run"]);
        let mut thread = ModelThread {
            id,
            tenant,
            users: vec![new.user.clone()],
            title: None,
            last_event_at: self.front(tenant, new.at),
            rev: 0,
            events: Vec::new(),
            runs: Vec::new(),
            open: Vec::new(),
            waiting: VecDeque::from([new.event_id.clone()]),
            held: None,
            stale: Vec::new(),
            is_deleted: false,
        };
        thread.take(&begun.changes);
        thread.take_claim(begun.claim);
        assert!(thread.held.is_some());
        self.threads.push(thread);
        let thread = self.threads.len() - 1;
        self.sent.push(Sent {
            thread,
            new,
            event: begun.event,
        });
    }

    pub(crate) async fn say(&mut self, thread: usize, user: usize) {
        let Some(index) = self.any_thread(thread) else {
            return;
        };
        let scope = self.scope_of(index);
        let new = self.message(ThreadTarget::Existing(self.threads[index].id.clone()), user);
        let start = start(&self.new_id());
        let answer = self.store.begin_turn(&scope, new.clone(), &start).await;
        let front = self.front(self.threads[index].tenant, new.at);
        let thread = &mut self.threads[index];
        if thread.is_deleted {
            return assert_not_found(answer);
        }
        let begun = answer.unwrap();
        let is_known = thread.users.contains(&new.user);
        let mut expected = if is_known {
            vec!["event"]
        } else {
            vec!["thread", "event"]
        };
        if begun.claim.is_some() {
            expected.push("run");
        }
        assert_eq!(kinds(&begun.changes), expected);
        let must_claim = thread.held.is_none() && thread.waiting.is_empty();
        assert!(begun.claim.is_some() || !must_claim);
        if !is_known {
            thread.users.push(new.user.clone());
        }
        thread.waiting.push_back(new.event_id.clone());
        thread.last_event_at = front;
        thread.take(&begun.changes);
        thread.take_claim(begun.claim);
        self.sent.push(Sent {
            thread: index,
            new,
            event: begun.event,
        });
    }

    /// Sends a message again, or another content with its id.
    pub(crate) async fn send_again(&mut self, message: usize, is_same: bool) {
        if self.sent.is_empty() {
            return;
        }
        let (event_id, run_id, thread_id) = (self.new_id(), self.new_id(), self.new_id());
        let sent = &self.sent[message % self.sent.len()];
        let mut new = NewMessage {
            event_id,
            ..sent.new.clone()
        };
        if message.is_multiple_of(2) {
            new.thread = ThreadTarget::New(NewThread::new(thread_id));
        }
        if !is_same {
            new.content.push(ContentPart::text("more"));
        }
        let scope = self.scope_of(sent.thread);
        let answer = self.store.begin_turn(&scope, new, &start(&run_id)).await;
        if self.threads[sent.thread].is_deleted {
            return assert_not_found(answer);
        }
        if !is_same {
            return assert_conflict(answer);
        }
        let begun = answer.unwrap();
        assert!(begun.is_repeated && begun.changes.is_empty() && begun.claim.is_none());
        assert_eq!(begun.event, sent.event);
    }

    pub(crate) async fn claim(&mut self, thread: usize) {
        let Some(index) = self.any_thread(thread) else {
            return;
        };
        let (scope, start) = (self.scope_of(index), start(&self.new_id()));
        let thread = &mut self.threads[index];
        let answer = self.store.claim_turn(&scope, &thread.id, &start).await;
        if thread.is_deleted {
            return assert_not_found(answer);
        }
        let claim = answer.unwrap();
        assert_eq!(
            claim.is_some(),
            thread.held.is_none() && !thread.waiting.is_empty()
        );
        if let Some(claim) = &claim {
            assert_eq!(kinds(&claim.changes), ["run"]);
            thread.take(&claim.changes);
        }
        thread.take_claim(claim);
    }

    /// Writes in the held turn, and optionally ends it.
    pub(crate) async fn write(&mut self, thread: usize, events: usize, ends: bool) {
        let Some(index) = self.any_thread(thread) else {
            return;
        };
        let (scope, next, title) = (self.scope_of(index), start(&self.new_id()), self.new_id());
        let ids: Vec<String> = (0..events).map(|_| self.new_id()).collect();
        let thread = &mut self.threads[index];
        let Some(key) = thread.held.clone() else {
            return;
        };
        let run = thread
            .runs
            .iter()
            .rfind(|run| run.status == RunStatus::Running);
        let run_id = run.map(|run| run.id.clone());
        let mut changes: Vec<_> = ids
            .iter()
            .map(|id| written(&thread.id, id, run_id.as_deref()))
            .collect();
        if ends || events == 0 {
            let patch = ThreadPatch::default().title(&title);
            changes.push(TurnChange::Patch { patch, at: now() });
            changes.extend(run_id.map(|id| run_change(&thread.id, &id, RunStatus::Succeeded)));
        }
        let patched = (ends || events == 0) && !thread.is_deleted;
        if !ends {
            let answer = self.store.write_turn(&scope, &key, changes.clone()).await;
            if thread.is_deleted {
                return assert_not_found(answer);
            }
            thread.title = if patched {
                Some(title)
            } else {
                thread.title.take()
            };
            let done = answer.unwrap();
            assert_eq!(done.len(), changes.len());
            return thread.take(&done);
        }
        let answer = self
            .store
            .finish_turn(&scope, &key, changes.clone(), Some(&next))
            .await;
        if thread.is_deleted {
            return assert_not_found(answer);
        }
        let done = answer.unwrap();
        thread.title = Some(title);
        thread.end_turn();
        assert_eq!(done.next.is_some(), !thread.waiting.is_empty());
        let open = thread.open.len();
        assert_eq!(
            done.changes.len(),
            changes.len() + open + usize::from(done.next.is_some())
        );
        thread.take(&done.changes);
        assert_eq!(thread.open, Vec::<String>::new());
        thread.take_claim(done.next);
    }

    /// Begins, extends or ends a streaming text in the held turn.
    pub(crate) async fn stream(&mut self, thread: usize, ends: bool) {
        let Some(index) = self.any_thread(thread) else {
            return;
        };
        let (scope, id) = (self.scope_of(index), self.new_id());
        let thread = &mut self.threads[index];
        let Some(key) = thread.held.clone().filter(|_| !thread.is_deleted) else {
            return;
        };
        let change = match thread.open.first().cloned() {
            None => streamed(&thread.id, &id),
            Some(event_id) if ends => TurnChange::Finalize { event_id, text: id },
            Some(event_id) => {
                thread.grow(&event_id, &id, self.ids as u64);
                TurnChange::Text {
                    event_id,
                    text: id,
                    delta_seq: self.ids as u64,
                }
            }
        };
        let is_told = !matches!(change, TurnChange::Text { .. });
        let done = self.store.write_turn(&scope, &key, vec![change]).await;
        let done = done.unwrap();
        assert_eq!(done.len(), usize::from(is_told));
        thread.take(&done);
    }

    /// Writes with the key of an earlier turn.
    pub(crate) async fn write_late(&mut self, thread: usize) {
        let Some(index) = self.any_thread(thread) else {
            return;
        };
        let thread = &self.threads[index];
        for key in &thread.stale {
            let changes = vec![written(&thread.id, "late", None)];
            let answer = self
                .store
                .write_turn(&self.scope_of(index), key, changes)
                .await;
            if thread.is_deleted {
                assert_not_found(answer);
            } else {
                assert_stale(answer);
            }
        }
    }

    pub(crate) async fn delete(&mut self, thread: usize) {
        let Some(index) = self.any_thread(thread) else {
            return;
        };
        let scope = self.scope_of(index);
        let thread = &mut self.threads[index];
        let answer = self.store.delete_thread(&scope, &thread.id).await;
        if thread.is_deleted {
            return assert_not_found(answer);
        }
        assert_eq!(answer.unwrap().rev, thread.rev + 1);
        thread.is_deleted = true;
    }

    /// Accesses a thread from a scope that must not see it.
    pub(crate) async fn intrude(&mut self, thread: usize, user: usize) {
        let Some(index) = self.any_thread(thread) else {
            return;
        };
        let scope = self.tenant((self.threads[index].tenant + 1) % TENANTS);
        let id = self.threads[index].id.clone();
        let new = self.message(ThreadTarget::Existing(id.clone()), user);
        assert_not_found(
            self.store
                .begin_turn(&scope, new, &start(&self.new_id()))
                .await,
        );
        assert_not_found(self.store.delete_thread(&scope, &id).await);
        assert_not_found(self.store.claim_turn(&scope, &id, &start("none")).await);
    }

    /// Recovers, as if the process had died and another one started.
    pub(crate) async fn recover(&mut self) {
        let recovered = self.store.recover().await.unwrap();
        for index in 0..self.threads.len() {
            let scope = self.scope_of(index);
            let thread = &mut self.threads[index];
            let listed = recovered
                .waiting
                .iter()
                .find(|waiting| waiting.thread_id == thread.id);
            let waits = !thread.is_deleted && !thread.waiting.is_empty();
            assert_eq!(
                listed.map(|waiting| &waiting.scope),
                waits.then_some(&scope)
            );
            if thread.is_deleted || thread.held.is_none() {
                continue;
            }
            thread.end_turn();
            let known = Position {
                last_seq: thread.events.len() as u64,
                rev: thread.rev,
                ..start_position()
            };
            let (mut changes, _) = catch_up_fully(self.store, &scope, &thread.id, known, 10).await;
            changes.sort_by_key(|change| change.rev);
            let open = thread
                .runs
                .iter()
                .filter(|run| run.status == RunStatus::Running)
                .count();
            assert_eq!(changes.len(), 2 + open + thread.open.len());
            thread.take(&changes);
            assert_eq!(thread.open, Vec::<String>::new());
            let said = thread.events.last().unwrap().created_at;
            let front = self.front(self.threads[index].tenant, said);
            self.threads[index].last_event_at = front;
        }
    }
}
