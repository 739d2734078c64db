//! The steps in which the tables came to be, forward only.

/// One step of the schema. A released one is never edited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// All steps of a database, in their order: the files under `migrations/` in the directory of the database.
macro_rules! migrations {
    ($database:literal) => {
        $crate::store::sql::migrations!(
            $database:
            1 "0001" "init",
            2 "0002" "settings",
            3 "0003" "turns",
            4 "0004" "repository",
            5 "0005" "json_order",
            6 "0006" "form_passwords",
            7 "0007" "retention",
        )
    };
    ($database:literal: $($version:literal $number:literal $name:literal,)+) => {
        &[$(
            $crate::store::sql::Migration {
                version: $version,
                name: $name,
                sql: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/migrations/", $database, "/", $number, "_", $name, ".sql"
                )),
            },
        )+]
    };
}

pub(crate) use migrations;

/// A step that a database has got.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) name: String,
    pub(crate) checksum: String,
}

/// Why the tables are not as they must be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
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
}

/// Those steps that a database with these has not got. Unless it is allowed there must be none.
pub(crate) fn pending(
    migrations: &[Migration],
    applied: Vec<Applied>,
    is_allowed: bool,
) -> Result<&[Migration], SchemaError> {
    let known = migrations.last().map_or(0, |last| last.version);
    if let Some(newer) = applied.last().filter(|newer| newer.version > known) {
        return Err(SchemaError::Newer {
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
            _ => return Err(SchemaError::Changed { version, name }),
        }
    }
    match steps.first() {
        Some(first) if !is_allowed => Err(SchemaError::Old {
            found: first.version - 1,
            needed: known,
        }),
        _ => Ok(steps),
    }
}

/// The FNV-1a hash of a migration's text: it is to notice an edit, not an attack.
pub(crate) fn checksum_of(sql: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in sql.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}
