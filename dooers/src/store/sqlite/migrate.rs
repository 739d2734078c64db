//! Bringing the tables up to date, forward only.

use super::statements::render;
use crate::protocol::timestamp;
use crate::store::TablePrefix;
use rusqlite::{Connection, params};

/// One step of the schema. A released one is never edited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

/// All steps, in their order.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "init",
        sql: include_str!("../../../migrations/sqlite/0001_init.sql"),
    },
    Migration {
        version: 2,
        name: "settings",
        sql: include_str!("../../../migrations/sqlite/0002_settings.sql"),
    },
    Migration {
        version: 3,
        name: "turns",
        sql: include_str!("../../../migrations/sqlite/0003_turns.sql"),
    },
    Migration {
        version: 4,
        name: "repository",
        sql: include_str!("../../../migrations/sqlite/0004_repository.sql"),
    },
];

/// Written into the file's header: says that it is one of ours ("dooe").
pub(super) const APPLICATION_ID: i64 = 0x646f_6f65;

/// Why the tables are not as they must be.
#[derive(Debug, thiserror::Error)]
pub(super) enum MigrateError {
    #[error(
        "it is the database of another program (it has tables, but `{0}schema_migrations` is not among them); name another file"
    )]
    NotOurs(TablePrefix),
    #[error(
        "it was made by a newer version of this program (its schema is version {found}, this program knows {known}); update the program"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "its migration {version} (`{name}`) is not the one of this program, so its tables cannot be trusted; restore a backup, or run the program that made it"
    )]
    Changed { version: i64, name: String },
    #[error(
        "its schema is version {found} and this program needs {needed}; allow `auto_migrate` (WORKER_DATABASE_AUTO_MIGRATE=true) once"
    )]
    Old { found: i64, needed: i64 },
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

/// Brings the tables of this prefix up to date, all steps in one transaction. An error changes nothing.
pub(super) fn migrate(
    connection: &Connection,
    prefix: &TablePrefix,
    migrations: &[Migration],
    is_allowed: bool,
) -> Result<(), MigrateError> {
    let pending = pending(connection, prefix, migrations)?;
    let (Some(first), Some(last)) = (pending.first(), pending.last()) else {
        return Ok(());
    };
    if !is_allowed {
        return Err(MigrateError::Old {
            found: first.version - 1,
            needed: last.version,
        });
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

/// Those steps that the database has not got.
fn pending<'a>(
    connection: &Connection,
    prefix: &TablePrefix,
    migrations: &'a [Migration],
) -> Result<&'a [Migration], MigrateError> {
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
        return Ok(migrations);
    }
    let sql = format!("SELECT version, name, checksum FROM {tracking} ORDER BY version");
    let mut statement = connection.prepare(&sql)?;
    let applied: Vec<(i64, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let known = migrations.last().map_or(0, |last| last.version);
    if let Some((found, _, _)) = applied.last().filter(|(found, _, _)| *found > known) {
        return Err(MigrateError::Newer {
            found: *found,
            known,
        });
    }
    let mut steps = migrations;
    for (version, name, checksum) in applied {
        match steps.split_first() {
            Some((step, rest)) if step.version == version && checksum_of(step.sql) == checksum => {
                steps = rest;
            }
            _ => return Err(MigrateError::Changed { version, name }),
        }
    }
    Ok(steps)
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

/// The FNV-1a hash of a migration's text: it is to notice an edit, not an attack.
fn checksum_of(sql: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in sql.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}
