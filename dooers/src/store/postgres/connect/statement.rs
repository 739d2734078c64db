//! SQL statements for sqlx, and the columns of their rows.

use crate::store::sql::{Columns, RowError};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{PgConnection, Postgres};
use std::sync::Arc;

/// A statement with its parameters.
pub(crate) type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// Creates a query. SQL text reaches sqlx only through the functions of this module.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of this crate, rendered with a `TablePrefix`, which contains only a name"
)]
pub(crate) fn query(sql: &Arc<str>) -> Query {
    sqlx::query(sqlx::AssertSqlSafe(Arc::clone(sql)))
}

/// Creates a query with arguments.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of this crate, rendered with a `TablePrefix`, which contains only a name"
)]
pub(crate) fn query_with(sql: &Arc<str>, arguments: PgArguments) -> Query {
    sqlx::query_with(sqlx::AssertSqlSafe(Arc::clone(sql)), arguments)
}

/// Executes several statements at once, without parameters.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of this crate, rendered with a `TablePrefix`, which contains only a name"
)]
pub(crate) async fn execute_script(
    connection: &mut PgConnection,
    sql: &Arc<str>,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(Arc::clone(sql)))
        .execute(connection)
        .await?;
    Ok(())
}

impl Columns for PgRow {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        Ok(sqlx::Row::try_get_unchecked(self, at)?)
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        Ok(sqlx::Row::try_get_unchecked(self, at)?)
    }
}
