//! Where scopes lie.

use super::connect::{local, query};
use super::statements::Statements;
use crate::store::Scope;
use crate::store::sql::{Columns, RowError};
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;

/// So many are remembered.
const REMEMBERED: usize = 10_000;

/// The `pk`s of scopes and their workspaces. They never change and are never removed.
#[derive(Debug)]
pub(super) struct Scopes {
    sql: Arc<Statements>,
    places: HashMap<Scope, (i64, i64)>,
}

impl Scopes {
    pub(super) fn new(sql: Arc<Statements>) -> Self {
        Self {
            sql,
            places: HashMap::new(),
        }
    }

    /// The `pk` of a scope, which may be new, and of its workspace.
    pub(super) async fn place_of(
        &mut self,
        connection: &mut PgConnection,
        is_pooled: bool,
        scope: Scope,
    ) -> Result<(i64, i64), RowError> {
        if let Some(place) = self.places.get(&scope) {
            return Ok(*place);
        }
        let mut local = local(connection, is_pooled).await?;
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
            let mut query = query(statement).persistent(!is_pooled);
            for text in workspace {
                query = query.bind(text.clone());
            }
            if !Arc::ptr_eq(statement, &sql.own.insert_workspace) {
                query = query.bind(scope.agent.clone());
            }
            found = query.fetch_optional(local.connection()).await?;
        }
        local.end().await?;
        let row = found.ok_or("a new scope is not there")?;
        let place = (row.number(0)?, row.number(2)?);
        if self.places.len() >= REMEMBERED {
            self.places.clear();
        }
        self.places.insert(scope, place);
        Ok(place)
    }
}
