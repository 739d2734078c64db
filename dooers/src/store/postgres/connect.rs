//! Connections to the database, and the classification of their errors.

use super::PostgresOptions;
use super::advice::{is_distrust, is_of_pooler};
use super::execution::server_limits;
use super::limit::Limit;
use crate::store::StoreError;
use crate::store::sql::{Columns, RowError};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{ConnectOptions, Connection, PgConnection, Postgres};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// The settings of each connection. Our statements find all rows by an index. Many of these rows change in a burst, so
/// the planner's statistics are often wrong, and it may not choose another plan. Bitmap scans are off as well, because
/// only a plain index scan marks the entries of dead rows, and a row that changes with each turn leaves one such entry
/// each time.
const SETTINGS: [(&str, &str); 7] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    ("default_transaction_isolation", "read committed"),
];

/// The first and the longest pause between attempts to reach the database.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(20);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A statement with its parameters.
pub(super) type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// Creates a query. SQL text reaches sqlx only through the functions of this module.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of this crate, rendered with a `TablePrefix`, which contains only a name"
)]
pub(super) fn query(sql: &Arc<str>) -> Query {
    sqlx::query(sqlx::AssertSqlSafe(Arc::clone(sql)))
}

/// Creates a query with arguments.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of this crate, rendered with a `TablePrefix`, which contains only a name"
)]
pub(super) fn query_with(sql: &Arc<str>, arguments: PgArguments) -> Query {
    sqlx::query_with(sqlx::AssertSqlSafe(Arc::clone(sql)), arguments)
}

/// Executes several statements at once, without parameters.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of this crate, rendered with a `TablePrefix`, which contains only a name"
)]
pub(super) async fn execute_script(
    connection: &mut PgConnection,
    sql: &Arc<str>,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(Arc::clone(sql)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Returns the options for connections that read and write.
pub(super) fn connect_options(options: &PostgresOptions) -> PgConnectOptions {
    let connect = options.connect_options().disable_statement_logging();
    if options.is_pooled() {
        // A pooler does not accept these settings at startup.
        connect
    } else {
        let limits = server_limits(options.longest_statement());
        connect.options(SETTINGS).options(limits)
    }
}

/// Connects. If the database cannot be reached, tries again until the limit passes.
pub(super) async fn connect(
    options: &PgConnectOptions,
    limit: Limit,
) -> Result<PgConnection, sqlx::Error> {
    let end = limit.end();
    let mut pause = FIRST_PAUSE;
    let mut last = None;
    loop {
        let error = match timeout_at(end, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            // The earlier error is more precise than a timeout.
            Err(_) => return Err(last.unwrap_or_else(|| limit.passed())),
        };
        if !may_pass(&error) || Instant::now() + pause >= end {
            return Err(error);
        }
        last = Some(error);
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Returns `true` if connecting may succeed a little later.
fn may_pass(error: &sqlx::Error) -> bool {
    let is_distrusted = matches!(error, sqlx::Error::Io(error) if is_distrust(error));
    let is_refused_by_pooler = code(error).is_some_and(|code| code == "08P01");
    is_lost(error)
        && !is_distrusted
        && !is_refused_by_pooler
        && !matches!(error, sqlx::Error::Tls(_))
}

/// Returns `true` if the database could not be reached or the connection was lost. The database may be available again
/// soon.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => {
            !is_of_pooler(error)
                && database.code().is_some_and(|code| {
                    // Broken connections; a server that stops, starts, has no free connection or is read-only; faults
                    // of a pooler. 57014 and 25P03 are the server's own time limits.
                    code.starts_with("08")
                        || code.starts_with("57P")
                        || matches!(&*code, "53300" | "25006" | "57014" | "25P03")
                })
        }
        _ => false,
    }
}

/// Returns the code of an error that the database reported.
pub(super) fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Returns `true` if two statements raced for the same rows.
pub(super) fn is_race(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| matches!(&*code, "23505" | "40001" | "40P01"))
}

/// As [`is_race`], for an error of any type.
pub(super) fn is_race_row(error: &RowError) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some_and(is_race)
}

/// As [`is_lost`], for an error of any type.
pub(super) fn is_lost_row(error: &RowError) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some_and(is_lost)
}

/// A value that the database can never store.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Unstorable {
    #[error("an id contains U+0000, which PostgreSQL cannot store; remove it")]
    Nul,
    #[error("an id is too long for an index of PostgreSQL; choose a shorter one")]
    Length,
}

impl Unstorable {
    fn of(error: &RowError) -> Option<Self> {
        if let Some(known) = error.downcast_ref() {
            return Some(*known);
        }
        match &*code(error.downcast_ref()?)? {
            // In a text, and in the text of a JSON value.
            "22021" | "22P05" => Some(Self::Nul),
            // The length of a text is not limited in practice, but the length of an index entry is.
            "54000" => Some(Self::Length),
            _ => None,
        }
    }
}

/// Converts an error of the database into the caller's error. `what` is the operation.
pub(super) fn told(error: RowError, what: &'static str) -> StoreError {
    if let Some(unstorable) = Unstorable::of(&error) {
        StoreError::Invalid(unstorable.to_string())
    } else if is_lost_row(&error) {
        StoreError::Unavailable {
            what,
            source: error,
        }
    } else {
        StoreError::Failed {
            what,
            source: error,
        }
    }
}

/// Copies an error for one more caller.
pub(super) fn again(error: &RowError) -> RowError {
    let text = error.to_string();
    if let Some(unstorable) = Unstorable::of(error) {
        unstorable.into()
    } else if is_lost_row(error) {
        sqlx::Error::Io(std::io::Error::other(text)).into()
    } else {
        text.into()
    }
}

impl Columns for PgRow {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        Ok(sqlx::Row::try_get_unchecked(self, at)?)
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        Ok(sqlx::Row::try_get_unchecked(self, at)?)
    }
}
