//! Application of migrations, which only go forward.

use super::statements::render;
use crate::protocol::timestamp;
use crate::store::TablePrefix;
use crate::store::sql::{Applied, Migration, TableError, checksum_of, migrations, pending};
use rusqlite::{Connection, Row, params};

/// All migrations, in their order.
pub(super) const MIGRATIONS: &[Migration] = migrations!("sqlite");

/// The value in the file's header that identifies a database of dooers ("dooe").
pub(super) const APPLICATION_ID: i64 = 0x646f_6f65;

/// The reasons why a migration fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum MigrateError {
    #[error(
        "it is the database of another program (it has tables, but `{0}schema_migrations` is not among them); name another file"
    )]
    NotOurs(TablePrefix),
    #[error(transparent)]
    Schema(#[from] TableError),
    #[error(transparent)]
    WriterDatabase(#[from] rusqlite::Error),
}

/// Applies the missing migrations for this prefix, all in one transaction. An error changes nothing.
pub(super) fn migrate(
    connection: &Connection,
    prefix: &TablePrefix,
    migrations: &[Migration],
    is_allowed: bool,
) -> Result<(), MigrateError> {
    let applied = applied(connection, prefix)?;
    let pending = pending(migrations, applied, is_allowed)?;
    if pending.is_empty() {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let applied = apply(connection, prefix, pending).and_then(|()| {
        connection.execute_batch("COMMIT")?;
        Ok(())
    });
    if applied.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    applied
}

/// Returns the migrations that were applied to the database.
fn applied(connection: &Connection, prefix: &TablePrefix) -> Result<Vec<Applied>, MigrateError> {
    let tables = |name: &str| -> Result<i64, rusqlite::Error> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB ?1";
        connection.query_row(sql, [name], |row| row.get(0))
    };
    let tracking = format!("{prefix}schema_migrations");
    let has_tracking = tables(&tracking)? > 0;
    let application_id: i64 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let is_ours = match application_id {
        APPLICATION_ID => true,
        0 => has_tracking || tables("*")? == 0,
        _ => false,
    };
    if !is_ours {
        return Err(MigrateError::NotOurs(prefix.clone()));
    }
    if !has_tracking {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT version, name, checksum FROM {tracking} ORDER BY version");
    let mut statement = connection.prepare(&sql)?;
    let step = |row: &Row<'_>| {
        Ok(Applied {
            version: row.get(0)?,
            name: row.get(1)?,
            checksum: row.get(2)?,
        })
    };
    Ok(statement.query_map([], step)?.collect::<Result<_, _>>()?)
}

fn apply(
    connection: &Connection,
    prefix: &TablePrefix,
    steps: &[Migration],
) -> Result<(), MigrateError> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch(&render(
        "CREATE TABLE IF NOT EXISTS {prefix}schema_migrations (
            version INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            checksum TEXT NOT NULL,
            applied_at INTEGER NOT NULL
        ) STRICT",
        prefix,
    ))?;
    let insert = render(
        "INSERT INTO {prefix}schema_migrations (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
        prefix,
    );
    for step in steps {
        connection.execute_batch(&render(step.sql, prefix))?;
        let now = timestamp::now().timestamp_micros();
        let row = params![step.version, step.name, checksum_of(step.sql), now];
        connection.execute(&insert, row)?;
    }
    Ok(())
}

/// Returns the versions and names of the migrations.
#[cfg(all(test, feature = "postgres"))]
pub(crate) fn versions_and_names() -> Vec<(i64, &'static str)> {
    let steps = MIGRATIONS.iter();
    steps.map(|step| (step.version, step.name)).collect()
}
