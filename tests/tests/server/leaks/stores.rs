//! The searches in memory and on SQLite.

use super::exceptions;
use super::plan::OF_SPY;
use super::start::refused;
use super::trial::Trial;
use dooers_tests::leaks::{Channel, Evidence, Secrets};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::path::Path;

#[tokio::test]
async fn secrets_stay_inside_with_the_store_in_memory() {
    let memory = ("WORKER_DATABASE_TYPE", "memory");
    let mut trial = Trial::start(Secrets::default(), OF_SPY, &[memory]).await;
    trial.readiness = 503;
    trial.request_everything().await;
    trial.talk().await;
    trial.hang().await;
    trial.stop();
    let mut permitted = exceptions::of_every_store();
    permitted.extend(exceptions::of_memory());
    trial.check(&permitted);
}

#[tokio::test]
async fn secrets_stay_inside_with_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.db");
    let file = ("WORKER_DATABASE_NAME", path.to_str().unwrap());
    let mut trial = Trial::start(Secrets::default(), &[], &[file]).await;
    trial.request_everything().await;
    trial.talk().await;
    let admin = Connection::open(&path).unwrap();
    admin
        .execute_batch("ALTER TABLE worker_feedback RENAME TO away")
        .unwrap();
    trial.fail_feedback().await;
    admin
        .execute_batch("ALTER TABLE away RENAME TO worker_feedback")
        .unwrap();
    trial.hang().await;
    add_files(&mut trial.evidence, directory.path());
    trial.stop();
    let mut permitted = exceptions::of_every_store();
    permitted.extend(exceptions::of_databases());
    add_rows(&mut trial.evidence, &admin);
    drop(admin);
    add_files(&mut trial.evidence, directory.path());
    trial.check(&permitted);
}

/// Adds the bytes of the database, its log and everything beside it.
fn add_files(evidence: &mut Evidence, directory: &Path) {
    for file in std::fs::read_dir(directory).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        evidence.add(Channel::Rows, bytes);
    }
}

/// Adds the rows of all tables. In the file, a value may be split between pages.
fn add_rows(evidence: &mut Evidence, admin: &Connection) {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut tables = admin.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for table in tables {
        let table = table.unwrap();
        let mut rows = admin
            .prepare(&format!("SELECT * FROM \"{table}\""))
            .unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let mut text = table.clone().into_bytes();
            for column in 0..columns {
                text.push(b'|');
                match row.get_ref(column).unwrap() {
                    ValueRef::Text(value) | ValueRef::Blob(value) => text.extend(value),
                    other => text.extend(format!("{other:?}").into_bytes()),
                }
            }
            evidence.add(Channel::Rows, text);
        }
    }
}

#[test]
fn refused_start_does_not_show_its_secrets() {
    let mut secrets = Secrets::default();
    let secret = secrets.token("variable");
    let long = secret.repeat(2);
    let url = format!("https://ada:{secret}@hooks.example.com/x?token={secret}");
    let database = format!("postgres://ada:{secret}@127.0.0.1:port/x");
    let unknown = format!("postgres://ada:{secret}@127.0.0.1/x?password={secret}&unknown={secret}");
    let memory = ("WORKER_DATABASE_TYPE", "memory");
    let sign = ("WORKER_ANALYTICS_WEBHOOK_SECRET", &*secret);
    for variables in [
        &[memory, ("WORKER_SECRET_KEY", &secret)][..],
        &[memory, ("WORKER_ANALYTICS_WEBHOOK_URL", &url), sign],
        &[memory, ("WORKER_ANALYTICS_WEBHOOK_URL", &secret), sign],
        &[memory, ("LEAKS_DEFAULT", &long)],
        &[("DATABASE_URL", &database)],
        &[("DATABASE_URL", &unknown)],
        &[("DATABASE_URL", &secret)],
    ] {
        refused(&secrets, variables);
    }
}
