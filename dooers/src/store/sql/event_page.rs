//! Pages of a thread's events, with their runs.

use super::Stop;
use super::read::{ReadTransaction, Reading, parameters};
use super::rows::{self, Columns, EVENT_COLUMN_COUNT, RowError, WholeThread};
use super::sizes::{enough, size};
use crate::protocol::{Run, ThreadEvent};
use crate::store::limit::fitting;
use crate::store::page_runs::PageRuns;
use crate::store::snapshot_window::Window;
use crate::store::{EventPage, PageLimit, Scope, StoreError};
use std::collections::HashSet;

impl<T: ReadTransaction> Reading<'_, T> {
    pub(crate) async fn events(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: PageLimit,
    ) -> Result<EventPage, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let end = match before_event_id {
            None => thread.last_seq,
            Some(id) => {
                let before = self.place_of(thread.pk, id).await?;
                let before = before.ok_or(StoreError::NotFound("event in this thread"))?;
                before.last_seq.saturating_sub(1)
            }
        };
        let window = Window::before(end, limit.items);
        // The sizes of the columns bound the bytes that are read, and the exact sizes bound the bytes that are shown.
        let sizes = self.page_sizes(&thread, window, limit.bytes).await?;
        let may_fit = fitting(limit.bytes, sizes);
        let begin = window.begin_of(may_fit);
        let (mut events, runs) = self.page(&thread, begin, end).await?;
        let runs = PageRuns::of(runs.iter());
        let begin = window.begin_of(runs.fitting(limit.bytes, events.iter().rev()));
        events.retain(|event| event.seq > begin);
        Ok(EventPage {
            runs: runs.shown(events.iter()),
            events,
            has_more: begin > 0,
            rev: thread.record.rev,
        })
    }

    /// Returns the sizes of the newest events of a window, each with the runs that no newer event of the window has. They
    /// are enough to exceed the limit in bytes.
    async fn page_sizes(
        &mut self,
        thread: &WholeThread,
        window: Window,
        bytes: usize,
    ) -> Result<Vec<usize>, Stop> {
        let (sql, values) = (
            &self.sql.page_sizes,
            parameters![thread.pk, window.begin, window.end, enough(bytes)],
        );
        let sized = |row: &T::Row| {
            let runs = [sized_run(row, 2)?, sized_run(row, 4)?];
            Ok((row.count(0)?, size(row, 1)?, runs))
        };
        let mut counted = HashSet::new();
        let mut sizes: Vec<usize> = Vec::new();
        let mut last_seq = None;
        for (seq, event, runs) in self.every(sql, values, sized).await? {
            if last_seq.replace(seq) != Some(seq) {
                sizes.push(event);
            }
            let new = runs.into_iter().flatten();
            let new = new.filter_map(|(id, bytes)| counted.insert(id).then_some(bytes));
            let new: usize = new.sum();
            if let Some(size) = sizes.last_mut() {
                *size = size.saturating_add(new);
            }
        }
        Ok(sizes)
    }

    /// Returns the events with a `seq` greater than `begin` and at most `end`, and their runs.
    async fn page(
        &mut self,
        thread: &WholeThread,
        begin: u64,
        end: u64,
    ) -> Result<(Vec<ThreadEvent>, Vec<Run>), Stop> {
        let (sql, values) = (&self.sql.page, parameters![thread.pk, begin, end]);
        let mut events = Vec::new();
        let mut runs = Vec::new();
        let item = |row: &T::Row| match row.optional_number(0)? {
            None => {
                let (event, _) = rows::event(&After(row, 1), thread.id())?;
                Ok(Item::Event(Box::new(event)))
            }
            Some(place) => {
                let columns = After(row, 1 + EVENT_COLUMN_COUNT);
                Ok(Item::Run(place, rows::run(&columns, thread.id())?.0))
            }
        };
        for item in self.every(sql, values, item).await? {
            match item {
                Item::Event(event) => events.push(*event),
                Item::Run(place, run) => runs.push((place, run)),
            }
        }
        events.sort_by_key(|event| event.seq);
        runs.sort_by_key(|(place, _)| *place);
        Ok((events, runs.into_iter().map(|(_, run)| run).collect()))
    }
}

/// Reads the id and the size of a run, if the row has one at this place.
fn sized_run(row: &impl Columns, at: usize) -> Result<Option<(String, usize)>, RowError> {
    let Some(id) = row.optional_string(at)? else {
        return Ok(None);
    };
    Ok(Some((id, size(row, at + 1)?)))
}

/// An item of a page.
enum Item {
    Event(Box<ThreadEvent>),
    Run(i64, Run),
}

/// The columns of a row after the first ones.
struct After<'a, R>(&'a R, usize);

impl<R: Columns> Columns for After<'_, R> {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        self.0.optional_text(self.1 + at)
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        self.0.optional_number(self.1 + at)
    }
}
