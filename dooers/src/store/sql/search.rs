//! The search for threads by their titles.

use super::Stop;
use super::list_parameters::listed;
use super::read::{Parameter, ReadTransaction, Reading, parameters};
use super::rows::{self, Columns};
use super::sizes::size;
use crate::store::limit::{encoded_len, fitting};
use crate::store::page::ListPosition;
use crate::store::title_search::{SEARCHED_CHARS, TitleScan};
use crate::store::{PageLimit, Scope, ThreadCursor, ThreadPage, ThreadQuery, TitleSearch};

// The statements read as much of a title as is searched.
const _: () = assert!(SEARCHED_CHARS == 1024);

impl<T: ReadTransaction> Reading<'_, T> {
    /// Returns a page of the threads of a scope that a search finds.
    pub(crate) async fn search_threads(
        &mut self,
        scope: &Scope,
        search: &TitleSearch,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, Stop> {
        let mut scan = TitleScan::new(search, after, limit);
        let Some(scope_pk) = self.scope_pk(scope).await? else {
            return Ok(scan.page(Vec::new()));
        };
        while !scan.is_over() {
            let wanted = scan.wanted();
            let titles = self.titles(scope_pk, scope, scan.after(), wanted).await?;
            let is_end = titles.len() < wanted;
            for (place, title) in titles {
                scan.scan(place, title.as_deref());
            }
            if is_end {
                break;
            }
        }
        if scan.found().is_empty() {
            return Ok(scan.page(Vec::new()));
        }
        // The sizes of the columns bound the bytes that are read, and the exact sizes decide.
        let ids = scan.found().to_vec();
        let (sql, values) = (&self.sql.sizes_of_threads, parameters![Some(ids)]);
        let sizes = self.every(sql, values, |row| size(row, 0)).await?;
        let ids = scan.found()[..fitting(limit.bytes, sizes)].to_vec();
        let (sql, values) = (&self.sql.threads_with_ids, parameters![Some(ids)]);
        let threads = self.every(sql, values, |row| rows::thread(row, scope));
        let mut threads = threads.await?;
        threads.truncate(fitting(limit.bytes, threads.iter().map(encoded_len)));
        Ok(scan.page(threads))
    }

    /// Returns the places and titles of the newest threads after a cursor.
    async fn titles(
        &mut self,
        scope_pk: i64,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: usize,
    ) -> Result<Vec<(ListPosition, Option<String>)>, Stop> {
        let looked_for = ThreadQuery {
            after: after.cloned(),
            ..ThreadQuery::newest(limit)
        };
        let (is_of_participant, values): (bool, Vec<Parameter>) =
            listed(scope_pk, scope, &looked_for);
        let sql = if is_of_participant {
            &self.sql.titles_of_participant
        } else {
            &self.sql.titles
        };
        let title = |row: &T::Row| {
            let place = ListPosition::of(row.time(0)?, row.text(1)?);
            Ok((place, row.optional_string(2)?))
        };
        self.every(sql, values, title).await
    }
}
