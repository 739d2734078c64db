//! Reads from threads whose events and runs are all in memory.

use crate::protocol::{FeedbackValue, Run, RunStatus, Thread, ThreadEvent};
use crate::store::catch_up_step::{Body, CatchUpStep, Extent, Missed};
use crate::store::change::in_sending_order;
use crate::store::limit::{encoded_len, fitting};
use crate::store::page::{ClientCheckpoint, ListPosition};
use crate::store::page_runs::PageRuns;
use crate::store::snapshot_window::{
    Base, FirstEdited, ShownEvents, SizedEvent, SnapshotRequest, Window,
};
use crate::store::state::{KeptEvent, KeptRun, ThreadState};
use crate::store::title_search::TitleScan;
use crate::store::usage::{GroupPart, UsageRow, sums_of};
use crate::store::{
    CatchUp, Change, EventPage, EventQuery, Feedback, FeedbackDay, FeedbackPeriod, FeedbackQuery,
    Order, PageLimit, Participant, Position, RunQuery, Scope, ShownFeedback, Snapshot,
    SnapshotFrom, StoreError, ThreadCursor, ThreadPage, ThreadQuery, TitleSearch, UsageQuery,
    UsageSum,
};
use std::cmp::Reverse;
use std::ops::RangeInclusive;

/// Returns a page of these threads, those with the newest events first.
pub(super) fn page_of<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    after: Option<&ThreadCursor>,
    limit: PageLimit,
) -> ThreadPage {
    let all = newest_behind(threads, after);
    let total_count = if after.is_none() { all.len() as u64 } else { 0 };
    let sizes = all.iter().map(|thread| encoded_len(*thread));
    let shown = fitting(limit.bytes, sizes.take(limit.items));
    let has_more = shown < all.len();
    let threads: Vec<_> = all.into_iter().take(shown).cloned().collect();
    let next = threads.last().filter(|_| has_more).map(ThreadCursor::of);
    ThreadPage {
        threads,
        next,
        total_count,
    }
}

/// Returns a page of those of these threads that a search finds.
pub(super) fn search<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    search: &TitleSearch,
    after: Option<&ThreadCursor>,
    limit: PageLimit,
) -> ThreadPage {
    let all = newest_behind(threads, after);
    let mut scan = TitleScan::new(search, after, limit);
    for thread in &all {
        if scan.is_over() {
            break;
        }
        let place = ListPosition::of(thread.last_event_at, &thread.id);
        scan.scan(place, thread.title.as_deref());
    }
    let mut all = all.into_iter();
    let found = scan.found().iter();
    let found = found.filter_map(|id| all.find(|thread| thread.id == *id));
    let mut threads: Vec<_> = found.cloned().collect();
    threads.truncate(fitting(limit.bytes, threads.iter().map(encoded_len)));
    scan.page(threads)
}

/// Returns the threads behind a cursor, those with the newest events first.
fn newest_behind<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    after: Option<&ThreadCursor>,
) -> Vec<&'a Thread> {
    let mut all: Vec<_> = threads.map(|state| &state.row.record.thread).collect();
    all.sort_by_key(|thread| Reverse((thread.last_event_at, thread.id.clone())));
    let is_behind = |place: (_, &str)| {
        after.is_none_or(|cursor| place < (cursor.last_event_at, cursor.thread_id.as_str()))
    };
    all.retain(|thread| is_behind((thread.last_event_at, &thread.id)));
    all
}

/// Returns the threads that match a query.
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
    let place = |thread: &&Thread| ListPosition::of(thread.last_event_at, &thread.id);
    let found = query.span().take(threads, place, query.limit);
    found.into_iter().cloned().collect()
}

/// Returns the runs of these threads that match a query.
pub(super) fn find_runs<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    query: &RunQuery,
) -> Vec<Run> {
    let runs = threads.flat_map(|state| state.runs.iter().map(|kept| &kept.run));
    let admitted = runs.filter(|run| query.admits(run));
    let place = |run: &&Run| ListPosition::of(run.started_at, &run.id);
    let found = query.span().take(admitted, place, query.limit);
    found.into_iter().cloned().collect()
}

/// Returns the feedback in these threads that matches a query.
pub(super) fn find_feedback<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    query: &FeedbackQuery,
) -> Vec<Feedback> {
    let all = threads.flat_map(|state| state.feedback.iter().map(|kept| &kept.feedback));
    let admitted = all.filter(|feedback| query.admits(feedback));
    let found = query.span().take(admitted, place_of_feedback, query.limit);
    found.into_iter().cloned().collect()
}

/// Counts the feedback in these threads by day.
pub(super) fn count_feedback<'a>(
    threads: impl Iterator<Item = &'a ThreadState>,
    agent: &str,
    period: FeedbackPeriod,
) -> Vec<FeedbackDay> {
    let all = threads.flat_map(|state| state.feedback.iter().map(|kept| &kept.feedback));
    let mut days: Vec<FeedbackDay> = Vec::new();
    for feedback in period.span().take(all, place_of_feedback, usize::MAX) {
        let day = feedback.updated_at.date_naive();
        let is_same = days.last().is_some_and(|last| last.day == day);
        if !is_same {
            days.push(FeedbackDay {
                agent: agent.to_owned(),
                day,
                likes: 0,
                dislikes: 0,
            });
        }
        if let Some(counted) = days.last_mut() {
            match feedback.value {
                FeedbackValue::Like => counted.likes += 1,
                FeedbackValue::Dislike => counted.dislikes += 1,
            }
        }
    }
    days
}

/// Sums up the rows of the ledger that a query covers.
pub(super) fn sum_usage(rows: &[UsageRow], scope: &Scope, query: &UsageQuery) -> Vec<UsageSum> {
    let Some(user) = query.visible_user(scope) else {
        return Vec::new();
    };
    let place = scope.of_everyone();
    let is_covered = |row: &&UsageRow| {
        let used = &row.used;
        row.scope == place
            && (query.thread_id.as_ref()).is_none_or(|thread_id| *thread_id == row.thread_id)
            && user.is_none_or(|user| user == used.user_id)
            && (query.model.as_ref()).is_none_or(|model| *model == used.usage.model)
            && query.since.is_none_or(|since| used.at >= since)
            && query.before.is_none_or(|before| used.at < before)
    };
    let covered = rows.iter().filter(is_covered);
    sums_of(scope, covered.map(|row| GroupPart::of(row, query)))
}

fn place_of_feedback(feedback: &&Feedback) -> ListPosition {
    ListPosition::of(feedback.updated_at, &feedback.id)
}

impl ThreadState {
    pub(super) fn snapshot(
        &self,
        reader: Option<&Participant>,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Snapshot {
        let shown = self.shown(from, bytes);
        let events = self.between(shown.begin, shown.end);
        let events: Vec<ThreadEvent> = events.iter().map(|kept| kept.event.clone()).collect();
        Snapshot {
            thread: self.record(),
            runs: self.runs_shown(&events, &shown),
            feedback: self.feedback_shown(reader, &events),
            events,
            has_more: shown.begin > 0,
            recovered: shown.after.is_some(),
            position: shown.position(self.row.record.rev),
            is_complete: shown.known.is_none(),
        }
    }

    /// Chooses the events that a snapshot shows.
    fn shown(&self, from: &SnapshotFrom, bytes: usize) -> ShownEvents {
        let after = match from {
            SnapshotFrom::Newest => None,
            SnapshotFrom::After(id) | SnapshotFrom::Covering(id) => self.kept_event(id),
        };
        let asked = SnapshotRequest {
            total: self.row.last_seq,
            bytes,
            from: after.map_or(Base::Nothing, |after| {
                let known = after.place();
                Base::of(from, known, self.first_edited(known))
            }),
        };
        asked.shown(&self.sized(asked.window()))
    }

    /// Returns the events of a window, in its order, with their sizes. Sizes are computed lazily.
    fn sized(&self, window: Window) -> impl Iterator<Item = SizedEvent> + Clone {
        let events = self.between(window.begin, window.end);
        (0..events.len()).map(move |at| {
            let kept = match window.order {
                Order::OldestFirst => &events[at],
                Order::NewestFirst => &events[events.len() - 1 - at],
            };
            SizedEvent {
                place: kept.place(),
                bytes: encoded_len(&kept.event),
            }
        })
    }

    /// Returns the first edit of the events that a reader has, after the reader's `rev`.
    fn first_edited(&self, known: ClientCheckpoint) -> Option<FirstEdited> {
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

    /// Returns the events with a `seq` greater than `begin` and at most `end`.
    fn between(&self, begin: u64, end: u64) -> &[KeptEvent] {
        let place = |seq: u64| self.events.len().min(seq as usize);
        &self.events[place(begin).min(place(end))..place(end)]
    }

    /// Returns the events of the range `seqs` whose last change is an edit in the range `revs`.
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
        limit: PageLimit,
    ) -> Result<EventPage, StoreError> {
        let end = match before_event_id {
            None => self.row.last_seq,
            Some(id) => {
                let before = self
                    .event(id)
                    .ok_or(StoreError::NotFound("event in this thread"))?;
                before.seq - 1
            }
        };
        let window = Window::before(end, limit.items);
        let runs = PageRuns::of(self.runs.iter().map(|kept| &kept.run));
        let in_window = self.between(window.begin, end).iter();
        let newest_first = in_window.rev().map(|kept| &kept.event);
        let begin = window.begin_of(runs.fitting(limit.bytes, newest_first));
        let events = self.between(begin, end).iter().map(|kept| &kept.event);
        Ok(EventPage {
            runs: runs.shown(events.clone()),
            events: events.cloned().collect(),
            has_more: begin > 0,
            rev: self.row.record.rev,
        })
    }

    pub(super) fn find(&self, query: &EventQuery) -> Vec<ThreadEvent> {
        query.find(self.events.iter().map(|kept| &kept.event))
    }

    pub(super) fn catch_up(&self, position: &Position, limit: PageLimit) -> CatchUp {
        let extent = Extent {
            last_seq: self.row.last_seq,
            rev: self.row.record.rev,
        };
        let end = CatchUpStep::end(position, extent, limit.items);
        let new_events = self.between(position.last_seq, end);
        let last_new = new_events.last().map(KeptEvent::place);
        let step = CatchUpStep::new(position, extent, end, last_new);
        let missed = self.missed(position, &step);
        let step = step.within(limit.bytes, missed);
        let change_of = |kept: &KeptEvent| Change::of_event(kept.event.clone(), kept.rev);
        let new_events = self.between(position.last_seq, step.end).iter();
        let runs = self.runs_changed(&step);
        let mut others: Vec<Change> = runs
            .map(|kept| Change::of_run(kept.run.clone(), kept.rev))
            .collect();
        others.extend(self.events_edited(&step).map(change_of));
        if step.has_row(self.row.row_rev) {
            others.push(Change::of_thread(self.record(), self.row.row_rev));
        }
        CatchUp {
            changes: in_sending_order(new_events.map(change_of).collect(), others),
            position: step.reached(),
            is_complete: step.is_complete,
        }
    }

    /// Returns the changes of a step.
    fn missed<'a>(&'a self, position: &Position, step: &CatchUpStep<'_>) -> Vec<Missed<Body<'a>>> {
        let new_events = self.between(position.last_seq, step.end).iter();
        let new_event =
            |kept: &'a KeptEvent| Missed::new_event(kept.place(), Body::Event(&kept.event));
        let edited = |kept: &'a KeptEvent| Missed::change(kept.rev, Body::Event(&kept.event));
        let row = step.has_row(self.row.row_rev);
        new_events
            .map(new_event)
            .chain(
                self.runs_changed(step)
                    .map(|kept| Missed::change(kept.rev, Body::Run(&kept.run))),
            )
            .chain(self.events_edited(step).map(edited))
            .chain(
                row.then(|| {
                    Missed::change(self.row.row_rev, Body::Thread(&self.row.record.thread))
                }),
            )
            .collect()
    }

    fn runs_changed(&self, step: &CatchUpStep<'_>) -> impl Iterator<Item = &KeptRun> {
        let changes = step.changes();
        self.runs
            .iter()
            .filter(move |kept| changes.contains(&kept.rev))
    }

    /// Returns the events that the reader has and that were edited in a step.
    fn events_edited(&self, step: &CatchUpStep<'_>) -> impl Iterator<Item = &KeptEvent> {
        let from_before = self.edited(step.known_events(), step.changes());
        let sent = step.sent_events().into_iter();
        from_before.chain(sent.flat_map(|(events, changes)| self.edited(events, changes)))
    }

    /// Returns the reader's feedback on these events.
    fn feedback_shown(
        &self,
        reader: Option<&Participant>,
        events: &[ThreadEvent],
    ) -> Vec<ShownFeedback> {
        let shown = |event: &ThreadEvent| {
            let kept = self.feedback_of(reader?, &event.into())?;
            Some(ShownFeedback {
                event_id: event.id.clone(),
                value: kept.feedback.value,
            })
        };
        if self.feedback.is_empty() {
            return Vec::new();
        }
        events.iter().filter_map(shown).collect()
    }

    /// Returns the runs that these events name or that answer them, all running runs, and the other runs that changed since
    /// the snapshot's base.
    fn runs_shown(&self, events: &[ThreadEvent], shown: &ShownEvents) -> Vec<Run> {
        let (after, begun_up_to) = (shown.after, shown.known.map_or(u64::MAX, |known| known.rev));
        let is_shown = |kept: &&KeptRun| {
            kept.run.status == RunStatus::Running
                || after.is_some_and(|after| kept.rev > after.rev) && kept.first_rev <= begun_up_to
                || events.iter().any(|event| {
                    event.run_id.as_ref() == Some(&kept.run.id)
                        || kept.run.event_id.as_ref() == Some(&event.id)
                })
        };
        let shown = self.runs.iter().filter(is_shown);
        shown.map(|kept| kept.run.clone()).collect()
    }
}
