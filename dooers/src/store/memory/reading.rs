//! Reading a thread that is in memory with all its events and runs.

use crate::protocol::{Run, RunStatus, Thread, ThreadEvent};
use crate::store::change::in_sending_order;
use crate::store::page::{FirstEdited, Known, Place, Shown};
use crate::store::state::{KeptEvent, KeptRun, ThreadState};
use crate::store::{
    CatchUp, Change, EventPage, EventQuery, Position, RunQuery, Snapshot, SnapshotFrom, StoreError,
    ThreadCursor, ThreadPage, ThreadQuery,
};
use std::cmp::Reverse;
use std::ops::RangeInclusive;

/// A page of these threads, those with the newest events first.
pub(super) fn page_of<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    after: Option<&ThreadCursor>,
    limit: usize,
) -> ThreadPage {
    let mut all: Vec<_> = threads.map(|state| &state.row.record.thread).collect();
    let total_count = if after.is_none() { all.len() as u64 } else { 0 };
    all.sort_by_key(|thread| Reverse((thread.last_event_at, thread.id.clone())));
    let is_behind = |place: (_, &str)| {
        after.is_none_or(|cursor| place < (cursor.last_event_at, cursor.thread_id.as_str()))
    };
    let mut behind = all
        .into_iter()
        .filter(|thread| is_behind((thread.last_event_at, &thread.id)));
    let threads: Vec<_> = behind.by_ref().take(limit).cloned().collect();
    let has_more = behind.next().is_some();
    let next = threads
        .last()
        .filter(|_| has_more)
        .map(|last| ThreadCursor {
            last_event_at: last.last_event_at,
            thread_id: last.id.clone(),
        });
    ThreadPage {
        threads,
        next,
        total_count,
    }
}

/// Those of these threads that a query looks for.
pub(super) fn find_threads<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    query: &ThreadQuery,
) -> Vec<Thread> {
    let takes_part = |state: &&ThreadState| {
        let participant = query.participant.as_ref();
        participant.is_none_or(|participant| state.row.record.participants.contains(participant))
    };
    let threads = threads
        .filter(takes_part)
        .map(|state| &state.row.record.thread);
    let place = |thread: &&Thread| Place::of(thread.last_event_at, &thread.id);
    let found = query.span().take(threads, place, query.limit);
    found.into_iter().cloned().collect()
}

/// Those of the runs of these threads that a query looks for.
pub(super) fn find_runs<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    query: &RunQuery,
) -> Vec<Run> {
    let runs = threads.flat_map(|state| state.runs.iter().map(|kept| &kept.run));
    let admitted = runs.filter(|run| query.admits(run));
    let place = |run: &&Run| Place::of(run.started_at, &run.id);
    let found = query.span().take(admitted, place, query.limit);
    found.into_iter().cloned().collect()
}

impl ThreadState {
    pub(super) fn snapshot(&self, from: &SnapshotFrom) -> Snapshot {
        let after = match from {
            SnapshotFrom::Newest => None,
            SnapshotFrom::After(id) | SnapshotFrom::Covering(id) => self.kept_event(id),
        };
        let after = after.map(KeptEvent::place);
        let shown = self.shown(from, after);
        let events = self.between(shown.begin, shown.end);
        let events: Vec<ThreadEvent> = events.iter().map(|kept| kept.event.clone()).collect();
        Snapshot {
            thread: self.record(),
            runs: self.runs_shown(&events, &shown, after),
            events,
            has_more: shown.begin > 0,
            recovered: after.is_some(),
            position: shown.position(self.row.record.rev),
            is_complete: shown.known.is_none(),
        }
    }

    /// Which events a snapshot shows.
    fn shown(&self, from: &SnapshotFrom, after: Option<Known>) -> Shown {
        let total = self.row.last_seq;
        let Some(known) = after else {
            return Shown::newest(total);
        };
        let edited = self.first_edited(known);
        if matches!(from, SnapshotFrom::Covering(_)) {
            return Shown::covering(total, known, edited);
        }
        let before = edited.map_or(u64::MAX, |edited| edited.rev);
        let candidates = self.between(known.last_seq, known.last_shown(total));
        let made_before = |kept: &&KeptEvent| kept.first_rev < before;
        let last = candidates.iter().rfind(made_before);
        Shown::after(total, known, edited, last.map(KeptEvent::place))
    }

    /// The first edit of what a reader knows, since it knows it.
    fn first_edited(&self, known: Known) -> Option<FirstEdited> {
        let edited = self.edited(
            known.first_seq()..=known.last_seq,
            known.rev + 1..=self.row.record.rev,
        );
        let edited: Vec<_> = edited.collect();
        Some(FirstEdited {
            rev: edited.iter().map(|kept| kept.rev).min()?,
            seq: edited.iter().map(|kept| kept.event.seq).min()?,
        })
    }

    /// The events behind one place up to another, as far as there are any.
    fn between(&self, begin: u64, end: u64) -> &[KeptEvent] {
        let place = |seq: u64| self.events.len().min(seq as usize);
        &self.events[place(begin).min(place(end))..place(end)]
    }

    /// The events of these places that were edited by changes of these numbers.
    fn edited(
        &self,
        seqs: RangeInclusive<u64>,
        revs: RangeInclusive<u64>,
    ) -> impl Iterator<Item = &KeptEvent> {
        self.between(seqs.start().saturating_sub(1), *seqs.end())
            .iter()
            .filter(move |kept| kept.rev != kept.first_rev && revs.contains(&kept.rev))
    }

    pub(super) fn events_before(
        &self,
        before_event_id: Option<&str>,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let end = match before_event_id {
            None => self.events.len(),
            Some(id) => {
                let before = self
                    .event(id)
                    .ok_or(StoreError::NotFound("event in this thread"))?;
                before.seq as usize - 1
            }
        };
        let begin = end.saturating_sub(limit);
        Ok(EventPage {
            events: self.events[begin..end]
                .iter()
                .map(|kept| kept.event.clone())
                .collect(),
            has_more: begin > 0,
            rev: self.row.record.rev,
        })
    }

    pub(super) fn find(&self, query: &EventQuery) -> Vec<ThreadEvent> {
        query.find(self.events.iter().map(|kept| &kept.event))
    }

    pub(super) fn catch_up(&self, position: &Position, limit: usize) -> CatchUp {
        let change_of = |kept: &KeptEvent| Change::of_event(kept.event.clone(), kept.rev);
        let total = self.row.last_seq;
        let begin = position.last_seq;
        let end = total.min(begin.saturating_add(limit as u64));
        let is_complete = end == total;
        let new_events = self.between(begin, end);
        let up_to = match new_events.last() {
            _ if is_complete => self.row.record.rev,
            Some(last) => last.first_rev,
            None => position.rev,
        };
        let (known, reached) = (position.known(), position.moved(end, up_to));
        let since = known.rev + 1..=reached.known().rev;
        let runs = self.runs.iter().filter(|kept| since.contains(&kept.rev));
        let mut others: Vec<Change> = runs
            .map(|kept| Change::of_run(kept.run.clone(), kept.rev))
            .collect();
        let from_before = position.first_seq..=known.last_seq;
        others.extend(self.edited(from_before, since).map(change_of));
        if position.known.is_some() {
            let newer = known.last_seq + 1..=begin;
            let since = position.rev + 1..=reached.rev;
            others.extend(self.edited(newer, since).map(change_of));
        }
        if position.rev < self.row.row_rev && self.row.row_rev <= reached.rev {
            others.push(Change::of_thread(self.record(), self.row.row_rev));
        }
        CatchUp {
            changes: in_sending_order(new_events.iter().map(change_of).collect(), others),
            position: reached,
            is_complete,
        }
    }

    /// The runs of these events, any that goes on, and those of what is shown that changed since.
    fn runs_shown(&self, events: &[ThreadEvent], shown: &Shown, after: Option<Known>) -> Vec<Run> {
        let begun_up_to = shown.known.map_or(u64::MAX, |known| known.rev);
        let is_shown = |kept: &&KeptRun| {
            kept.run.status == RunStatus::Running
                || after.is_some_and(|after| kept.rev > after.rev) && kept.first_rev <= begun_up_to
                || events
                    .iter()
                    .any(|event| event.run_id.as_ref() == Some(&kept.run.id))
        };
        let shown = self.runs.iter().filter(is_shown);
        shown.map(|kept| kept.run.clone()).collect()
    }
}
