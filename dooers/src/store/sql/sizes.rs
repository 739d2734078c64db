//! The sizes of rows, which are read before the rows themselves.
//!
//! A row may be large, and databases return all rows of a statement. Therefore a page is read in two steps: first the
//! sizes of the rows' columns, which show how many rows fit, and then these rows. The size of the columns is at most
//! the size of the item in a frame, and the latter decides.

use super::Stop;
use super::list_parameters::listed;
use super::read::{Parameter, ReadTransaction, Reading, known, parameters};
use super::rows::{Columns, RowError, WholeThread};
use crate::store::catch_up_step::{CatchUpStep, Missed};
use crate::store::snapshot_window::{SizedEvent, Window};
use crate::store::{Order, PageLimit, Scope, ThreadCursor, ThreadQuery};
use std::ops::RangeInclusive;

/// The minimum size of an item in a frame without its large columns: its ids, times and the names of its members.
const LEAST_BYTES: usize = 64;

/// Returns a number of rows that exceeds a limit in bytes, whatever the sizes of the rows.
pub(super) fn enough(bytes: usize) -> u64 {
    (bytes / LEAST_BYTES) as u64 + 2
}

/// Reads the size of a row's large columns, and adds the minimum for the others.
pub(super) fn size(row: &impl Columns, at: usize) -> Result<usize, RowError> {
    Ok(LEAST_BYTES.saturating_add(usize::try_from(row.number(at)?)?))
}

/// Returns the parameters of the statements that find the edits of a step: one statement for the events that the reader
/// had before it resumed, and one for the events that were sent to it since then.
pub(super) fn edits(thread: &WholeThread, step: &CatchUpStep<'_>) -> Vec<Vec<Parameter>> {
    let from_before = (step.known_events(), step.changes());
    let edits = |(events, changes): (RangeInclusive<u64>, RangeInclusive<u64>)| {
        parameters![
            thread.pk,
            *events.start(),
            *events.end(),
            *changes.start(),
            *changes.end()
        ]
    };
    let sent = step.sent_events();
    [Some(from_before), sent]
        .into_iter()
        .flatten()
        .map(edits)
        .collect()
}

impl<T: ReadTransaction> Reading<'_, T> {
    /// Returns the sizes of the first events of a window, in its order. They are enough to exceed the limit in bytes.
    pub(super) async fn event_sizes(
        &mut self,
        thread: &WholeThread,
        window: Window,
        bytes: usize,
    ) -> Result<Vec<SizedEvent>, Stop> {
        let sql = match window.order {
            Order::OldestFirst => &self.sql.oldest_sizes,
            Order::NewestFirst => &self.sql.newest_sizes,
        };
        let values = parameters![thread.pk, window.begin, window.end, enough(bytes)];
        let event = |row: &T::Row| {
            Ok(SizedEvent {
                place: known(row)?,
                bytes: size(row, 2)?,
            })
        };
        self.every(sql, values, event).await
    }

    /// Returns the sizes of the newest threads after a cursor: one more than the limit in items, or enough to exceed
    /// the limit in bytes.
    pub(super) async fn thread_sizes(
        &mut self,
        scope_pk: i64,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<Vec<usize>, Stop> {
        let most = usize::try_from(enough(limit.bytes)).unwrap_or(usize::MAX);
        let looked_for = ThreadQuery {
            after: after.cloned(),
            ..ThreadQuery::newest(limit.items.saturating_add(1).min(most))
        };
        let (is_of_participant, values) = listed(scope_pk, scope, &looked_for);
        let sql = if is_of_participant {
            &self.sql.thread_sizes_of_participant
        } else {
            &self.sql.thread_sizes
        };
        self.every(sql, values, |row| size(row, 0)).await
    }

    /// Returns the sizes of the changes of runs and edited events in a step. The sizes of each kind are enough to
    /// exceed the limit in bytes.
    pub(super) async fn missed_sizes(
        &mut self,
        thread: &WholeThread,
        step: &CatchUpStep<'_>,
        bytes: usize,
    ) -> Result<Vec<Missed<usize>>, Stop> {
        let mut missed = self.run_sizes(thread, step.changes(), bytes).await?;
        for mut values in edits(thread, step) {
            values.push(enough(bytes).into());
            let edited = self.every(&self.sql.edited_sizes, values, other);
            missed.extend(edited.await?);
        }
        Ok(missed)
    }

    async fn run_sizes(
        &mut self,
        thread: &WholeThread,
        changes: RangeInclusive<u64>,
        bytes: usize,
    ) -> Result<Vec<Missed<usize>>, Stop> {
        let (sql, values) = (
            &self.sql.changed_run_sizes,
            parameters![thread.pk, *changes.start(), *changes.end(), enough(bytes)],
        );
        self.every(sql, values, other).await
    }
}

/// Reads a change that is not a new event.
fn other(row: &impl Columns) -> Result<Missed<usize>, RowError> {
    Ok(Missed::change(row.count(0)?, size(row, 1)?))
}
