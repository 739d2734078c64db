//! Finds threads, events and runs.

use super::Stop;
use super::list_parameters::{listed, spanned, stored};
use super::read::{ReadTransaction, Reading, parameters, scoped};
use super::rows::{self, Columns};
use super::turns;
use crate::protocol::{Run, Thread, ThreadEvent};
use crate::store::{EventQuery, Order, RunQuery, Scope, StoreError, ThreadQuery, TurnState};

impl<T: ReadTransaction> Reading<'_, T> {
    /// Returns the threads of a scope that match a query.
    pub(crate) async fn find_threads(
        &mut self,
        scope: &Scope,
        looked_for: &ThreadQuery,
    ) -> Result<Vec<Thread>, Stop> {
        match self.scope_pk(scope).await? {
            Some(scope_pk) => self.threads_in(scope_pk, scope, looked_for).await,
            None => Ok(Vec::new()),
        }
    }

    /// Returns the threads that match a query, in a scope whose `pk` is known.
    pub(super) async fn threads_in(
        &mut self,
        scope_pk: i64,
        scope: &Scope,
        looked_for: &ThreadQuery,
    ) -> Result<Vec<Thread>, Stop> {
        let (is_of_participant, values) = listed(scope_pk, scope, looked_for);
        let sql = match (is_of_participant, looked_for.order) {
            (false, Order::NewestFirst) => &self.sql.threads,
            (false, Order::OldestFirst) => &self.sql.oldest_threads,
            (true, Order::NewestFirst) => &self.sql.threads_of_participant,
            (true, Order::OldestFirst) => &self.sql.oldest_threads_of_participant,
        };
        self.every(sql, values, |row| rows::thread(row, scope))
            .await
    }

    /// Returns the events of a thread that match a query.
    pub(crate) async fn find_events(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        looked_for: &EventQuery,
    ) -> Result<Vec<ThreadEvent>, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let sql = match looked_for.order {
            Order::NewestFirst => &self.sql.newest_found,
            Order::OldestFirst => &self.sql.oldest_found,
        };
        let values = parameters![
            thread.pk,
            looked_for.after,
            looked_for.before,
            any_of(&looked_for.actors, |actor| actor.as_str()),
            any_of(&looked_for.kinds, |kind| kind.as_str()),
            any_of(&looked_for.user_ids, |id| id),
            any_of(&looked_for.run_ids, |id| id),
            looked_for.limit as u64,
            i64::from(looked_for.with_deleted),
        ];
        self.every(sql, values, |row| Ok(rows::event(row, thread.id())?.0))
            .await
    }

    /// Returns the runs of a scope that match a query.
    pub(crate) async fn find_runs(
        &mut self,
        scope: &Scope,
        looked_for: &RunQuery,
    ) -> Result<Vec<Run>, Stop> {
        let span = looked_for.span();
        let (sql, pk) = match &looked_for.thread_id {
            Some(thread_id) => {
                let pk = self.thread(scope, thread_id).await?.pk;
                let sql = match span.order {
                    Order::NewestFirst => &self.sql.newest_runs_of_thread,
                    Order::OldestFirst => &self.sql.oldest_runs_of_thread,
                };
                (sql, pk)
            }
            None => {
                let Some(scope_pk) = self.scope_pk(scope).await? else {
                    return Ok(Vec::new());
                };
                let sql = match span.order {
                    Order::NewestFirst => &self.sql.newest_runs,
                    Order::OldestFirst => &self.sql.oldest_runs,
                };
                (sql, scope_pk)
            }
        };
        let mut values = spanned(pk, &span, looked_for.limit);
        values.extend(parameters![
            any_of(&looked_for.statuses, |status| status.as_str()),
            looked_for.event_id.clone(),
            stored(scope.viewer.participant()),
        ]);
        self.every(sql, values, |row| Ok(rows::run(row, row.text(9)?)?.0))
            .await
    }

    /// Reads an event of a thread.
    pub(crate) async fn event(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let values = parameters![thread.pk, event_id];
        let event = self
            .first(&self.sql.event, values, |row| {
                Ok(rows::event(row, thread.id())?.0)
            })
            .await?;
        Ok(event.ok_or(StoreError::NotFound("event in this thread"))?)
    }

    /// Reads a run of a thread.
    pub(crate) async fn run(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        run_id: &str,
    ) -> Result<Run, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let values = parameters![thread.pk, run_id];
        let run = self
            .first(&self.sql.run, values, |row| {
                Ok(rows::run(row, thread.id())?.0)
            })
            .await?;
        Ok(run.ok_or(StoreError::NotFound("run in this thread"))?)
    }

    /// The state of the turn of an event.
    pub(crate) async fn turn_state(
        &mut self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<TurnState, Stop> {
        let thread = self.thread(scope, thread_id).await?;
        let values = parameters![thread.pk, event_id];
        let state = self.first(&self.sql.turn_state, values, turns::state_of_turn);
        Ok(state
            .await?
            .ok_or(StoreError::NotFound("event in this thread"))?)
    }

    pub(super) async fn scope_pk(&mut self, scope: &Scope) -> Result<Option<i64>, Stop> {
        self.first(&self.sql.scope, scoped(scope), |row| row.number(0))
            .await
    }
}

/// Returns the texts that a filter accepts. `None` if it accepts everything.
fn any_of<V>(admitted: &[V], text: impl Fn(&V) -> &str) -> Option<Vec<String>> {
    let is_filter = !admitted.is_empty();
    is_filter.then(|| admitted.iter().map(|one| text(one).to_owned()).collect())
}
