//! Reads of threads and turns that other processes changed.

use super::read::parameters;
use super::rows::{Columns, WholeThread};
use super::{ReadTransaction, Reading, Stop};
use crate::store::{Scope, ThreadRecord, Viewer};
use std::collections::{HashMap, HashSet};

impl<T: ReadTransaction> Reading<'_, T> {
    /// Reads the rows of these threads, whatever their scopes.
    pub(crate) async fn thread_rows(
        &mut self,
        thread_ids: &[String],
    ) -> Result<Vec<ThreadRecord>, Stop> {
        let ids = parameters![Some(thread_ids.to_vec())];
        let rows = self.every(&self.sql.thread_rows, ids, |row| {
            let scope = Scope {
                agent: row.text(15)?.to_owned(),
                worker_id: row.text(16)?.to_owned(),
                organization_id: row.text(17)?.to_owned(),
                workspace_id: row.text(18)?.to_owned(),
                viewer: Viewer::Everyone,
            };
            Ok(WholeThread::read(row, &scope)?.record)
        });
        rows.await
    }

    /// Reads the `rev` of the last change of each of these threads.
    pub(crate) async fn thread_revs(
        &mut self,
        thread_ids: &[String],
    ) -> Result<HashMap<String, u64>, Stop> {
        let ids = parameters![Some(thread_ids.to_vec())];
        let revs = self.every(&self.sql.thread_revs, ids, |row| {
            Ok((row.text(0)?.to_owned(), row.count(1)?))
        });
        Ok(revs.await?.into_iter().collect())
    }

    /// Reads which of these messages have turns that have not ended.
    pub(crate) async fn open_turns(
        &mut self,
        event_ids: &[String],
    ) -> Result<HashSet<String>, Stop> {
        let ids = parameters![Some(event_ids.to_vec())];
        let open = self.every(&self.sql.open_turns, ids, |row| Ok(row.text(0)?.to_owned()));
        Ok(open.await?.into_iter().collect())
    }
}
