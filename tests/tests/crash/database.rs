//! The database of the server.

use crate::until;
use dooers_tests::postgres::{connect, fresh_prefix, url};
use serde_json::Value;
use sqlx::Row;
use std::collections::BTreeMap;
use tempfile::TempDir;

/// A run as stored in the database.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) event_id: String,
    pub(crate) status: String,
    pub(crate) error: Option<String>,
    pub(crate) started_at: i64,
    /// The calls of the run in the ledger of usage.
    pub(crate) calls: i64,
    /// The usage that the run shows, as JSON.
    pub(crate) usage: Option<String>,
}

/// The columns of all runs, with the calls of each in the ledger.
fn runs_of(prefix: &str, started_at: &str) -> String {
    format!(
        "SELECT r.id, r.event_id, r.status, r.error, {started_at}, coalesce(u.calls, 0), r.usage FROM {prefix}runs r
        LEFT JOIN (SELECT run_id, count(*) AS calls FROM {prefix}usage GROUP BY run_id) u ON u.run_id = r.id"
    )
}

/// The owners whose totals differ from the sum of the ledger. Each row counts for one organization, user and worker.
fn wrong_totals(prefix: &str) -> String {
    format!(
        "WITH ledger AS (
            SELECT sum(input_tokens + output_tokens) AS tokens, sum(cost_units) * 1000000000000 + sum(cost_picos) AS picos
            FROM {prefix}usage
        ), totals AS (
            SELECT sum(tokens) AS tokens, sum(cost_units) * 1000000000000 + sum(cost_picos) AS picos
            FROM {prefix}usage_totals GROUP BY owner_type
        )
        SELECT count(*) FROM totals, ledger
        WHERE totals.tokens <> ledger.tokens OR totals.picos <> ledger.picos"
    )
}

/// A database of one of the supported kinds.
#[derive(Debug)]
pub(crate) enum Database {
    /// A SQLite file in this directory.
    Sqlite(TempDir),
    /// The PostgreSQL database at a URL, in tables with this prefix.
    Postgres { url: String, prefix: String },
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// Returns `None`, and prints a line, if no database is configured.
    pub(crate) fn postgres() -> Option<Self> {
        let url = url()?;
        let prefix = fresh_prefix();
        Some(Self::Postgres { url, prefix })
    }

    /// The environment variables that configure the database.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Sqlite(directory) => {
                let file = directory.path().join("worker.db");
                vec![("WORKER_DATABASE_NAME", file.to_str().unwrap().to_owned())]
            }
            Self::Postgres { url, prefix } => vec![
                ("WORKER_DATABASE_TYPE", "postgres".to_owned()),
                ("DATABASE_URL", url.clone()),
                ("WORKER_DATABASE_TABLE_PREFIX", prefix.clone()),
                // Turns of a killed process are taken over when their leases expire.
                ("WORKER_LEASE", "3".to_owned()),
            ],
        }
    }

    /// Waits until no turn is left, or none of this message.
    #[expect(
        clippy::disallowed_methods,
        reason = "the text is made of literals and of a prefix that is made here"
    )]
    pub(crate) async fn wait_for_end_of_turns(&self, message: Option<&str>) {
        let Self::Postgres { url, prefix } = self else {
            panic!("the turns of a SQLite file cannot be read while a server runs");
        };
        let turns = format!("SELECT count(*) FROM {prefix}turns WHERE $1 IN (event_id, '')");
        let mut database = connect(url).await.unwrap();
        until("the turns to end", async || {
            let turns = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(turns.as_str()));
            let turns = turns.bind(message.unwrap_or_default());
            turns.fetch_one(&mut database).await.unwrap() == 0
        })
        .await;
    }

    /// The stored settings.
    #[expect(
        clippy::disallowed_methods,
        reason = "the text is made of literals and of a prefix that is made here"
    )]
    pub(crate) async fn settings(&self) -> BTreeMap<String, Value> {
        let Self::Postgres { url, prefix } = self else {
            panic!("the settings of a SQLite file are not compared");
        };
        let mut database = connect(url).await.unwrap();
        let settings = format!("SELECT field_id, value::text FROM {prefix}settings");
        let settings = sqlx::query_as::<_, (String, String)>(sqlx::AssertSqlSafe(settings));
        let settings = settings.fetch_all(&mut database).await.unwrap();
        let parsed = settings
            .into_iter()
            .map(|(field, value)| (field, serde_json::from_str(&value).unwrap()));
        parsed.collect()
    }

    /// Returns true if the text occurs anywhere in the database: in the bytes of a file or in a column.
    pub(crate) async fn has_text(&self, text: &str) -> bool {
        match self {
            Self::Sqlite(directory) => {
                let files = std::fs::read_dir(directory.path()).unwrap();
                let mut contents = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
                contents.any(|bytes| {
                    bytes
                        .windows(text.len())
                        .any(|window| window == text.as_bytes())
                })
            }
            Self::Postgres { url, prefix } => tables_contain(url, prefix, text).await,
        }
    }

    /// All runs. Fails if a turn is left or a run is still open.
    pub(crate) async fn runs(&self) -> Vec<Run> {
        match self {
            Self::Sqlite(directory) => runs_in_file(directory),
            Self::Postgres { url, prefix } => runs_in_tables(url, prefix).await,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the text is made of literals and of names that the database tells"
)]
async fn tables_contain(url: &str, prefix: &str, text: &str) -> bool {
    let mut database = connect(url).await.unwrap();
    let tables =
        "SELECT table_name::text FROM information_schema.tables WHERE starts_with(table_name, $1)";
    let tables = sqlx::query_scalar::<_, String>(tables).bind(prefix);
    let tables = tables.fetch_all(&mut database).await.unwrap();
    assert!(tables.len() > 8, "{tables:?}");
    for table in tables {
        let rows = format!("SELECT count(*) FROM {table} t WHERE strpos(t::text, $1) > 0");
        let rows = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(rows)).bind(text);
        if rows.fetch_one(&mut database).await.unwrap() > 0 {
            return true;
        }
    }
    false
}

fn runs_in_file(directory: &TempDir) -> Vec<Run> {
    let file = directory.path().join("worker.db");
    let database = rusqlite::Connection::open(file).unwrap();
    let count = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM worker_turns"), 0, "turns");
    let running = "SELECT count(*) FROM worker_runs WHERE status = 'running'";
    assert_eq!(count(running), 0, "runs that go on");
    assert_eq!(count(&wrong_totals("worker_")), 0, "totals of usage");
    let mut statement = database
        .prepare(&runs_of("worker_", "r.started_at"))
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Run {
            id: row.get(0)?,
            event_id: row.get(1)?,
            status: row.get(2)?,
            error: row.get(3)?,
            started_at: row.get(4)?,
            calls: row.get(5)?,
            usage: row.get(6)?,
        })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the text is made of literals and of a prefix that is made here"
)]
async fn runs_in_tables(url: &str, prefix: &str) -> Vec<Run> {
    let mut database = connect(url).await.unwrap();
    let turns = format!("SELECT count(*) FROM {prefix}turns");
    let turns = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(turns));
    assert_eq!(turns.fetch_one(&mut database).await.unwrap(), 0, "turns");
    let totals = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(wrong_totals(prefix)));
    let totals = totals.fetch_one(&mut database).await.unwrap();
    assert_eq!(totals, 0, "totals of usage");
    let started_at = "(extract(epoch FROM r.started_at) * 1000000)::bigint";
    let runs = runs_of(prefix, started_at);
    let rows = sqlx::query(sqlx::AssertSqlSafe(runs));
    let rows = rows.fetch_all(&mut database).await.unwrap();
    let run = |row: &sqlx::postgres::PgRow| Run {
        id: row.get(0),
        event_id: row.get(1),
        status: row.get(2),
        error: row.get(3),
        started_at: row.get(4),
        calls: row.get(5),
        usage: row.get(6),
    };
    let runs: Vec<_> = rows.iter().map(run).collect();
    let goes_on = |run: &Run| run.status == "running";
    assert!(!runs.iter().any(goes_on), "runs that go on");
    runs
}
