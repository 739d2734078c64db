//! Implementation of the rules' row traits by threads in memory.

use super::thread::{KeptEvent, KeptRun, ThreadState};
use super::threads::{PendingEvents, Threads};
use crate::protocol::{
    AnalyticsEvent, ContentPart, FeedbackTarget, Run, Thread, ThreadEvent, User, timestamp,
};
use crate::store::analytics::AnalyticsFilter;
use crate::store::feedback::KeptFeedback;
use crate::store::list_clock::ListClock;
use crate::store::outbox::OutboxEvent;
use crate::store::rules::{NewEvent, Rows, SentEvent, SentKey, ThreadRow, ThreadRows, TurnRow};
use crate::store::usage::{Spent, UsageOwner, UsageRow};
use crate::store::{CancelTarget, Feedback, Participant, Scope, StoreError};
use chrono::{DateTime, Utc};
use std::ops::{Deref, DerefMut, RangeInclusive};
use std::sync::Arc;

impl Rows for Threads {
    type Error = StoreError;
    type Thread<'a> = StateRows<'a>;

    fn has_thread(&self, thread_id: &str) -> Result<bool, StoreError> {
        Ok(self.by_id.contains_key(thread_id) || self.taken.threads.contains(thread_id))
    }

    fn has_event(&self, event_id: &str) -> Result<bool, StoreError> {
        let mut all = self.by_id.values();
        Ok(self.taken.events.contains_key(event_id)
            || all.any(|thread| thread.event(event_id).is_some()))
    }

    fn has_run(&self, run_id: &str) -> Result<bool, StoreError> {
        let mut all = self.by_id.values();
        Ok(self.taken.runs.contains(run_id) || all.any(|thread| thread.run(run_id).is_some()))
    }

    fn thread(
        &mut self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<Option<StateRows<'_>>, StoreError> {
        let thread = self.by_id.get_mut(thread_id);
        let thread = thread.filter(|thread| thread.is_visible_in(scope));
        Ok(thread.map(|state| StateRows {
            state,
            outbox: &mut self.outbox,
        }))
    }

    fn insert_thread(
        &mut self,
        scope: &Scope,
        thread: Thread,
    ) -> Result<StateRows<'_>, StoreError> {
        let clock = self.clocks.of(scope);
        let id = thread.id.clone();
        let state = ThreadState::new(ThreadRow::new(scope, thread, &clock), clock);
        Ok(StateRows {
            state: self.by_id.entry(id).insert_entry(state).into_mut(),
            outbox: &mut self.outbox,
        })
    }

    fn delete_thread(&mut self, _: &Scope, thread_id: &str) -> Result<(), StoreError> {
        self.by_id.remove(thread_id);
        let now = timestamp::now();
        let of_thread = |sent: &&mut SentEvent| sent.thread_id == thread_id;
        for sent in self.sent.values_mut().filter(of_thread) {
            sent.deleted_at = Some(now);
        }
        Ok(())
    }

    fn sent(&self, key: &SentKey) -> Result<Option<SentEvent>, StoreError> {
        Ok(self.sent.get(key).cloned())
    }

    fn is_stored(&self, sent: &SentEvent) -> Result<bool, StoreError> {
        let thread = self.by_id.get(&sent.thread_id);
        let is_loaded = thread.is_some_and(|thread| thread.event(&sent.event_id).is_some());
        Ok(is_loaded || self.taken.events.get(&sent.event_id) == Some(&sent.thread_id))
    }

    fn insert_sent(&mut self, key: SentKey, sent: SentEvent) -> Result<(), StoreError> {
        self.sent.insert(key, sent);
        Ok(())
    }

    fn insert_usage(&mut self, rows: Vec<UsageRow>) -> Result<(), StoreError> {
        rows.iter().for_each(|row| self.totals.add(row));
        self.usage.extend(rows);
        Ok(())
    }

    fn spent(&self, owner: &UsageOwner, days: &RangeInclusive<i64>) -> Result<Spent, StoreError> {
        Ok(self.totals.spent(owner, days))
    }

    fn threads_of(
        &self,
        scope: Option<&Scope>,
        target: &CancelTarget,
    ) -> Result<Vec<(Scope, String)>, StoreError> {
        let is_visible =
            |thread: &ThreadState| scope.is_none_or(|scope| thread.is_visible_in(scope));
        let threads = self.by_id.values();
        Ok(places(
            threads.filter(|thread| is_visible(thread) && thread.has(target)),
        ))
    }

    fn threads_with_turns(
        &self,
        lost_by: Option<DateTime<Utc>>,
    ) -> Result<Vec<(Scope, String)>, StoreError> {
        let is_meant = |turn: &TurnRow| lost_by.is_none() || turn.is_lost(lost_by);
        let threads = self.by_id.values();
        Ok(places(
            threads.filter(|thread| thread.turns.iter().any(is_meant)),
        ))
    }
}

fn places<'a>(threads: impl Iterator<Item = &'a ThreadState>) -> Vec<(Scope, String)> {
    let record = |thread: &'a ThreadState| &thread.row.record;
    let records = threads.map(record);
    records
        .map(|record| (record.scope(), record.thread.id.clone()))
        .collect()
}

/// A thread in memory, while an operation changes it.
#[derive(Debug)]
pub(crate) struct StateRows<'a> {
    state: &'a mut ThreadState,
    outbox: &'a mut PendingEvents,
}

impl Deref for StateRows<'_> {
    type Target = ThreadState;

    fn deref(&self) -> &ThreadState {
        self.state
    }
}

impl DerefMut for StateRows<'_> {
    fn deref_mut(&mut self) -> &mut ThreadState {
        self.state
    }
}

impl ThreadRows for StateRows<'_> {
    type Error = StoreError;

    fn row(&self) -> &ThreadRow {
        &self.row
    }

    fn row_mut(&mut self) -> &mut ThreadRow {
        &mut self.row
    }

    fn description_mut(&mut self) -> &mut Thread {
        &mut self.row.record.thread
    }

    fn users_mut(&mut self) -> &mut Vec<User> {
        &mut self.row.record.thread.users
    }

    fn save(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn outbox(&self) -> Option<Arc<AnalyticsFilter>> {
        self.outbox.filter.clone()
    }

    fn insert_outbox(&mut self, events: &[AnalyticsEvent]) -> Result<(), StoreError> {
        let thread_id = self.row.record.thread.id.clone();
        for event in events {
            let row = OutboxEvent::of(event);
            let row = row.map_err(|error| StoreError::Invalid(error.to_string()))?;
            self.outbox.events.push((thread_id.clone(), row));
        }
        Ok(())
    }

    fn clock(&self) -> Result<ListClock, StoreError> {
        Ok(self.clock.clone())
    }

    fn insert_participant(&mut self, participant: &Participant) -> Result<(), StoreError> {
        self.row.record.participants.push(participant.clone());
        Ok(())
    }

    fn event(&self, event_id: &str) -> Result<Option<ThreadEvent>, StoreError> {
        Ok(ThreadState::event(self, event_id).cloned())
    }

    fn first_rev(&self, event_id: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.kept_event(event_id).map(|kept| kept.first_rev))
    }

    fn has_answer_to(&self, form_event_id: &str) -> Result<bool, StoreError> {
        Ok(ThreadState::has_answer_to(self, form_event_id))
    }

    fn reopen_form(&mut self, event_id: &str) -> Result<(), StoreError> {
        let mut events = self.events.iter_mut();
        if let Some(kept) = events.find(|kept| kept.event.id == event_id) {
            kept.answers = None;
        }
        Ok(())
    }

    fn open_events(&self, turn: &str) -> Result<Vec<ThreadEvent>, StoreError> {
        let open = self.events.iter().filter(|kept| kept.is_open_in(turn));
        Ok(open.map(|kept| kept.event.clone()).collect())
    }

    fn insert_event(&mut self, new: NewEvent<'_>) -> Result<(), StoreError> {
        self.events.push(KeptEvent {
            event: new.event.clone(),
            first_rev: new.rev,
            rev: new.rev,
            open_in: new.open_in.map(str::to_owned),
            answers: new.answers.map(str::to_owned),
        });
        Ok(())
    }

    fn replace_event(&mut self, event: &ThreadEvent, rev: u64) -> Result<(), StoreError> {
        let mut events = self.events.iter_mut();
        if let Some(kept) = events.find(|kept| kept.event.id == event.id) {
            kept.event = event.clone();
            kept.rev = rev;
        }
        Ok(())
    }

    fn write_text(
        &mut self,
        turn: &str,
        event_id: &str,
        text: &str,
        delta_seq: u64,
    ) -> Result<(), StoreError> {
        let mut events = self.events.iter_mut();
        let open = events.find(|kept| kept.event.id == event_id && kept.is_open_in(turn));
        if let Some(kept) = open {
            kept.event.content = Some(vec![ContentPart::text(text)]);
            kept.event.delta_seq = Some(delta_seq);
        }
        Ok(())
    }

    fn finalize_event(&mut self, _: &str, event: &ThreadEvent, rev: u64) -> Result<(), StoreError> {
        let mut events = self.events.iter_mut();
        if let Some(kept) = events.find(|kept| kept.event.id == event.id) {
            kept.event = event.clone();
            kept.rev = rev;
            kept.open_in = None;
        }
        Ok(())
    }

    fn run(&self, run_id: &str) -> Result<Option<Run>, StoreError> {
        Ok(ThreadState::run(self, run_id).cloned())
    }

    fn open_runs(&self, event_id: &str) -> Result<Vec<Run>, StoreError> {
        let open = self.runs.iter().filter(|kept| kept.is_open(event_id));
        Ok(open.map(|kept| kept.run.clone()).collect())
    }

    fn insert_run(&mut self, run: &Run, rev: u64) -> Result<(), StoreError> {
        self.runs.push(KeptRun {
            run: run.clone(),
            first_rev: rev,
            rev,
        });
        Ok(())
    }

    fn update_run(&mut self, run: &Run, rev: u64) -> Result<(), StoreError> {
        if let Some(kept) = self.runs.iter_mut().find(|kept| kept.run.id == run.id) {
            kept.run = run.clone();
            kept.rev = rev;
        }
        Ok(())
    }

    fn delete_run(&mut self, run_id: &str) -> Result<(), StoreError> {
        self.runs.retain(|kept| kept.run.id != run_id);
        Ok(())
    }

    fn turn_of(&self, event_id: &str) -> Result<Option<TurnRow>, StoreError> {
        let mut turns = self.turns.iter();
        Ok(turns.find(|turn| turn.event_id == event_id).cloned())
    }

    fn message_of(&self, turn: &TurnRow) -> Result<ThreadEvent, StoreError> {
        let message = ThreadState::event(self, &turn.event_id);
        message
            .cloned()
            .ok_or(StoreError::NotFound("message of a turn"))
    }

    fn oldest_turn(&self) -> Result<Option<TurnRow>, StoreError> {
        Ok(self.turns.first().cloned())
    }

    fn waiting_turns(&self) -> Result<Vec<TurnRow>, StoreError> {
        let turns = self.turns.iter();
        Ok(turns.filter(|turn| !turn.is_running).cloned().collect())
    }

    fn count_waiting(&self) -> Result<usize, StoreError> {
        Ok(self.turns.iter().filter(|turn| !turn.is_running).count())
    }

    fn running_turns(&self) -> Result<Vec<TurnRow>, StoreError> {
        let turns = self.turns.iter();
        Ok(turns.filter(|turn| turn.is_running).cloned().collect())
    }

    fn insert_turn(&mut self, turn: TurnRow) -> Result<(), StoreError> {
        self.turns.push(turn);
        Ok(())
    }

    fn update_turn(&mut self, turn: &TurnRow) -> Result<(), StoreError> {
        if let Some(kept) = self.turns.iter_mut().find(|kept| kept.seq == turn.seq) {
            kept.clone_from(turn);
        }
        Ok(())
    }

    fn delete_turn(&mut self, turn: &TurnRow) -> Result<(), StoreError> {
        self.turns.retain(|kept| kept.seq != turn.seq);
        Ok(())
    }

    fn feedback(
        &self,
        participant: &Participant,
        target: &FeedbackTarget,
    ) -> Result<Option<Feedback>, StoreError> {
        let kept = self.feedback_of(participant, target);
        Ok(kept.map(|kept| kept.feedback.clone()))
    }

    fn put_feedback(&mut self, new: &KeptFeedback) -> Result<(), StoreError> {
        let mut all = self.feedback.iter_mut();
        match all.find(|kept| kept.is_of(&new.participant, &new.feedback.target)) {
            Some(kept) => kept.clone_from(new),
            None => self.feedback.push(new.clone()),
        }
        Ok(())
    }

    fn delete_feedback(&mut self, target: &FeedbackTarget) -> Result<(), StoreError> {
        self.feedback.retain(|kept| kept.feedback.target != *target);
        Ok(())
    }
}
