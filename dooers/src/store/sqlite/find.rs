//! Finding threads, events and runs.

use super::database::Stop;
use super::read::{Query, Reading, query, scoped};
use super::rows::{self, Columns, RowError};
use super::thread::int;
use crate::protocol::{Run, Thread, ThreadEvent};
use crate::store::listing::Span;
use crate::store::{
    EventOrder, EventQuery, Participant, RunQuery, Scope, StoreError, ThreadQuery, Viewer,
};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;

impl Reading<'_> {
    /// The threads of a scope that a query looks for.
    pub(super) async fn find_threads(
        &mut self,
        scope: &Scope,
        looked_for: &ThreadQuery,
    ) -> Result<Vec<Thread>, Stop> {
        match self.scope_pk(scope).await? {
            Some(scope_pk) => self.threads_in(scope_pk, scope, looked_for).await,
            None => Ok(Vec::new()),
        }
    }

    /// The same, of a scope whose `pk` is known.
    pub(super) async fn threads_in(
        &mut self,
        scope_pk: i64,
        scope: &Scope,
        looked_for: &ThreadQuery,
    ) -> Result<Vec<Thread>, Stop> {
        let span = looked_for.span();
        // Whoever sees only their own threads, and looks for somebody's, looks for those of both.
        let mut participants: Vec<_> = viewer(scope)
            .into_iter()
            .chain(&looked_for.participant)
            .collect();
        let sql = match (participants.is_empty(), span.order) {
            (true, EventOrder::NewestFirst) => &self.sql.threads,
            (true, EventOrder::OldestFirst) => &self.sql.oldest_threads,
            (false, EventOrder::NewestFirst) => &self.sql.threads_of_participant,
            (false, EventOrder::OldestFirst) => &self.sql.oldest_threads_of_participant,
        };
        let mut query = spanned(query(sql).bind(scope_pk), &span, looked_for.limit);
        if !participants.is_empty() {
            let other = participants.pop();
            let first = participants.pop().or(other);
            query = query.bind(stored(first)).bind(stored(other));
        }
        self.every(query, |row| rows::thread(row, scope)).await
    }

    /// The events of a thread that a query looks for.
    pub(super) async fn find_events(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        looked_for: &EventQuery,
    ) -> Result<Vec<ThreadEvent>, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let sql = match looked_for.order {
            EventOrder::NewestFirst => &self.sql.newest_found,
            EventOrder::OldestFirst => &self.sql.oldest_found,
        };
        let query = query(sql)
            .bind(thread.pk)
            .bind(int(looked_for.after))
            .bind(int(looked_for.before))
            .bind(any_of(&looked_for.actors)?)
            .bind(any_of(&looked_for.kinds)?)
            .bind(any_of(&looked_for.user_ids)?)
            .bind(any_of(&looked_for.run_ids)?)
            .bind(int(looked_for.limit as u64))
            .bind(looked_for.with_deleted);
        self.every(query, |row| Ok(rows::event(row, thread.id())?.0))
            .await
    }

    /// The runs of a scope that a query looks for.
    pub(super) async fn find_runs(
        &mut self,
        scope: &Scope,
        looked_for: &RunQuery,
    ) -> Result<Vec<Run>, Stop> {
        let span = looked_for.span();
        let (sql, pk) = match &looked_for.thread_id {
            Some(thread_id) => {
                let sql = match span.order {
                    EventOrder::NewestFirst => &self.sql.newest_runs_of_thread,
                    EventOrder::OldestFirst => &self.sql.oldest_runs_of_thread,
                };
                (sql, self.thread(scope, thread_id).await?.pk)
            }
            None => {
                let sql = match span.order {
                    EventOrder::NewestFirst => &self.sql.newest_runs,
                    EventOrder::OldestFirst => &self.sql.oldest_runs,
                };
                match self.scope_pk(scope).await? {
                    Some(scope_pk) => (sql, scope_pk),
                    None => return Ok(Vec::new()),
                }
            }
        };
        let query = spanned(query(sql).bind(pk), &span, looked_for.limit)
            .bind(any_of(&looked_for.statuses)?)
            .bind(looked_for.event_id.clone())
            .bind(stored(viewer(scope)));
        self.every(query, |row| Ok(rows::run(row, row.text(8)?)?.0))
            .await
    }

    /// An event of a thread.
    pub(super) async fn event(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let query = query(&self.sql.event)
            .bind(thread.pk)
            .bind(event_id.to_owned());
        let event = self
            .first(query, |row| Ok(rows::event(row, thread.id())?.0))
            .await?;
        Ok(event.ok_or(StoreError::NotFound("event in this thread"))?)
    }

    /// A run of a thread.
    pub(super) async fn run(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        run_id: &str,
    ) -> Result<Run, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let query = query(&self.sql.run).bind(thread.pk).bind(run_id.to_owned());
        let run = self
            .first(query, |row| Ok(rows::run(row, thread.id())?.0))
            .await?;
        Ok(run.ok_or(StoreError::NotFound("run in this thread"))?)
    }

    async fn scope_pk(&mut self, scope: &Scope) -> Result<Option<i64>, Stop> {
        let query = scoped(&self.sql.scope, scope);
        self.first(query, |row: &SqliteRow| row.number(0)).await
    }
}

/// Binds where a part of a list begins and ends, and how much of it is wanted, in the four places behind the first.
fn spanned(query: Query, span: &Span, limit: usize) -> Query {
    query
        .bind(span.behind.at)
        .bind(span.behind.id.clone())
        .bind(int(limit as u64))
        .bind(span.end)
}

/// Whose threads a scope shows, if not everyone's.
fn viewer(scope: &Scope) -> Option<&Participant> {
    match &scope.viewer {
        Viewer::Everyone => None,
        Viewer::Only(participant) => Some(participant),
    }
}

fn stored(participant: Option<&Participant>) -> Option<String> {
    participant.map(|participant| participant.as_str().to_owned())
}

/// A JSON array of what a filter lets pass; none if that is everything.
fn any_of<T: Serialize>(admitted: &[T]) -> Result<Option<String>, RowError> {
    let is_filter = !admitted.is_empty();
    Ok(is_filter
        .then(|| serde_json::to_string(admitted))
        .transpose()?)
}
