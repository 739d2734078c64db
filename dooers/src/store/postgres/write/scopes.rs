//! The writer's cache of scopes: their keys, and the clocks of their lists.

use crate::protocol::timestamp;
use crate::store::Scope;
use crate::store::list_clock::ListClock;
use crate::store::postgres::connect::execution::Execution;
use crate::store::postgres::connect::statement::query;
use crate::store::postgres::statements::Statements;
use crate::store::sql::{Columns, RowError};
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Maximum number of remembered scopes.
const REMEMBERED: usize = 10_000;

/// Maximum age of the newest times of a list. Another process may write in the list, and its clock may be ahead.
/// The unit tests compare several processes with one, so they always read the times.
const REFRESH: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 10 });

/// The lead of a list's clock over this process's clock, in microseconds, above which its newest times are read for each
/// batch.
const AHEAD: i64 = 1_000_000;

/// The most recently used scopes, each for all viewers.
#[derive(Debug)]
pub(crate) struct Scopes {
    sql: Arc<Statements>,
    known: HashMap<Scope, Remembered>,
}

/// A remembered scope.
#[derive(Debug, Default)]
struct Remembered {
    /// The `pk`s of the scope and of its workspace. They never change, and their rows are never deleted.
    place: Option<(i64, i64)>,
    clock: ListClock,
    /// The time at which the newest times in the lists were read.
    read_at: Option<Instant>,
}

impl Scopes {
    pub(crate) fn new(sql: Arc<Statements>) -> Self {
        Self {
            sql,
            known: HashMap::new(),
        }
    }

    /// Returns the clock of a scope's lists. The stored times may have to be read first: see
    /// [`is_fresh`](Self::is_fresh).
    pub(crate) fn clock(&mut self, scope: &Scope) -> ListClock {
        self.remembered(scope).clock.clone()
    }

    /// Returns `true` if the clock of a scope's lists does not need to be compared with the stored times.
    pub(crate) fn is_fresh(&self, scope: &Scope) -> bool {
        self.known.get(scope).is_some_and(|known| {
            let is_new = known.read_at.is_some_and(|at| at.elapsed() < REFRESH);
            let now = timestamp::now().timestamp_micros();
            // Another process may create the scope.
            known.place.is_some() && is_new && known.clock.newest() <= now.saturating_add(AHEAD)
        })
    }

    /// Records that the newest times of a scope were read.
    pub(crate) fn asked(&mut self, scope: &Scope) {
        self.remembered(scope).read_at = Some(Instant::now());
    }

    /// Returns the `pk` of a scope. `None` if the scope does not exist.
    pub(crate) fn pk(&self, scope: &Scope) -> Option<i64> {
        let known = self.known.get(scope)?;
        known.place.map(|(scope_pk, _)| scope_pk)
    }

    /// Records the keys of a scope.
    pub(crate) fn found(&mut self, scope: &Scope, place: (i64, i64)) {
        self.remembered(scope).place = Some(place);
    }

    fn remembered(&mut self, scope: &Scope) -> &mut Remembered {
        if self.known.len() >= REMEMBERED && !self.known.contains_key(scope) {
            // Each list has only one clock, so clocks that threads or a batch hold must stay.
            self.known.retain(|_, known| known.clock.is_shared());
        }
        self.known.entry(scope.clone()).or_default()
    }

    /// Returns the `pk`s of a scope and of its workspace. A missing scope is created.
    pub(crate) async fn place_of(
        &mut self,
        connection: &mut PgConnection,
        execution: &Execution,
        scope: Scope,
    ) -> Result<(i64, i64), RowError> {
        if let Some(place) = self.remembered(&scope).place {
            return Ok(place);
        }
        let sql = &self.sql;
        let workspace = [
            &scope.worker_id,
            &scope.organization_id,
            &scope.workspace_id,
        ];
        let mut found = None;
        for statement in [
            &sql.reads.scope,
            &sql.own.insert_workspace,
            &sql.own.insert_scope,
            &sql.reads.scope,
        ] {
            if found.is_some() {
                break;
            }
            let mut query = query(statement);
            for text in workspace {
                query = query.bind(text.clone());
            }
            if !Arc::ptr_eq(statement, &sql.own.insert_workspace) {
                query = query.bind(scope.agent.clone());
            }
            let rows = execution.rows(connection, query).await?;
            found = rows.into_iter().next();
        }
        let row = found.ok_or("a new scope is missing")?;
        let place = (row.number(0)?, row.number(2)?);
        self.found(&scope, place);
        Ok(place)
    }
}
