//! Where the server keeps its conversations.

use crate::stored::Run;
use dooers_tests::postgres::{Cluster, Setup, own, session};
use rusqlite::Connection;
use std::path::PathBuf;
use tempfile::TempDir;

const TURNS: &str = "SELECT count(*) FROM worker_turns";
const RUNNING: &str = "SELECT count(*) FROM worker_runs WHERE status = 'running'";
const RUNS: &str = "SELECT event_id, id, status, error, started_at FROM worker_runs";

/// Where the server keeps its conversations.
#[derive(Debug)]
pub(crate) enum Place {
    /// A file in a directory of its own.
    Sqlite(TempDir),
    /// A whole server: its log goes through the crashes, too.
    Postgres(Box<Cluster>),
}

pub(crate) fn sqlite() -> Option<Place> {
    Some(Place::Sqlite(tempfile::tempdir().unwrap()))
}

/// None where there is no PostgreSQL; a line says so then.
pub(crate) fn on_postgres() -> Option<Place> {
    Some(Place::Postgres(Box::new(own(Setup::default())?)))
}

impl Place {
    /// What tells the server of it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Sqlite(directory) => {
                let file = file(directory).to_str().unwrap().to_owned();
                vec![("WORKER_DATABASE_NAME", file)]
            }
            Self::Postgres(cluster) => vec![
                ("DATABASE_URL", cluster.url()),
                // Another process might have these turns, so their leases must run out first.
                ("WORKER_LEASE", "2".to_owned()),
            ],
        }
    }

    /// The runs as the database has them, each with the message that it answers. No turn is left beside them, and none goes
    /// on.
    pub(crate) async fn runs(&self) -> Vec<(String, Run)> {
        let (turns, running, runs) = match self {
            Self::Sqlite(directory) => in_file(&Connection::open(file(directory)).unwrap()),
            Self::Postgres(cluster) => in_cluster(cluster).await,
        };
        assert_eq!(turns, 0, "turns");
        assert_eq!(running, 0, "runs that go on");
        runs
    }
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("worker.db")
}

type Rows = (i64, i64, Vec<(String, Run)>);

fn in_file(database: &Connection) -> Rows {
    let count = |sql: &str| database.query_row(sql, [], |row| row.get(0)).unwrap();
    let mut statement = database.prepare(RUNS).unwrap();
    let rows = statement.query_map([], |row| {
        let run = Run {
            id: row.get(1)?,
            status: row.get(2)?,
            error: row.get(3)?,
            started_at: row.get(4)?,
        };
        Ok((row.get(0)?, run))
    });
    let runs = rows.unwrap().map(Result::unwrap).collect();
    (count(TURNS), count(RUNNING), runs)
}

async fn in_cluster(cluster: &Cluster) -> Rows {
    let mut database = session(&cluster.url()).await.unwrap();
    let turns = sqlx::query_scalar(TURNS).fetch_one(&mut database).await;
    let running = sqlx::query_scalar(RUNNING).fetch_one(&mut database).await;
    let rows = sqlx::query_as(RUNS).fetch_all(&mut database).await;
    let runs = rows.unwrap().into_iter().map(|row| {
        let (event_id, id, status, error, started_at): (_, _, _, _, chrono::DateTime<chrono::Utc>) =
            row;
        let run = Run {
            id,
            status,
            error,
            started_at: started_at.timestamp_micros(),
        };
        (event_id, run)
    });
    (turns.unwrap(), running.unwrap(), runs.collect())
}
