//! Reads that consist of several statements.

use super::exact_sizes::measured;
use super::rows::{self, Columns, RowError, WholeThread};
use super::{Reads, Stop, int, turns};
use crate::protocol::{Run, ThreadEvent};
use crate::store::limit::{encoded_len, fitting};
use crate::store::page::ClientCheckpoint;
use crate::store::snapshot_window::{Base, FirstEdited, ShownEvents, SnapshotRequest, Window};
use crate::store::{
    EventPage, PageLimit, Participant, Scope, Snapshot, SnapshotFrom, StoreError, StoredSetting,
    ThreadCursor, ThreadPage, ThreadQuery, Viewer, WorkerKey,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A transaction that reads everything as of one moment.
pub(crate) trait ReadTransaction: Send {
    /// The type of its rows.
    type Row: Columns + Send;

    /// Returns the rows of a statement.
    fn rows(
        &mut self,
        sql: &Arc<str>,
        parameters: Vec<Parameter>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, RowError>> + Send;
}

/// A parameter of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Parameter {
    Text(String),
    /// A text to filter by. `None` does not filter.
    Filter(Option<String>),
    /// The texts that a filter accepts, as a JSON array. `None` does not filter.
    AnyOf(Option<Vec<String>>),
    Number(i64),
    /// Microseconds since 1970. The minimum and maximum of `i64` are before and after all times.
    Time(i64),
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<String>> for Parameter {
    fn from(filter: Option<String>) -> Self {
        Self::Filter(filter)
    }
}

impl From<Option<Vec<String>>> for Parameter {
    fn from(admitted: Option<Vec<String>>) -> Self {
        Self::AnyOf(admitted)
    }
}

impl From<i64> for Parameter {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Parameter {
    fn from(number: u64) -> Self {
        Self::Number(int(number))
    }
}

/// The parameters of a statement.
macro_rules! parameters {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::sql::Parameter::from($value)),*] };
}

pub(super) use parameters;

/// Returns the parameters of a scope, which come first in a statement.
pub(super) fn scoped(scope: &Scope) -> Vec<Parameter> {
    parameters![
        scope.worker_id.as_str(),
        scope.organization_id.as_str(),
        scope.workspace_id.as_str(),
        scope.agent.as_str(),
    ]
}

/// Returns the participant who must see a thread. `None` if the scope shows all threads.
fn seen_by(scope: &Scope) -> Option<String> {
    let participant = scope.viewer.participant()?;
    Some(participant.as_str().to_owned())
}

/// Returns the parameters of a thread that must be visible in a scope.
fn in_scope(scope: &Scope, thread_id: &str) -> Vec<Parameter> {
    let mut key = scoped(scope);
    key.extend(parameters![thread_id, seen_by(scope)]);
    key
}

/// A set of reads in one transaction.
#[derive(Debug)]
pub(crate) struct Reading<'a, T> {
    transaction: T,
    pub(super) sql: &'a Reads,
}

impl<'a, T: ReadTransaction> Reading<'a, T> {
    pub(crate) fn new(transaction: T, sql: &'a Reads) -> Self {
        Self { transaction, sql }
    }

    pub(super) async fn first<R>(
        &mut self,
        sql: &Arc<str>,
        parameters: Vec<Parameter>,
        read: impl FnOnce(&T::Row) -> Result<R, RowError>,
    ) -> Result<Option<R>, Stop> {
        let rows = self.transaction.rows(sql, parameters).await?;
        Ok(rows.first().map(read).transpose()?)
    }

    pub(super) async fn every<R>(
        &mut self,
        sql: &Arc<str>,
        parameters: Vec<Parameter>,
        read: impl Fn(&T::Row) -> Result<R, RowError>,
    ) -> Result<Vec<R>, Stop> {
        let rows = self.transaction.rows(sql, parameters).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Reads a thread, if it is visible in this scope.
    pub(crate) async fn thread(
        &mut self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<WholeThread, Stop> {
        let key = in_scope(scope, thread_id);
        let thread = self
            .first(&self.sql.thread, key, |row| WholeThread::read(row, scope))
            .await?;
        Ok(thread.ok_or(StoreError::NotFound("thread"))?)
    }

    /// Reads a thread, if it is visible in this scope, and whether this reader has given feedback on any of its events.
    async fn thread_for(
        &mut self,
        scope: &Scope,
        reader: &Participant,
        thread_id: &str,
    ) -> Result<(WholeThread, bool), Stop> {
        let mut key = in_scope(scope, thread_id);
        key.push(reader.as_str().into());
        let mut has_feedback = false;
        let thread = self.first(&self.sql.thread_for, key, |row| {
            has_feedback = row.number(15)? != 0;
            WholeThread::read(row, scope)
        });
        let thread = thread.await?;
        let thread = thread.ok_or(StoreError::NotFound("thread"))?;
        Ok((thread, has_feedback))
    }

    pub(crate) async fn threads(
        &mut self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, Stop> {
        let mut page = ThreadPage {
            threads: Vec::new(),
            next: None,
            total_count: 0,
        };
        let place = |row: &T::Row| Ok((row.number(0)?, row.count(1)?));
        let found = self.first(&self.sql.scope, scoped(scope), place).await?;
        let Some((scope_pk, threads)) = found else {
            return Ok(page);
        };
        // One more than the page holds shows whether there is another page.
        let sizes = self.thread_sizes(scope_pk, scope, after, limit).await?;
        let may_fit = fitting(limit.bytes, sizes.iter().copied().take(limit.items));
        let looked_for = ThreadQuery {
            after: after.cloned(),
            ..ThreadQuery::newest(may_fit)
        };
        page.threads = self.threads_in(scope_pk, scope, &looked_for).await?;
        let exact = page.threads.iter().map(encoded_len);
        page.threads.truncate(fitting(limit.bytes, exact));
        if page.threads.len() < sizes.len() {
            page.next = page.threads.last().map(ThreadCursor::of);
        }
        if after.is_none() {
            page.total_count = match &scope.viewer {
                Viewer::Everyone => threads,
                Viewer::Only(participant) => self.threads_of(scope_pk, participant).await?,
            };
        }
        Ok(page)
    }

    /// Returns the number of threads of the scope in which the participant takes part.
    async fn threads_of(&mut self, scope_pk: i64, participant: &Participant) -> Result<u64, Stop> {
        let (sql, values) = (
            &self.sql.participant_count,
            parameters![scope_pk, participant.as_str()],
        );
        Ok(self
            .first(sql, values, |row| row.count(0))
            .await?
            .unwrap_or(0))
    }

    /// Reads a snapshot, with the feedback of this reader on its events.
    pub(crate) async fn snapshot(
        &mut self,
        scope: &Scope,
        reader: Option<&Participant>,
        thread_id: &str,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Result<Snapshot, Stop> {
        // Most readers have given no feedback, so it is read only if there is any.
        let (thread, reader) = match reader {
            None => (self.thread(scope, thread_id).await?, None),
            Some(reader) => {
                let (thread, has_feedback) = self.thread_for(scope, reader, thread_id).await?;
                (thread, Some(reader).filter(|_| has_feedback))
            }
        };
        let asked = SnapshotRequest {
            total: thread.last_seq,
            bytes,
            from: self.resume_position(&thread, from).await?,
        };
        let mut sizes = self.event_sizes(&thread, asked.window(), bytes).await?;
        // The sizes of the columns bound the bytes that are read, and the exact sizes of the events bound the bytes
        // that are shown.
        let shown = asked.shown(&sizes.iter().copied());
        let mut events = self.events_between(&thread, shown.begin, shown.end).await?;
        measured(
            &mut sizes,
            asked.window(),
            events.iter().map(|(event, _)| event),
        );
        let shown = asked.shown(&sizes.into_iter());
        events.retain(|(event, _)| shown.begin < event.seq && event.seq <= shown.end);
        let runs = self.runs_shown(&thread, &shown).await?;
        let feedback = match reader {
            None => Vec::new(),
            Some(reader) => self.feedback_shown(&thread, &shown, reader).await?,
        };
        Ok(Snapshot {
            events: events.into_iter().map(|(event, _)| event).collect(),
            runs,
            feedback,
            has_more: shown.begin > 0,
            recovered: shown.after.is_some(),
            position: shown.position(thread.record.rev),
            is_complete: shown.known.is_none(),
            thread: thread.record,
        })
    }

    /// Returns the base of a snapshot of this thread.
    async fn resume_position(
        &mut self,
        thread: &WholeThread,
        from: &SnapshotFrom,
    ) -> Result<Base, Stop> {
        let known = match from {
            SnapshotFrom::Newest => None,
            SnapshotFrom::After(id) | SnapshotFrom::Covering(id) => {
                self.place_of(thread.pk, id).await?
            }
        };
        Ok(match known {
            None => Base::Nothing,
            Some(known) => Base::of(from, known, self.first_edited(thread, known).await?),
        })
    }

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
        let sizes = self.event_sizes(&thread, window, limit.bytes).await?;
        let may_fit = fitting(limit.bytes, sizes.iter().map(|event| event.bytes));
        let mut events = self
            .events_between(&thread, window.begin_of(may_fit), end)
            .await?;
        let exact = events.iter().rev().map(|(event, _)| encoded_len(event));
        let begin = window.begin_of(fitting(limit.bytes, exact));
        events.retain(|(event, _)| event.seq > begin);
        Ok(EventPage {
            events: events.into_iter().map(|(event, _)| event).collect(),
            has_more: begin > 0,
            rev: thread.record.rev,
        })
    }

    pub(crate) async fn settings(
        &mut self,
        worker: &WorkerKey,
    ) -> Result<Vec<StoredSetting>, Stop> {
        let (sql, values) = (
            &self.sql.settings,
            parameters![worker.agent.as_str(), worker.worker_id.as_str()],
        );
        let setting = |row: &T::Row| {
            Ok(StoredSetting {
                field_id: row.text(0)?.to_owned(),
                value: row.json(1)?,
                key_id: row.optional_string(2)?,
                updated_at: row.time(3)?,
            })
        };
        self.every(sql, values, setting).await
    }

    pub(crate) async fn setting_keys(&mut self) -> Result<Vec<String>, Stop> {
        let (sql, values) = (&self.sql.setting_keys, parameters![]);
        self.every(sql, values, |row| Ok(row.text(0)?.to_owned()))
            .await
    }

    pub(crate) async fn turn_keys(&mut self) -> Result<Vec<String>, Stop> {
        let (sql, values) = (&self.sql.turn_keys, parameters![]);
        let sealed = self.every(sql, values, |row| turns::sealed_answer(row, 0));
        let sealed = sealed.await?.into_iter().flatten();
        let keys: BTreeSet<_> = sealed.map(|sealed| sealed.digest.key_id).collect();
        Ok(keys.into_iter().collect())
    }

    /// Returns the threads that contain the target and are visible in this scope, with their scopes. Without a scope,
    /// all threads are visible.
    #[cfg(feature = "postgres")]
    pub(crate) async fn places_of(
        &mut self,
        scope: Option<&Scope>,
        target: &crate::store::CancelTarget,
    ) -> Result<Vec<(Scope, String)>, Stop> {
        use crate::store::CancelTarget;
        let (sql, id) = match target {
            CancelTarget::Run(id) => (&self.sql.run_place, id),
            CancelTarget::Event(id) => (&self.sql.event_thread, id),
        };
        let of = |id: fn(&Scope) -> &str| scope.map(|scope| id(scope).to_owned());
        let values = parameters![
            id.as_str(),
            of(|scope| &scope.worker_id),
            of(|scope| &scope.organization_id),
            of(|scope| &scope.workspace_id),
            of(|scope| &scope.agent),
            scope.and_then(seen_by),
        ];
        self.every(sql, values, rows::thread_place).await
    }

    /// Returns the place of a reader that has everything up to this event, as it was when it was new.
    async fn place_of(
        &mut self,
        thread_pk: i64,
        event_id: &str,
    ) -> Result<Option<ClientCheckpoint>, Stop> {
        let (sql, values) = (&self.sql.event_place, parameters![thread_pk, event_id]);
        self.first(sql, values, known).await
    }

    /// Returns the events with a `seq` greater than `begin` and at most `end`, with the `rev` of their last changes.
    pub(super) async fn events_between(
        &mut self,
        thread: &WholeThread,
        begin: u64,
        end: u64,
    ) -> Result<Vec<(ThreadEvent, u64)>, Stop> {
        let (sql, values) = (&self.sql.events_between, parameters![thread.pk, begin, end]);
        self.every(sql, values, |row| rows::event(row, thread.id()))
            .await
    }

    /// Returns the first edit of the events that a reader has, after the reader's `rev`.
    async fn first_edited(
        &mut self,
        thread: &WholeThread,
        known: ClientCheckpoint,
    ) -> Result<Option<FirstEdited>, Stop> {
        let (sql, values) = (
            &self.sql.first_edited,
            parameters![thread.pk, known.first_seq(), known.last_seq, known.rev],
        );
        let edited = |row: &T::Row| {
            // Without edits, the minimum is null.
            if row.optional_number(0)?.is_none() {
                return Ok(None);
            }
            Ok(Some(FirstEdited {
                rev: row.count(0)?,
                seq: row.count(1)?,
            }))
        };
        Ok(self.first(sql, values, edited).await?.flatten())
    }

    async fn runs_shown(
        &mut self,
        thread: &WholeThread,
        shown: &ShownEvents,
    ) -> Result<Vec<Run>, Stop> {
        let rev = |known: Option<ClientCheckpoint>| known.map_or(u64::MAX, |known| known.rev);
        let (changed_since, begun_up_to) = (rev(shown.after), rev(shown.known));
        let (sql, values) = (
            &self.sql.runs_shown,
            parameters![
                thread.pk,
                shown.begin,
                shown.end,
                changed_since,
                begun_up_to
            ],
        );
        self.every(sql, values, |row| Ok(rows::run(row, thread.id())?.0))
            .await
    }
}

/// Reads an event's `seq`, and the `rev` of the change that created it.
pub(super) fn known(row: &impl Columns) -> Result<ClientCheckpoint, RowError> {
    Ok(ClientCheckpoint {
        last_seq: row.count(0)?,
        rev: row.count(1)?,
    })
}
