//! Reading a thread that is in memory.

use super::thread::{KeptEvent, ThreadState};
use crate::protocol::{Run, RunStatus, ThreadEvent};
use crate::store::change::in_sending_order;
use crate::store::page::Known;
use crate::store::{
    CatchUp, Change, EventPage, Position, SNAPSHOT_EVENTS, Snapshot, SnapshotFrom, StoreError,
    ThreadCursor, ThreadPage,
};
use std::cmp::Reverse;

/// A page of these threads, those with the newest events first.
pub(super) fn page_of<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    after: Option<&ThreadCursor>,
    limit: usize,
) -> ThreadPage {
    let mut all: Vec<_> = threads.map(|state| &state.thread).collect();
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

impl ThreadState {
    pub(super) fn snapshot(&self, from: &SnapshotFrom) -> Snapshot {
        let after = match from {
            SnapshotFrom::Newest => None,
            SnapshotFrom::After(id) | SnapshotFrom::Covering(id) => self.kept_event(id),
        };
        let total = self.events.len();
        let newest = total.saturating_sub(SNAPSHOT_EVENTS)..total;
        let (range, known) = match (from, after) {
            (SnapshotFrom::After(_), Some(after)) => {
                let begin = after.event.seq as usize;
                let known = Known {
                    last_seq: after.event.seq,
                    rev: after.first_rev,
                };
                (begin..total.min(begin + SNAPSHOT_EVENTS), Some(known))
            }
            (SnapshotFrom::Covering(_), Some(after)) => {
                (newest.start.min(after.event.seq as usize)..total, None)
            }
            _ => (newest, None),
        };
        let events: Vec<ThreadEvent> = self.events[range.clone()]
            .iter()
            .map(|kept| kept.event.clone())
            .collect();
        let first_seq = match known {
            Some(known) => (known.last_seq + 1)
                .saturating_sub(SNAPSHOT_EVENTS as u64)
                .max(1),
            None => range.start as u64 + 1,
        };
        Snapshot {
            thread: self.record(),
            runs: self.runs_of(&events),
            has_more: range.start > 0,
            recovered: after.is_some(),
            position: Position {
                first_seq,
                last_seq: range.end as u64,
                rev: self.rev,
                known,
            },
            is_complete: known.is_none(),
            events,
        }
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
        })
    }

    pub(super) fn catch_up(&self, position: &Position, limit: usize) -> CatchUp {
        let change_of = |kept: &KeptEvent| Change::of_event(kept.event.clone(), kept.rev);
        // A position may be of another thread of this id, which was deleted.
        let total = self.events.len();
        let begin = total.min(position.last_seq as usize);
        let end = total.min(begin.saturating_add(limit));
        let first = begin.min((position.first_seq as usize).saturating_sub(1));
        let is_complete = end == total;
        let new_events: Vec<Change> = self.events[begin..end].iter().map(change_of).collect();
        let is_missing = |kept: &&KeptEvent| {
            let seq = kept.event.seq;
            match position.known {
                Some(known) if seq <= known.last_seq => is_complete && kept.rev > known.rev,
                _ => kept.rev > position.rev,
            }
        };
        let mut others: Vec<Change> = self.events[first..begin]
            .iter()
            .filter(is_missing)
            .map(change_of)
            .collect();
        // A reader that came back has the runs, too, as they were before it went.
        let runs_from = match position.known {
            Some(known) if is_complete => known.rev,
            _ => position.rev,
        };
        let runs = self.runs.iter().filter(|kept| kept.rev > runs_from);
        others.extend(runs.map(|kept| Change::of_run(kept.run.clone(), kept.rev)));
        if self.row_rev > position.rev {
            others.push(Change::of_thread(self.record(), self.row_rev));
        }
        // What happened behind the page's last event is told behind the events that come before it.
        let up_to = match self.events[begin..end].last() {
            _ if is_complete => self.rev,
            Some(last) => last.first_rev.max(position.rev),
            None => position.rev,
        };
        others.retain(|change| change.rev <= up_to);
        CatchUp {
            changes: in_sending_order(new_events, others),
            position: Position {
                first_seq: position.first_seq,
                last_seq: end as u64,
                rev: up_to,
                known: position.known.filter(|_| !is_complete),
            },
            is_complete,
        }
    }

    /// The runs of these events, and any that goes on.
    fn runs_of(&self, events: &[ThreadEvent]) -> Vec<Run> {
        let is_shown = |run: &Run| {
            run.status == RunStatus::Running
                || events
                    .iter()
                    .any(|event| event.run_id.as_ref() == Some(&run.id))
        };
        self.runs
            .iter()
            .map(|kept| &kept.run)
            .filter(|run| is_shown(run))
            .cloned()
            .collect()
    }
}
