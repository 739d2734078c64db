//! Connections, and what becomes of them.

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

/// What each connection is told. Our statements find all rows by an index, and so many of them are changed in a
/// burst that what the planner knows of the tables is often wrong: it may not choose anything else. Nor a bitmap of an
/// index: only who reads an index entry by entry marks those whose rows are gone, and a row that is changed with each turn
/// leaves one each time.
const SETTINGS: [(&str, &str); 7] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    ("default_transaction_isolation", "read committed"),
];

/// The first wait for a database that cannot be reached, and the longest.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(20);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A statement with its parameters.
pub(super) type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// The only ways in which SQL text reaches sqlx.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of ours, rendered with a `TablePrefix`, which can hold nothing but a name"
)]
pub(super) fn query(sql: &Arc<str>) -> Query {
    sqlx::query(sqlx::AssertSqlSafe(Arc::clone(sql)))
}

/// The same with arguments.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of ours, rendered with a `TablePrefix`, which can hold nothing but a name"
)]
pub(super) fn query_with(sql: &Arc<str>, arguments: PgArguments) -> Query {
    sqlx::query_with(sqlx::AssertSqlSafe(Arc::clone(sql)), arguments)
}

/// Executes several statements at once, without parameters.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of ours, rendered with a `TablePrefix`, which can hold nothing but a name"
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

/// How connections are made that read and write.
pub(super) fn connect_options(options: &PostgresOptions) -> PgConnectOptions {
    let connect = options.connect_options().disable_statement_logging();
    if options.is_pooled() {
        // A pooler does not know these settings at the start of a connection.
        connect
    } else {
        let limits = server_limits(options.longest_statement());
        connect.options(SETTINGS).options(limits)
    }
}

/// Connects, and tries that within the limit if the database cannot be reached.
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
            // What was wrong before says more than that it took too long.
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

/// Whether it may be possible to connect a little later, after this error.
fn may_pass(error: &sqlx::Error) -> bool {
    let is_distrusted = matches!(error, sqlx::Error::Io(error) if is_distrust(error));
    let is_refused_by_pooler = code(error).is_some_and(|code| code == "08P01");
    is_lost(error)
        && !is_distrusted
        && !is_refused_by_pooler
        && !matches!(error, sqlx::Error::Tls(_))
}

/// Whether the database could not be reached, or the connection was lost: it may be there again soon.
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
                    // Connections that break, a server that stops, starts, is full, or only reads; and a pooler's own trouble.
                    // 57014 and 25P03: the server's own limits of time.
                    code.starts_with("08")
                        || code.starts_with("57P")
                        || matches!(&*code, "53300" | "25006" | "57014" | "25P03")
                })
        }
        _ => false,
    }
}

/// The database's own code of an error.
pub(super) fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Whether two were at the same place at the same time.
pub(super) fn is_race(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| matches!(&*code, "23505" | "40001" | "40P01"))
}

/// The same of an error of any kind.
pub(super) fn is_race_row(error: &RowError) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some_and(is_race)
}

/// Whether the database was lost, of an error of any kind.
pub(super) fn is_lost_row(error: &RowError) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some_and(is_lost)
}

/// What the database cannot store, however often it is asked to.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Unstorable {
    #[error("an id holds U+0000, which PostgreSQL cannot store; leave it out")]
    Nul,
    #[error("an id is longer than PostgreSQL can find it by; choose a shorter one")]
    Length,
}

impl Unstorable {
    fn of(error: &RowError) -> Option<Self> {
        if let Some(known) = error.downcast_ref() {
            return Some(*known);
        }
        match &*code(error.downcast_ref()?)? {
            // In a text, and in a JSON text.
            "22021" | "22P05" => Some(Self::Nul),
            // Texts have no limit that they could reach, but entries of an index have.
            "54000" => Some(Self::Length),
            _ => None,
        }
    }
}

/// What a caller is told of an error.
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

/// The same error for one more caller.
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
