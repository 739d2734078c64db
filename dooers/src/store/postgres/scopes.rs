//! What the writer remembers of scopes: where they lie, and the clocks of their lists.

use super::connect::query;
use super::execution::Execution;
use super::statements::Statements;
use crate::protocol::timestamp;
use crate::store::Scope;
use crate::store::list_clock::ListClock;
use crate::store::sql::{Columns, RowError};
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The number of scopes that are remembered.
const REMEMBERED: usize = 10_000;

/// How long the newest times in a list are believed. Another process may write in it, and its clock may be ahead. Unit
/// tests compare several processes with one.
const REFRESH: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 10 });

/// How far a list's clock may be ahead of this process's before its newest times are read for each batch, in
/// microseconds.
const AHEAD: i64 = 1_000_000;

/// The scopes that were used last. Each is of everyone.
#[derive(Debug)]
pub(super) struct Scopes {
    sql: Arc<Statements>,
    known: HashMap<Scope, Remembered>,
}

/// A scope.
#[derive(Debug, Default)]
struct Remembered {
    /// Its `pk` and that of its workspace. They never change and are never removed.
    place: Option<(i64, i64)>,
    clock: ListClock,
    /// When the newest times in its lists were read.
    read_at: Option<Instant>,
}

impl Scopes {
    pub(super) fn new(sql: Arc<Statements>) -> Self {
        Self {
            sql,
            known: HashMap::new(),
        }
    }

    /// The clock of a scope's lists. What is stored may have to be read first: see [`is_fresh`](Self::is_fresh).
    pub(super) fn clock(&mut self, scope: &Scope) -> ListClock {
        self.remembered(scope).clock.clone()
    }

    /// Whether the clock of a scope's lists need not be compared with what is stored.
    pub(super) fn is_fresh(&self, scope: &Scope) -> bool {
        self.known.get(scope).is_some_and(|known| {
            let is_new = known.read_at.is_some_and(|at| at.elapsed() < REFRESH);
            let now = timestamp::now().timestamp_micros();
            is_new && known.clock.newest() <= now.saturating_add(AHEAD)
        })
    }

    /// Takes note that the newest times of a scope were asked for.
    pub(super) fn asked(&mut self, scope: &Scope) {
        self.remembered(scope).read_at = Some(Instant::now());
    }

    /// Takes note of where a scope lies.
    pub(super) fn found(&mut self, scope: &Scope, place: (i64, i64)) {
        self.remembered(scope).place = Some(place);
    }

    fn remembered(&mut self, scope: &Scope) -> &mut Remembered {
        if self.known.len() >= REMEMBERED && !self.known.contains_key(scope) {
            // A list has one clock, so those stay that threads or a batch hold.
            self.known.retain(|_, known| known.clock.is_shared());
        }
        self.known.entry(scope.clone()).or_default()
    }

    /// The `pk` of a scope, which may be new, and of its workspace.
    pub(super) async fn place_of(
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
