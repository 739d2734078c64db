//! Reading beside the writer.

use super::SqliteOptions;
use super::database::Stop;
use super::rows::{self, Columns, RowError, WholeThread};
use super::statements::Statements;
use super::thread::int;
use crate::protocol::{Run, ThreadEvent};
use crate::store::change::in_sending_order;
use crate::store::page::{FirstEdited, Known, Shown};
use crate::store::{
    CatchUp, Change, EventPage, Participant, Position, Scope, Snapshot, SnapshotFrom, StoreError,
    StoredSetting, ThreadCursor, ThreadPage, ThreadQuery, Viewer, WorkerKey,
};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow,
};
use sqlx::{ConnectOptions, Sqlite, Transaction};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

/// The connections that read.
#[derive(Debug)]
pub(super) struct Readers {
    pool: SqlitePool,
    sql: Arc<Statements>,
}

/// A transaction in which everything is read as it stood at one moment.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    transaction: Transaction<'static, Sqlite>,
    pub(super) sql: &'a Statements,
}

pub(super) type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// The only way in which SQL text reaches sqlx.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of ours, rendered with a `TablePrefix`, which can hold nothing but a name"
)]
pub(super) fn query(sql: &Arc<str>) -> Query {
    sqlx::query(sqlx::AssertSqlSafe(Arc::clone(sql)))
}

/// A statement for threads, with the scope in its first four places.
pub(super) fn scoped(sql: &Arc<str>, scope: &Scope) -> Query {
    query(sql)
        .bind(scope.worker_id.clone())
        .bind(scope.organization_id.clone())
        .bind(scope.workspace_id.clone())
        .bind(scope.agent.clone())
}

impl Readers {
    /// Opens the connections to a database that is there.
    pub(super) async fn open(
        path: &Path,
        options: &SqliteOptions,
        sql: Arc<Statements>,
    ) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(options.busy_timeout)
            .pragma("cache_size", "-4096")
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(options.readers)
            .test_before_acquire(false)
            .connect_with(connection)
            .await?;
        Ok(Self { pool, sql })
    }

    /// Waits for the readers that are under way, and closes the connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Reads in one transaction. It ends when the [`Reading`] is dropped.
    pub(super) async fn read<T>(
        &self,
        what: &'static str,
        read: impl AsyncFnOnce(Reading<'_>) -> Result<T, Stop>,
    ) -> Result<T, StoreError> {
        let all = async {
            let reading = Reading {
                transaction: self.pool.begin().await?,
                sql: &self.sql,
            };
            read(reading).await
        };
        all.await.map_err(|stop| stop.told(what))
    }
}

impl Reading<'_> {
    pub(super) async fn first<T>(
        &mut self,
        query: Query,
        read: impl FnOnce(&SqliteRow) -> Result<T, RowError>,
    ) -> Result<Option<T>, Stop> {
        let row = query.fetch_optional(&mut *self.transaction).await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    pub(super) async fn every<T>(
        &mut self,
        query: Query,
        read: impl Fn(&SqliteRow) -> Result<T, RowError>,
    ) -> Result<Vec<T>, Stop> {
        let rows = query.fetch_all(&mut *self.transaction).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// The thread, if it can be seen in this scope.
    pub(super) async fn thread(
        &mut self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<WholeThread, Stop> {
        let query = scoped(&self.sql.thread, scope).bind(thread_id.to_owned());
        let thread = self
            .first(query, |row| WholeThread::read(row, scope))
            .await?;
        Ok(thread
            .filter(|thread| scope.admits(&thread.record.participants))
            .ok_or(StoreError::NotFound("thread"))?)
    }

    pub(super) async fn threads(
        &mut self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: usize,
    ) -> Result<ThreadPage, Stop> {
        let mut page = ThreadPage {
            threads: Vec::new(),
            next: None,
            total_count: 0,
        };
        let query_scope = scoped(&self.sql.scope, scope);
        let place = |row: &SqliteRow| Ok((row.number(0)?, row.count(1)?));
        let Some((scope_pk, threads)) = self.first(query_scope, place).await? else {
            return Ok(page);
        };
        // One more than the page holds tells whether there is another page.
        let looked_for = ThreadQuery {
            after: after.cloned(),
            ..ThreadQuery::newest(limit.saturating_add(1))
        };
        page.threads = self.threads_in(scope_pk, scope, &looked_for).await?;
        if page.threads.len() > limit {
            page.threads.truncate(limit);
            page.next = page.threads.last().map(|last| ThreadCursor {
                last_event_at: last.last_event_at,
                thread_id: last.id.clone(),
            });
        }
        if after.is_none() {
            page.total_count = match &scope.viewer {
                Viewer::Everyone => threads,
                Viewer::Only(participant) => self.threads_of(scope_pk, participant).await?,
            };
        }
        Ok(page)
    }

    /// In how many threads of the scope somebody takes part.
    async fn threads_of(&mut self, scope_pk: i64, participant: &Participant) -> Result<u64, Stop> {
        let query = query(&self.sql.participant_count)
            .bind(scope_pk)
            .bind(participant.as_str().to_owned());
        Ok(self.first(query, |row| row.count(0)).await?.unwrap_or(0))
    }

    pub(super) async fn snapshot(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        from: &SnapshotFrom,
    ) -> Result<Snapshot, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let after = match from {
            SnapshotFrom::Newest => None,
            SnapshotFrom::After(id) | SnapshotFrom::Covering(id) => {
                self.place_of(thread.pk, id).await?
            }
        };
        let shown = self.shown(&thread, from, after).await?;
        let events = self.events_between(&thread, shown.begin, shown.end).await?;
        let runs = self.runs_shown(&thread, &shown, after).await?;
        Ok(Snapshot {
            events: events.into_iter().map(|(event, _)| event).collect(),
            runs,
            has_more: shown.begin > 0,
            recovered: after.is_some(),
            position: shown.position(thread.record.rev),
            is_complete: shown.known.is_none(),
            thread: thread.record,
        })
    }

    /// Which events a snapshot shows.
    async fn shown(
        &mut self,
        thread: &WholeThread,
        from: &SnapshotFrom,
        after: Option<Known>,
    ) -> Result<Shown, Stop> {
        let total = thread.last_seq;
        let Some(known) = after else {
            return Ok(Shown::newest(total));
        };
        let edited = self.first_edited(thread, known).await?;
        if matches!(from, SnapshotFrom::Covering(_)) {
            return Ok(Shown::covering(total, known, edited));
        }
        let before = edited.map_or(u64::MAX, |edited| edited.rev);
        let last = self
            .last_made_before(thread, known.last_seq, known.last_shown(total), before)
            .await?;
        Ok(Shown::after(total, known, edited, last))
    }

    pub(super) async fn events(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: usize,
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
        let begin = end.saturating_sub(limit as u64);
        let events = self.events_between(&thread, begin, end).await?;
        Ok(EventPage {
            events: events.into_iter().map(|(event, _)| event).collect(),
            has_more: begin > 0,
            rev: thread.record.rev,
        })
    }

    pub(super) async fn catch_up(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: usize,
    ) -> Result<CatchUp, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let begin = position.last_seq;
        let end = thread.last_seq.min(begin.saturating_add(limit as u64));
        let is_complete = end == thread.last_seq;
        let new_events = self.events_between(&thread, begin, end).await?;
        let last = self.last_made_before(&thread, begin, end, u64::MAX).await?;
        let up_to = match last {
            _ if is_complete => thread.record.rev,
            Some(last) => last.rev,
            None => position.rev,
        };
        let (known, reached) = (position.known(), position.moved(end, up_to));
        let since = known.rev + 1..=reached.known().rev;
        let mut others = self.runs_changed(&thread, since.clone()).await?;
        let from_before = position.first_seq..=known.last_seq;
        others.extend(self.events_edited(&thread, from_before, since).await?);
        if position.known.is_some() {
            let newer = known.last_seq + 1..=begin;
            let since = position.rev + 1..=reached.rev;
            others.extend(self.events_edited(&thread, newer, since).await?);
        }
        if position.rev < thread.row_rev && thread.row_rev <= reached.rev {
            others.push(Change::of_thread(thread.record.clone(), thread.row_rev));
        }
        let of_event = |(event, rev)| Change::of_event(event, rev);
        let new_events = new_events.into_iter().map(of_event).collect();
        Ok(CatchUp {
            changes: in_sending_order(new_events, others),
            position: reached,
            is_complete,
        })
    }

    pub(super) async fn ping(&mut self) -> Result<(), Stop> {
        let query = query(&self.sql.ping);
        self.first(query, |_| Ok(())).await?;
        Ok(())
    }

    pub(super) async fn settings(
        &mut self,
        worker: &WorkerKey,
    ) -> Result<Vec<StoredSetting>, Stop> {
        let query = query(&self.sql.settings)
            .bind(worker.agent.clone())
            .bind(worker.worker_id.clone());
        let setting = |row: &SqliteRow| {
            Ok(StoredSetting {
                field_id: row.text(0)?.to_owned(),
                value: row.json(1)?,
                key_id: row.optional_string(2)?,
                updated_at: row.time(3)?,
            })
        };
        self.every(query, setting).await
    }

    pub(super) async fn setting_keys(&mut self) -> Result<Vec<String>, Stop> {
        let query = query(&self.sql.setting_keys);
        self.every(query, |row| Ok(row.text(0)?.to_owned())).await
    }

    /// What a reader has who has all up to this event, as it was when it was new.
    async fn place_of(&mut self, thread_pk: i64, event_id: &str) -> Result<Option<Known>, Stop> {
        let query = query(&self.sql.event_place)
            .bind(thread_pk)
            .bind(event_id.to_owned());
        self.first(query, known).await
    }

    /// The events behind one place up to another, with the numbers of their last changes.
    async fn events_between(
        &mut self,
        thread: &WholeThread,
        begin: u64,
        end: u64,
    ) -> Result<Vec<(ThreadEvent, u64)>, Stop> {
        let query = query(&self.sql.events_between)
            .bind(thread.pk)
            .bind(int(begin))
            .bind(int(end));
        self.every(query, |row| rows::event(row, thread.id())).await
    }

    /// The last of the events behind one place, up to another, that was made before a `rev`.
    async fn last_made_before(
        &mut self,
        thread: &WholeThread,
        begin: u64,
        end: u64,
        rev: u64,
    ) -> Result<Option<Known>, Stop> {
        let query = query(&self.sql.last_made_before)
            .bind(thread.pk)
            .bind(int(begin))
            .bind(int(end))
            .bind(int(rev));
        self.first(query, known).await
    }

    /// The first edit of what a reader knows, since it knows it.
    async fn first_edited(
        &mut self,
        thread: &WholeThread,
        known: Known,
    ) -> Result<Option<FirstEdited>, Stop> {
        let query = query(&self.sql.first_edited)
            .bind(thread.pk)
            .bind(int(known.first_seq()))
            .bind(int(known.last_seq))
            .bind(int(known.rev));
        let edited = |row: &SqliteRow| {
            // Without any, the smallest of them is null.
            if row.optional_number(0)?.is_none() {
                return Ok(None);
            }
            Ok(Some(FirstEdited {
                rev: row.count(0)?,
                seq: row.count(1)?,
            }))
        };
        Ok(self.first(query, edited).await?.flatten())
    }

    /// The events of these places that were edited by changes of these numbers.
    async fn events_edited(
        &mut self,
        thread: &WholeThread,
        seqs: RangeInclusive<u64>,
        revs: RangeInclusive<u64>,
    ) -> Result<Vec<Change>, Stop> {
        let query = query(&self.sql.events_edited)
            .bind(thread.pk)
            .bind(int(*seqs.start()))
            .bind(int(*seqs.end()))
            .bind(int(*revs.start()))
            .bind(int(*revs.end()));
        let change = |row: &SqliteRow| {
            let (event, rev) = rows::event(row, thread.id())?;
            Ok(Change::of_event(event, rev))
        };
        self.every(query, change).await
    }

    async fn runs_shown(
        &mut self,
        thread: &WholeThread,
        shown: &Shown,
        after: Option<Known>,
    ) -> Result<Vec<Run>, Stop> {
        let changed_since = after.map_or(u64::MAX, |after| after.rev);
        let query = query(&self.sql.runs_shown)
            .bind(thread.pk)
            .bind(int(shown.begin))
            .bind(int(shown.end))
            .bind(int(changed_since))
            .bind(int(shown.known.map_or(u64::MAX, |known| known.rev)));
        self.every(query, |row| Ok(rows::run(row, thread.id())?.0))
            .await
    }

    async fn runs_changed(
        &mut self,
        thread: &WholeThread,
        revs: RangeInclusive<u64>,
    ) -> Result<Vec<Change>, Stop> {
        let query = query(&self.sql.runs_changed)
            .bind(thread.pk)
            .bind(int(*revs.start()))
            .bind(int(*revs.end()));
        let change = |row: &SqliteRow| {
            let (run, rev) = rows::run(row, thread.id())?;
            Ok(Change::of_run(run, rev))
        };
        self.every(query, change).await
    }
}

/// An event's place, and the number of the change that made it.
fn known(row: &SqliteRow) -> Result<Known, RowError> {
    Ok(Known {
        last_seq: row.count(0)?,
        rev: row.count(1)?,
    })
}
