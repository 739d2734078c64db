//! Reads the changes that a reader has not received.

use super::Stop;
use super::read::{ReadTransaction, Reading, parameters};
use super::rows::{self, WholeThread};
use super::sizes::edits;
use crate::store::catch_up_step::{Body, CatchUpStep, Extent, MeasuredItem, Missed};
use crate::store::change::in_sending_order;
use crate::store::page::ClientCheckpoint;
use crate::store::snapshot_window::{SizedEvent, Window};
use crate::store::{CatchUp, Change, Order, PageLimit, Position, Scope};
use std::ops::RangeInclusive;

impl<T: ReadTransaction> Reading<'_, T> {
    pub(crate) async fn catch_up(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: PageLimit,
    ) -> Result<CatchUp, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let extent = Extent {
            last_seq: thread.last_seq,
            rev: thread.record.rev,
        };
        let window = Window {
            begin: position.last_seq,
            end: CatchUpStep::end(position, extent, limit.items),
            order: Order::OldestFirst,
        };
        let new_events = self.event_sizes(&thread, window, limit.bytes).await?;
        let last = new_events.last().map(|event| event.place);
        let end = last.map_or(position.last_seq, |last| last.last_seq);
        let step = CatchUpStep::new(position, extent, end, last);
        let mut missed = self.missed_sizes(&thread, &step, limit.bytes).await?;
        let sized = |event: &SizedEvent| Missed::new_event(event.place, event.bytes);
        missed.extend(new_events.iter().map(sized));
        let row = Change::of_thread(thread.record.clone(), thread.row_rev);
        let has_row = step.has_row(row.rev);
        missed.extend(has_row.then(|| Missed::change(row.rev, Body::of(&row).bytes())));
        // The sizes of the columns bound the bytes that are read, and the exact sizes of the changes bound the bytes
        // that are sent.
        let step = step.within(limit.bytes, missed);
        let mut others = self.runs_changed(&thread, step.changes()).await?;
        others.extend(self.events_edited(&thread, &step).await?);
        others.extend(step.has_row(row.rev).then_some(row));
        let read = self
            .events_between(&thread, position.last_seq, step.end)
            .await?;
        let places = new_events.iter().map(|event| event.place);
        let read = read
            .into_iter()
            .map(|(event, rev)| Change::of_event(event, rev));
        let read: Vec<(ClientCheckpoint, Change)> = places.zip(read).collect();
        let missed = others
            .iter()
            .map(|change| Missed::change(change.rev, Body::of(change)));
        let new = read
            .iter()
            .map(|(place, event)| Missed::new_event(*place, Body::of(event)));
        let step = step.within(limit.bytes, missed.chain(new).collect());
        others.retain(|change| step.has(change.rev));
        let new_events = read.into_iter().filter(|(place, _)| step.has(place.rev));
        Ok(CatchUp {
            changes: in_sending_order(new_events.map(|(_, event)| event).collect(), others),
            position: step.reached(),
            is_complete: step.is_complete,
        })
    }

    /// Returns the events that the reader has and that were edited in a step.
    async fn events_edited(
        &mut self,
        thread: &WholeThread,
        step: &CatchUpStep<'_>,
    ) -> Result<Vec<Change>, Stop> {
        let mut edited = Vec::new();
        let change = |row: &T::Row| {
            let (event, rev) = rows::event(row, thread.id())?;
            Ok(Change::of_event(event, rev))
        };
        for values in edits(thread, step) {
            let read = self.every(&self.sql.events_edited, values, change);
            edited.extend(read.await?);
        }
        Ok(edited)
    }

    async fn runs_changed(
        &mut self,
        thread: &WholeThread,
        revs: RangeInclusive<u64>,
    ) -> Result<Vec<Change>, Stop> {
        let (sql, values) = (
            &self.sql.runs_changed,
            parameters![thread.pk, *revs.start(), *revs.end()],
        );
        let change = |row: &T::Row| {
            let (run, rev) = rows::run(row, thread.id())?;
            Ok(Change::of_run(run, rev))
        };
        self.every(sql, values, change).await
    }
}
