//! Migrations of the schema, which only go forward.

#![cfg_attr(
    not(feature = "postgres"),
    allow(
        dead_code,
        reason = "without PostgreSQL, no other process uses the tables"
    )
)]

/// One migration of the schema. A released migration is never edited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
    /// True if a program that does not know the migration cannot use the tables after it. Then no such program may run.
    pub(crate) is_breaking: bool,
}

/// All migrations of a database, in their order: the files in the database's directory under `migrations/`.
macro_rules! migrations {
    ($database:literal) => {
        $crate::store::sql::migrations!(
            $database:
            1 "0001" "init",
            2 "0002" "settings",
            3 "0003" "turns",
            4 "0004" "repository" breaking,
            5 "0005" "json_order" breaking,
            6 "0006" "form_passwords",
            7 "0007" "retention",
            8 "0008" "feedback",
            9 "0009" "analytics_outbox",
            10 "0010" "usage",
            11 "0011" "identity",
            12 "0012" "questions",
            13 "0013" "runs_of_messages",
            14 "0014" "node_key",
            15 "0015" "nodes",
        )
    };
    ($database:literal: $($version:literal $number:literal $name:literal $($breaking:ident)?,)+) => {
        &[$(
            $crate::store::sql::Migration {
                version: $version,
                name: $name,
                sql: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/migrations/", $database, "/", $number, "_", $name, ".sql"
                )),
                is_breaking: $crate::store::sql::migrations!(@ $($breaking)?),
            },
        )+]
    };
    (@) => { false };
    (@ breaking) => { true };
}

pub(crate) use migrations;

/// A migration that was applied to a database.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) name: String,
    pub(crate) checksum: String,
}

/// Advice for a database without tables, which may be the wrong one.
const NO_TABLES: &str = ". If the tables exist already, check the name of the database and WORKER_DATABASE_TABLE_PREFIX instead";

/// The reasons why the schema of a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error(
        "a newer version of this program created it (its schema is version {found}, this program knows {known}); update the program"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "its migration {version} (`{name}`) differs from the one of this program, so its tables cannot be trusted; restore a backup, or run the program that created it"
    )]
    Changed { version: i64, name: String },
    #[error(
        "its schema is version {found} and this program needs {needed}; allow `auto_migrate` (WORKER_DATABASE_AUTO_MIGRATE=true) once{}",
        if *.found == 0 { NO_TABLES } else { "" }
    )]
    Old { found: i64, needed: i64 },
    #[error(
        "its migration {version} (`{name}`) makes the tables unusable for the programs of earlier versions that are running ({nodes}); stop them, then start this program again. A process that was killed counts as running until its lease ends"
    )]
    InUse {
        version: i64,
        name: &'static str,
        nodes: String,
    },
    #[error(
        "a newer version of this program has changed its tables (migration {found}; this program knows {known}), so this process cannot use them any more; update this program"
    )]
    Overtaken { found: i64, known: i64 },
}

/// Returns the migrations that are missing in a database. If `is_allowed` is `false`, missing migrations are an error.
pub(crate) fn pending(
    migrations: &[Migration],
    applied: Vec<Applied>,
    is_allowed: bool,
) -> Result<&[Migration], TableError> {
    let known = migrations.last().map_or(0, |last| last.version);
    if let Some(newer) = applied.last().filter(|newer| newer.version > known) {
        return Err(TableError::Newer {
            found: newer.version,
            known,
        });
    }
    let mut steps = migrations;
    for Applied {
        version,
        name,
        checksum,
    } in applied
    {
        match steps.split_first() {
            Some((step, rest)) if step.version == version && checksum_of(step.sql) == checksum => {
                steps = rest;
            }
            _ => return Err(TableError::Changed { version, name }),
        }
    }
    match steps.first() {
        Some(first) if !is_allowed => Err(TableError::Old {
            found: first.version - 1,
            needed: known,
        }),
        _ => Ok(steps),
    }
}

/// Returns the FNV-1a hash of a migration's text. It detects edits, not attacks.
pub(crate) fn checksum_of(sql: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in sql.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    /// Parts of statements that break a program of an earlier version, or that change what its statements mean.
    const BREAKING: [&str; 7] = [
        "DROP COLUMN",
        "DROP TABLE",
        "DROP SEQUENCE",
        "RENAME",
        "SET NOT NULL",
        " TYPE ",
        "ADD CONSTRAINT",
    ];

    #[test]
    fn migration_that_breaks_earlier_programs_is_marked() {
        let all: &[Migration] = migrations!("postgres");
        for step in all {
            let code = step
                .sql
                .lines()
                .filter(|line| !line.trim().starts_with("--"));
            let code: Vec<_> = code.collect();
            let code = code.join("\n").to_uppercase();
            let breaks = BREAKING.iter().any(|part| code.contains(part))
                || code.split(';').any(adds_a_required_column);
            assert_eq!(breaks, step.is_breaking, "{}", step.name);
        }
    }

    fn adds_a_required_column(statement: &str) -> bool {
        let adds = statement.contains("ADD COLUMN") && statement.contains("NOT NULL");
        adds && !statement.contains("DEFAULT")
    }
}
