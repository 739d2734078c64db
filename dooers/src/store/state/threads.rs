//! Threads in memory, and what each operation does to them.
//!
//! Each does all its checks before its first change, so that a refusal leaves everything as it was.

use super::thread::ThreadState;
use crate::protocol::timestamp;
use crate::store::edit::id_is_taken;
use crate::store::list_clock::ListClocks;
use crate::store::{
    Begun, Change, Claim, Edited, NewMessage, Participant, Retried, Scope, Start, StoreError,
    ThreadDraft, ThreadEdit, ThreadTarget, TurnChange, TurnKey, Written, message,
};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// Threads by their ids, and which events came of the messages that clients sent.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    pub(crate) by_id: HashMap<String, ThreadState>,
    pub(crate) sent: HashMap<SentKey, SentEvent>,
    /// For threads that are not all here.
    pub(crate) taken: Taken,
    /// The clocks of the lists in which threads are made.
    pub(crate) clocks: ListClocks,
}

/// The ids that events and runs of other threads have: only those that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) events: HashSet<String>,
    pub(crate) runs: HashSet<String>,
}

/// Under which a repeated message is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SentKey {
    pub(crate) worker_id: String,
    pub(crate) organization_id: String,
    pub(crate) workspace_id: String,
    pub(crate) participant: Participant,
    pub(crate) client_event_id: String,
}

/// What came of a message.
#[derive(Debug, Clone)]
pub(crate) struct SentEvent {
    pub(crate) thread_id: String,
    pub(crate) event_id: String,
    /// The time at which the thread was deleted.
    pub(crate) deleted_at: Option<DateTime<Utc>>,
}

impl SentKey {
    /// That of a message, if its client gave it an id.
    pub(crate) fn of(scope: &Scope, new: &NewMessage) -> Option<Self> {
        Some(Self {
            worker_id: scope.worker_id.clone(),
            organization_id: scope.organization_id.clone(),
            workspace_id: scope.workspace_id.clone(),
            participant: new.participant.clone(),
            client_event_id: new.client_event_id.clone()?,
        })
    }
}

impl Threads {
    /// The thread of this id, if it can be seen in this scope.
    pub(crate) fn get(&self, scope: &Scope, thread_id: &str) -> Result<&ThreadState, StoreError> {
        self.by_id
            .get(thread_id)
            .filter(|thread| thread.is_visible_in(scope))
            .ok_or(StoreError::NotFound("thread"))
    }

    /// The same, to change it.
    pub(crate) fn get_mut(
        &mut self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<&mut ThreadState, StoreError> {
        self.by_id
            .get_mut(thread_id)
            .filter(|thread| thread.is_visible_in(scope))
            .ok_or(StoreError::NotFound("thread"))
    }

    /// The thread of a turn, if this claim of it still holds.
    fn held(&mut self, scope: &Scope, turn: &TurnKey) -> Result<&mut ThreadState, StoreError> {
        let thread = self.get_mut(scope, &turn.thread_id)?;
        thread.check_fence(turn)?;
        Ok(thread)
    }

    /// Stores a user's message and its turn: see [`Store::begin_turn`](crate::store::Store::begin_turn).
    pub(crate) fn begin(
        &mut self,
        scope: &Scope,
        new: &NewMessage,
        start: &Start,
    ) -> Result<Begun, StoreError> {
        let key = SentKey::of(scope, new);
        if let Some(key) = &key
            && let Some(begun) = self.repeated(scope, key, new)?
        {
            return Ok(begun);
        }
        let answer = new.form_answer()?;
        let mut accepted = None;
        let thread_id = new.thread.id();
        let mut changes = Vec::new();
        let made = match &new.thread {
            ThreadTarget::Existing(_) => None,
            ThreadTarget::New(made) => Some(made),
            ThreadTarget::ExistingOrNew(made) if self.by_id.contains_key(&made.id) => None,
            ThreadTarget::ExistingOrNew(made) => Some(made),
        };
        let thread = match made {
            None => {
                let thread = self.get_mut(scope, thread_id)?;
                if let Some(answer) = &answer {
                    let form = thread.event(&answer.form_event_id);
                    let is_answered = thread.has_answer_to(&answer.form_event_id);
                    accepted = Some(new.accepted(answer, form, is_answered)?);
                }
                thread.check_busy(start)?;
                if thread.meet(&new.participant, &new.user, new.at) {
                    changes.push(thread.change_row());
                }
                thread.touch(new.at);
                thread
            }
            Some(made) => {
                let id = &made.id;
                if answer.is_some() {
                    return Err(StoreError::NotFound("form in this thread"));
                }
                if self.by_id.contains_key(id) {
                    // Outside the scope it answers as if it did not exist.
                    self.get(scope, id)?;
                    return Err(StoreError::Conflict(format!(
                        "there is a thread `{id}` already"
                    )));
                }
                let record = made.thread(scope, &new.user, new.at);
                let owner = Some(new.participant.clone());
                let (agent, clock) = (scope.agent.clone(), self.clocks.of(scope));
                let (thread, created) = ThreadState::new(record, agent, owner, clock);
                changes.push(created);
                self.by_id.entry(id.clone()).or_insert(thread)
            }
        };
        let new = accepted.as_ref().unwrap_or(new);
        let (event, change) = thread.append_message(new);
        let rev = change.rev;
        changes.push(change);
        // Behind the message, which is why it happens.
        let (withdrawn, interrupted) = thread.make_way(start);
        changes.extend(withdrawn);
        let mut claim = thread.queue(&event, new.sealed(), start);
        if let Some(claim) = &mut claim {
            changes.append(&mut claim.changes);
        }
        if let Some(key) = key {
            let sent = SentEvent {
                thread_id: thread_id.to_owned(),
                event_id: new.event_id.clone(),
                deleted_at: None,
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
        let is_there = || {
            let thread = self.by_id.get(&sent.thread_id);
            thread.is_some_and(|thread| thread.event(&sent.event_id).is_some())
        };
        let thread = match self.get(scope, &sent.thread_id) {
            // To its sender everything else of it is known.
            Err(_) if is_there() => return Err(message::was_sent_to_another_agent()),
            thread => thread?,
        };
        let kept = thread
            .kept_event(&sent.event_id)
            .ok_or(StoreError::NotFound("thread"))?;
        new.must_repeat(&kept.event, thread.digest_of(&sent.event_id))?;
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

    /// Claims a thread's oldest turn.
    pub(crate) fn claim(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        start: &Start,
    ) -> Result<Option<Claim>, StoreError> {
        Ok(self.get_mut(scope, thread_id)?.claim(start))
    }

    /// Writes what a turn did.
    pub(crate) fn write(
        &mut self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
    ) -> Result<Vec<Change>, StoreError> {
        Ok(self.held(scope, turn)?.apply(turn, changes))
    }

    /// Writes the last of a turn, ends it and claims the next.
    pub(crate) fn finish(
        &mut self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        next: Option<&Start>,
    ) -> Result<Written, StoreError> {
        let thread = self.held(scope, turn)?;
        let mut changes = thread.apply(turn, changes);
        changes.extend(thread.finalize_all(&turn.event_id));
        thread.end_turn(&turn.event_id);
        let mut next = next.and_then(|start| thread.claim(start));
        if let Some(next) = &mut next {
            changes.append(&mut next.changes);
        }
        Ok(Written { changes, next })
    }

    /// Writes the last of an attempt, and lets the turn wait for another one, unless it was cancelled.
    pub(crate) fn retry(
        &mut self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        not_before: DateTime<Utc>,
    ) -> Result<Retried, StoreError> {
        let thread = self.held(scope, turn)?;
        let mut changes = thread.apply(turn, changes);
        changes.extend(thread.finalize_all(&turn.event_id));
        let is_cancelled = thread.is_cancelled(&turn.event_id);
        if is_cancelled {
            changes.extend(thread.end_cancelled(&turn.event_id, timestamp::now()));
        } else {
            thread.requeue(&turn.event_id, Some(not_before));
        }
        Ok(Retried {
            changes,
            is_cancelled,
        })
    }

    /// Makes a thread that nobody has written in.
    pub(crate) fn create(
        &mut self,
        scope: &Scope,
        draft: &ThreadDraft,
    ) -> Result<Change, StoreError> {
        let id = &draft.thread.id;
        if self.by_id.contains_key(id) {
            return Err(id_is_taken("thread", id));
        }
        let record = draft.thread(scope);
        let (agent, clock) = (scope.agent.clone(), self.clocks.of(scope));
        let (thread, created) = ThreadState::new(record, agent, draft.participant(), clock);
        self.by_id.insert(id.clone(), thread);
        Ok(created)
    }

    /// Changes a thread without a turn: see [`Store::edit_thread`](crate::store::Store::edit_thread).
    pub(crate) fn edit(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Edited, StoreError> {
        self.get(scope, thread_id)?;
        // Ids of events are unique in the whole store, and so are those of runs.
        let mut all = self.by_id.values();
        match &edit {
            ThreadEdit::CreateEvent(event)
                if self.taken.events.contains(&event.id)
                    || all.any(|thread| thread.event(&event.id).is_some()) =>
            {
                return Err(id_is_taken("event", &event.id));
            }
            ThreadEdit::CreateRun(run)
                if self.taken.runs.contains(&run.id)
                    || all.any(|thread| thread.run(&run.id).is_some()) =>
            {
                return Err(id_is_taken("run", &run.id));
            }
            _ => {}
        }
        self.get_mut(scope, thread_id)?.edit(edit)
    }

    /// Deletes a thread with all that is in it.
    pub(crate) fn delete(&mut self, scope: &Scope, thread_id: &str) -> Result<Change, StoreError> {
        let record = self.get(scope, thread_id)?.record();
        self.by_id.remove(thread_id);
        let now = timestamp::now();
        let of_thread = |sent: &&mut SentEvent| sent.thread_id == thread_id;
        for sent in self.sent.values_mut().filter(of_thread) {
            sent.deleted_at = Some(now);
        }
        Ok(Change::of_deletion(record))
    }

    /// Forgets messages of deleted threads: see [`Store::forget_sent`](crate::store::Store::forget_sent).
    pub(crate) fn forget_sent(&mut self, deleted_before: DateTime<Utc>, limit: usize) -> usize {
        let now = timestamp::now();
        let mut due = Vec::new();
        for (key, sent) in &mut self.sent {
            let Some(deleted_at) = &mut sent.deleted_at else {
                continue;
            };
            *deleted_at = now.min(*deleted_at);
            if *deleted_at < deleted_before && due.len() < limit {
                due.push(key.clone());
            }
        }
        for key in &due {
            self.sent.remove(key);
        }
        due.len()
    }
}
