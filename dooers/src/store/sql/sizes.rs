//! The sizes of rows, which are read in front of the rows themselves.
//!
//! A row may be large, and databases give all the rows of a statement. So a page is read in two steps: how many rows fit,
//! by the sizes of their columns, and these rows. The sizes of columns are at most those of the items in a frame, which
//! decide.

use super::Stop;
use super::find::listed;
use super::read::{Parameter, ReadTransaction, Reading, known, parameters};
use super::rows::{Columns, RowError, WholeThread};
use crate::protocol::ThreadEvent;
use crate::store::limit::encoded_len;
use crate::store::shown::{SizedEvent, Window};
use crate::store::step::{Missed, Step};
use crate::store::{Order, PageLimit, Scope, ThreadCursor, ThreadQuery};
use std::ops::RangeInclusive;

/// The least that an item has in a frame beside its large columns: its ids, times and the names of its members.
const LEAST_BYTES: usize = 64;

/// Enough rows to exceed a limit, whatever their sizes.
fn enough(bytes: usize) -> u64 {
    (bytes / LEAST_BYTES) as u64 + 2
}

fn size(row: &impl Columns, at: usize) -> Result<usize, RowError> {
    Ok(LEAST_BYTES.saturating_add(usize::try_from(row.number(at)?)?))
}

/// Replaces the sizes of the first events of a window by those of the events themselves, which are in the order of their
/// places, and forgets the others.
pub(super) fn measured<'a>(
    sizes: &mut Vec<SizedEvent>,
    window: Window,
    events: impl ExactSizeIterator<Item = &'a ThreadEvent> + DoubleEndedIterator,
) {
    sizes.truncate(events.len());
    let exact = events.map(encoded_len);
    let set = |(size, bytes): (&mut SizedEvent, usize)| size.bytes = bytes;
    match window.order {
        Order::OldestFirst => sizes.iter_mut().zip(exact).for_each(set),
        Order::NewestFirst => sizes.iter_mut().zip(exact.rev()).for_each(set),
    }
}

/// The parameters of the statements that look for edits in a step: of the events that the reader has from before, and of
/// those that it was sent since.
pub(super) fn edits(thread: &WholeThread, step: &Step<'_>) -> Vec<Vec<Parameter>> {
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
    /// The sizes of the first events of a window, in its order: enough to exceed a limit.
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

    /// The sizes of the newest threads behind a cursor: one more than the items of a limit, or enough to exceed its bytes.
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

    /// The sizes of changes of runs and events that a step has: of each kind enough to exceed a limit.
    pub(super) async fn missed_sizes(
        &mut self,
        thread: &WholeThread,
        step: &Step<'_>,
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

/// A change that is not a new event.
fn other(row: &impl Columns) -> Result<Missed<usize>, RowError> {
    Ok(Missed::change(row.count(0)?, size(row, 1)?))
}
