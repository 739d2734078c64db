//! Application of migrations, which only go forward.

use super::PostgresOptions;
use super::statements::render;
use crate::store::TablePrefix;
use crate::store::postgres::connect::error::code;
use crate::store::postgres::connect::execution::server_limits;
use crate::store::postgres::connect::hint::explained;
use crate::store::postgres::connect::limit::{Limit, is_too_slow};
use crate::store::postgres::connect::statement::{Query, execute_script, query};
use crate::store::sql::{
    Applied, Columns, Migration, RowError, TableError, checksum_of, migrations, pending,
};
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use std::time::Duration;

/// All migrations, in their order. Their versions and names are the same as for SQLite.
pub(super) const MIGRATIONS: &[Migration] = migrations!("postgres");

/// The migration that creates the table of processes and the column `is_breaking`.
const NODES: i64 = 15;

/// Maximum number of processes that an error names, and of prefixes in a warning.
const NAMED: usize = 3;

/// Returns the version of the newest migration.
pub(super) fn known_version(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |last| last.version)
}

/// The reasons why a migration fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum MigrateError {
    #[error(transparent)]
    Schema(#[from] TableError),
    #[error(
        "another program created tables with the prefix `{0}` (`{0}schema_migrations` is missing); set another prefix (WORKER_DATABASE_TABLE_PREFIX)"
    )]
    NotOurs(TablePrefix),
    #[error(
        "the user may not create tables in it; grant CREATE on its schema, or migrate as a user who may"
    )]
    NotAllowed,
    #[error(
        "its encoding is {0}, which cannot represent all texts; create another database (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)"
    )]
    NotUnicode(String),
    #[error(
        "its tables were not migrated within {0:?} (WORKER_DATABASE_MIGRATION_TIMEOUT); check whether another process migrates them or the server is silent, or raise the limit"
    )]
    TooLong(Duration),
    #[error("{}", explained(.0))]
    Database(sqlx::Error),
    #[error(transparent)]
    Row(#[from] RowError),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        if code(&error).as_deref() == Some("42501") {
            Self::NotAllowed
        } else {
            Self::Database(error)
        }
    }
}

/// Applies the missing migrations for the options' prefix, all in one transaction. An error changes nothing. If several
/// processes call it at once, one of them migrates and the others wait. After an error, the connection must be dropped.
pub(super) async fn migrate(
    connection: &mut PgConnection,
    options: &PostgresOptions,
    migrations: &[Migration],
    is_allowed: bool,
) -> Result<(), MigrateError> {
    let prefix = &options.table_prefix;
    let looking = Limit::of_statement(options.longest_statement());
    let before = looking.on(look(connection, prefix)).await?;
    if pending(migrations, before, is_allowed)?.is_empty() {
        return Ok(());
    }
    let longest = options.longest_migration();
    let all = apply(connection, prefix, migrations, is_allowed, longest);
    let all = Limit::of_statement(longest).on(all).await;
    let others = all.map_err(|error| match error {
        MigrateError::Database(error) if is_too_slow(&error) => MigrateError::TooLong(longest),
        error => error,
    })?;
    if !others.is_empty() {
        tracing::warn!(target: "dooers::store", prefix = prefix.as_str(), ?others, "new tables were created, but this schema already has tables with other prefixes; processes with different prefixes share nothing, so check WORKER_DATABASE_TABLE_PREFIX if this is not intended");
    }
    Ok(())
}

/// Returns the migrations that were applied to the database, if the database can be used at all.
async fn look(
    connection: &mut PgConnection,
    prefix: &TablePrefix,
) -> Result<Vec<Applied>, MigrateError> {
    // In a transaction, because a pooler may change the server connection between two of them.
    let mut looking = connection.begin().await?;
    must_be_unicode(&mut looking).await?;
    let before = applied(&mut looking, prefix).await?;
    looking.commit().await?;
    Ok(before)
}

/// Applies the missing migrations. If it creates the first tables, it returns some of the other prefixes in the schema.
async fn apply(
    connection: &mut PgConnection,
    prefix: &TablePrefix,
    migrations: &[Migration],
    is_allowed: bool,
    longest: Duration,
) -> Result<Vec<String>, MigrateError> {
    let sql = |text: &str| -> Arc<str> { render(text, prefix).into() };
    let mut others = Vec::new();
    let mut transaction = connection.begin().await?;
    // Overrides the limits of the database and of the user.
    for (name, value) in server_limits(longest) {
        let set = format!("SET LOCAL {name} = {value}").into();
        execute_script(&mut transaction, &set).await?;
    }
    once(&sql(
        "SELECT pg_advisory_xact_lock(hashtextextended('dooers {prefix}', 0))",
    ))
    .execute(&mut *transaction)
    .await?;
    let before = applied(&mut transaction, prefix).await?;
    if before.is_empty() {
        check_prefix_is_free(&mut transaction, prefix).await?;
        others = other_prefixes(&mut transaction).await?;
        let tracking = sql("CREATE TABLE IF NOT EXISTS {prefix}schema_migrations (
                version BIGINT PRIMARY KEY,
                name TEXT NOT NULL,
                checksum TEXT NOT NULL,
                applied_at TIMESTAMPTZ NOT NULL
            )");
        once(&tracking).execute(&mut *transaction).await?;
    }
    let insert = sql(
        "INSERT INTO {prefix}schema_migrations (version, name, checksum, applied_at)
        VALUES (?1, ?2, ?3, clock_timestamp())",
    );
    let knows_nodes = before.last().is_some_and(|last| last.version >= NODES);
    let steps = pending(migrations, before, is_allowed)?;
    if let Some(breaking) = steps.iter().rev().find(|step| step.is_breaking)
        && knows_nodes
    {
        check_not_in_use(&mut transaction, prefix, breaking).await?;
    }
    for step in steps {
        execute_script(&mut transaction, &sql(step.sql)).await?;
        once(&insert)
            .bind(step.version)
            .bind(step.name)
            .bind(checksum_of(step.sql))
            .execute(&mut *transaction)
            .await?;
    }
    if known_version(migrations) >= NODES {
        let breaking = migrations.iter().filter(|step| step.is_breaking);
        let breaking: Vec<_> = breaking.map(|step| step.version).collect();
        let mark =
            sql("UPDATE {prefix}schema_migrations SET is_breaking = true WHERE version = ANY (?1)");
        once(&mark)
            .bind(breaking)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(others)
}

/// Refuses a migration that makes the tables unusable for processes that are running. Until the transaction ends, no process
/// can report itself.
async fn check_not_in_use(
    connection: &mut PgConnection,
    prefix: &TablePrefix,
    breaking: &Migration,
) -> Result<(), MigrateError> {
    let sql = |text: &str| -> Arc<str> { render(text, prefix).into() };
    let lock = sql("LOCK TABLE {prefix}nodes IN SHARE ROW EXCLUSIVE MODE");
    execute_script(connection, &lock).await?;
    let alive = sql("SELECT n.host, n.process_id FROM {prefix}nodes n
        WHERE n.alive_until > clock_timestamp() AND n.schema_version < ?1 ORDER BY n.id");
    let rows = once(&alive)
        .bind(breaking.version)
        .fetch_all(connection)
        .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut nodes = Vec::new();
    for row in rows.iter().take(NAMED) {
        let (host, process_id) = (row.text(0)?, row.number(1)?);
        nodes.push(format!("process {process_id} on `{host}`"));
    }
    if let Some(more @ 1..) = rows.len().checked_sub(NAMED) {
        nodes.push(format!("{more} more"));
    }
    Err(MigrateError::Schema(TableError::InUse {
        version: breaking.version,
        name: breaking.name,
        nodes: nodes.join(", "),
    }))
}

/// Creates a query that is not prepared for reuse, because a pooler may execute the next one on another connection.
fn once(sql: &Arc<str>) -> Query {
    query(sql).persistent(false)
}

/// Returns the migrations that were applied to the database.
async fn applied(
    connection: &mut PgConnection,
    prefix: &TablePrefix,
) -> Result<Vec<Applied>, MigrateError> {
    let sql = |text: &str| -> Arc<str> { render(text, prefix).into() };
    if !has_table(connection, prefix, "schema_migrations").await? {
        return Ok(Vec::new());
    }
    let steps =
        sql("SELECT version, name, checksum FROM {prefix}schema_migrations ORDER BY version");
    let rows = once(&steps).fetch_all(connection).await?;
    let step = |row: &sqlx::postgres::PgRow| {
        Ok(Applied {
            version: row.number(0)?,
            name: row.text(1)?.to_owned(),
            checksum: row.text(2)?.to_owned(),
        })
    };
    Ok(rows.iter().map(step).collect::<Result<_, RowError>>()?)
}

/// Refuses a database whose encoding cannot represent all texts. Otherwise it would fail at the first such text.
async fn must_be_unicode(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let sql: Arc<str> = "SELECT current_setting('server_encoding')".into();
    let row = once(&sql).fetch_one(connection).await?;
    match row.text(0)? {
        "UTF8" => Ok(()),
        other => Err(MigrateError::NotUnicode(other.to_owned())),
    }
}

/// Refuses a prefix that another program uses for its tables.
async fn check_prefix_is_free(
    connection: &mut PgConnection,
    prefix: &TablePrefix,
) -> Result<(), MigrateError> {
    if has_table(connection, prefix, "threads").await? {
        return Err(MigrateError::NotOurs(prefix.clone()));
    }
    Ok(())
}

/// Returns some prefixes of tables that other servers have created in the schema.
async fn other_prefixes(connection: &mut PgConnection) -> Result<Vec<String>, MigrateError> {
    const TABLE: &str = "schema_migrations";
    let sql: Arc<str> = "SELECT c.relname::text FROM pg_catalog.pg_class c
        WHERE c.relkind = 'r' AND c.relname LIKE '%_schema\\_migrations' AND pg_catalog.pg_table_is_visible(c.oid)
            AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'checksum')
        ORDER BY c.relname LIMIT $1"
        .into();
    let named = i64::try_from(NAMED).unwrap_or(i64::MAX);
    let rows = once(&sql).bind(named).fetch_all(connection).await?;
    let prefix = |row: &sqlx::postgres::PgRow| {
        let table = row.text(0)?;
        Ok(table.strip_suffix(TABLE).unwrap_or(table).to_owned())
    };
    Ok(rows.iter().map(prefix).collect::<Result<_, RowError>>()?)
}

/// Returns `true` if a table of this name exists. The query reads the catalogue, because `to_regclass` may use an
/// outdated cache.
async fn has_table(
    connection: &mut PgConnection,
    prefix: &TablePrefix,
    name: &str,
) -> Result<bool, MigrateError> {
    let sql: Arc<str> =
        "SELECT count(*) FROM pg_catalog.pg_class c WHERE c.relname = $1 AND pg_catalog.pg_table_is_visible(c.oid)".into();
    let row = once(&sql)
        .bind(format!("{prefix}{name}"))
        .fetch_one(connection)
        .await?;
    Ok(row.number(0)? > 0)
}
