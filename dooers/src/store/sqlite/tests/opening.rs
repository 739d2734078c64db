//! Tests of files that cannot be opened. An error must not change the file.

use super::*;
use crate::protocol::new_id;
use crate::store::sql::Migration;
use crate::store::sqlite::migrate::MIGRATIONS;
use crate::store::sqlite::open::{Opened, open_with};
use crate::store::sqlite::statements::Statements;
use crate::store::{NodeStore, RunQuery, StoreError, TablePrefix};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn open_as(options: &SqliteOptions, migrations: &[Migration]) -> Result<Opened, StoreError> {
    let sql = Arc::new(Statements::new(&options.table_prefix));
    open_with(options, sql, migrations)
}

/// Returns the text of the refusal, without the path.
#[track_caller]
fn refusal(options: &SqliteOptions, migrations: &[Migration]) -> String {
    let before = std::fs::read(&options.path).ok();
    let error = match open_as(options, migrations) {
        Ok(_) => panic!("it was opened"),
        Err(StoreError::Open(text)) => text,
        Err(error) => panic!("{error:?}"),
    };
    assert!(
        std::fs::read(&options.path).ok() == before,
        "it was changed: {error}"
    );
    let path = options.path.display().to_string();
    assert!(error.contains(&path), "{error}");
    error.replace(&path, "PATH")
}

/// Creates a directory, and options for a file in it.
fn place() -> (TempDir, SqliteOptions) {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().canonicalize().unwrap().join("x.db"));
    (directory, options)
}

/// Creates a database that contains a thread.
async fn used() -> (TempDir, SqliteOptions) {
    let (directory, options) = place();
    let store = SqliteStore::open(options.clone()).await.unwrap();
    for n in 0..50 {
        begun(&store, &format!("t{n}")).await;
    }
    store.close().await;
    (directory, options)
}

/// The version of the newest migration.
const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

const ANOTHER: Migration = Migration {
    version: NEWEST + 1,
    name: "more",
    sql: "CREATE TABLE {prefix}more (x INTEGER)",
    is_breaking: false,
};

#[tokio::test]
async fn a_second_store_is_refused_while_the_first_is_open() {
    let test = TestStore::open().await;
    let error = SqliteStore::open(test.options.clone()).await.unwrap_err();
    let StoreError::Open(text) = &error else {
        panic!("{error:?}");
    };
    assert!(
        text.contains("it is open already") && text.contains("stop the program that has it"),
        "{text}"
    );
    // Another name or another prefix still means the same file.
    let other = test.options.clone().table_prefix("other_".parse().unwrap());
    let error = SqliteStore::open(other).await;
    assert!(matches!(error, Err(StoreError::Open(_))));
    #[cfg(unix)]
    {
        let link = test.directory.path().join("link.db");
        std::os::unix::fs::symlink(&test.options.path, &link).unwrap();
        let error = SqliteStore::open(SqliteOptions::new(&link)).await;
        assert!(matches!(error, Err(StoreError::Open(_))));
    }
    begun(&test.store, "t").await;
    test.reopen().await;
}

#[tokio::test]
async fn close_waits_until_the_store_is_closed() {
    let (_directory, options) = place();
    for _ in 0..20 {
        let store = Arc::new(SqliteStore::open(options.clone()).await.unwrap());
        begun(&store, &new_id()).await;
        let closing = Arc::clone(&store);
        let first = tokio::spawn(async move { closing.close().await });
        tokio::task::yield_now().await;
        store.close().await;
        let again = SqliteStore::open(options.clone()).await.unwrap();
        again.close().await;
        first.await.unwrap();
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let (_directory, options) = used().await;
    let newer: Vec<Migration> = MIGRATIONS.iter().copied().chain([ANOTHER]).collect();
    drop(open_as(&options, &newer).unwrap());
    assert_eq!(
        refusal(&options, MIGRATIONS),
        format!(
            "cannot open the database `PATH`: a newer version of this program created it (its schema is version \
             {}, this program knows {NEWEST}); update the program",
            NEWEST + 1
        )
    );
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let (_directory, options) = used().await;
    let mut changed = MIGRATIONS.to_vec();
    changed[0].sql = "CREATE TABLE {prefix}other (x INTEGER)";
    let text = refusal(&options, &changed);
    assert!(
        text.contains("its migration 1 (`init`) differs from the one of this program"),
        "{text}"
    );
}

#[tokio::test]
async fn old_database_is_migrated_only_if_allowed() {
    let (_directory, options) = used().await;
    let newer: Vec<Migration> = MIGRATIONS.iter().copied().chain([ANOTHER]).collect();
    let careful = options.clone().auto_migrate(false);
    assert_eq!(
        refusal(&careful, &newer),
        format!(
            "cannot open the database `PATH`: its schema is version {NEWEST} and this program needs {}; allow \
             `auto_migrate` (WORKER_DATABASE_AUTO_MIGRATE=true) once",
            NEWEST + 1
        )
    );
    drop(open_as(&careful, MIGRATIONS).unwrap());
    drop(open_as(&options, &newer).unwrap());
    drop(open_as(&careful, &newer).unwrap());
}

/// The database is that of a program that knew only the first migration.
#[test]
fn database_of_the_previous_version_is_migrated() {
    let (_directory, options) = place();
    drop(open_as(&options, &MIGRATIONS[..1]).unwrap());
    let before = Connection::open(&options.path).unwrap();
    before
        .execute_batch("INSERT INTO worker_workspaces VALUES (1, 'w', 'o', 's')")
        .unwrap();
    drop(before);
    drop(open_as(&options, MIGRATIONS).unwrap());
    let after = Connection::open(&options.path).unwrap();
    let rows =
        "SELECT (SELECT count(*) FROM worker_workspaces), (SELECT count(*) FROM worker_settings)";
    let counts = after.query_row(rows, [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(counts.unwrap(), (1, 0));
}

/// The database is that of a program that did not list runs yet.
#[tokio::test]
async fn the_runs_of_an_older_database_are_kept() {
    let (_directory, options) = place();
    drop(open_as(&options, &MIGRATIONS[..3]).unwrap());
    let before = Connection::open(&options.path).unwrap();
    before
        .execute_batch(
            "INSERT INTO worker_workspaces VALUES (1, 'w', 'o', 's');
            INSERT INTO worker_scopes VALUES (7, 1, 'echo', 1);
            INSERT INTO worker_threads
                VALUES (1, 't', 7, '{\"user_id\": \"ann\"}', '[]', NULL, NULL, 1, 1, 1, 3, 1, 1);
            INSERT INTO worker_events (id, thread_pk, seq, first_rev, rev, kind, actor, created_at)
                VALUES ('e', 1, 1, 2, 2, 'message', 'user', 1);
            INSERT INTO worker_runs VALUES (3, 'r', 1, 'e', 3, 5, 'echo', 'failed', 10, 20, 'it broke')",
        )
        .unwrap();
    drop(before);
    let store = SqliteStore::open(options.clone()).await.unwrap();
    let found = store.find_runs(&scope(), &RunQuery::newest(9)).await;
    let run = store.run(&scope(), "t", "r").await.unwrap();
    assert_eq!(found.unwrap(), std::slice::from_ref(&run));
    assert_eq!(run.event_id.as_deref(), Some("e"));
    assert_eq!(run.error.as_deref(), Some("it broke"));
    assert_eq!(run.ended_at.unwrap().timestamp_micros(), 20);
    let event = store.event(&scope(), "t", "e").await.unwrap();
    assert!(!event.is_deleted());
    store.close().await;
}

/// The database is that of a program that never removed the ids of deleted threads.
#[tokio::test]
async fn ids_of_earlier_deletions_are_forgotten_later() {
    let (_directory, options) = place();
    drop(open_as(&options, &MIGRATIONS[..6]).unwrap());
    let before = Connection::open(&options.path).unwrap();
    before
        .execute_batch(
            "INSERT INTO worker_workspaces VALUES (1, 'w', 'o', 's');
            INSERT INTO worker_scopes VALUES (7, 1, 'echo', 1);
            INSERT INTO worker_threads
                VALUES (1, 't', 7, '{\"user_id\": \"ann\"}', '[]', NULL, NULL, 1, 1, 1, 3, 1, 1);
            INSERT INTO worker_sent VALUES (1, 'user:ann', 'c1', 't', 'e1');
            INSERT INTO worker_sent VALUES (1, 'user:ann', 'c2', 'deleted', 'e2');",
        )
        .unwrap();
    drop(before);
    let store = SqliteStore::open(options.clone()).await.unwrap();
    let now = crate::protocol::timestamp::now();
    let hour = chrono::TimeDelta::hours(1);
    assert_eq!(store.forget_sent(now - hour, 9).await.unwrap(), 0);
    assert_eq!(store.forget_sent(now + hour, 9).await.unwrap(), 1);
    store.close().await;
    let after = Connection::open(&options.path).unwrap();
    let left: String = after
        .query_row("SELECT client_event_id FROM worker_sent", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(left, "c1");
}

#[test]
fn without_migrations_no_file_is_made() {
    let (_directory, options) = place();
    let careful = options.clone().auto_migrate(false);
    let text = refusal(&careful, MIGRATIONS);
    assert!(
        text.contains("there is no such file; allow `auto_migrate`"),
        "{text}"
    );
    assert!(!options.path.exists());
    std::fs::write(&options.path, "").unwrap();
    let text = refusal(&careful, MIGRATIONS);
    assert!(
        text.contains(&format!(
            "its schema is version 0 and this program needs {NEWEST}"
        )),
        "{text}"
    );
}

#[test]
fn a_migration_that_fails_leaves_nothing() {
    let (_directory, options) = place();
    let broken = [
        MIGRATIONS[0],
        MIGRATIONS[1],
        Migration {
            sql: "CREATE TABEL x",
            ..ANOTHER
        },
    ];
    std::fs::write(&options.path, "").unwrap();
    let text = refusal(&options, &broken);
    assert!(text.contains("syntax error"), "{text}");
    drop(open_as(&options, MIGRATIONS).unwrap());
}

#[test]
fn another_programs_database_is_refused() {
    let (_directory, options) = place();
    let theirs = Connection::open(&options.path).unwrap();
    theirs
        .execute_batch("CREATE TABLE worker_threads (x)")
        .unwrap();
    assert_eq!(
        refusal(&options, MIGRATIONS),
        "cannot open the database `PATH`: it is the database of another program (it has tables, but \
         `worker_schema_migrations` is not among them); name another file"
    );
    theirs
        .execute_batch("DROP TABLE worker_threads; PRAGMA application_id = 7")
        .unwrap();
    drop(theirs);
    assert!(refusal(&options, MIGRATIONS).contains("another program"));
}

#[tokio::test]
async fn several_prefixes_share_a_database() {
    let (_directory, options) = used().await;
    let prefix: TablePrefix = "other_".parse().unwrap();
    let other = SqliteStore::open(options.clone().table_prefix(prefix))
        .await
        .unwrap();
    assert_eq!(
        other
            .threads(&scope(), None, 1.into())
            .await
            .unwrap()
            .total_count,
        0
    );
    begun(&other, "t0").await;
    other.close().await;
    let store = SqliteStore::open(options).await.unwrap();
    assert_eq!(
        store
            .threads(&scope(), None, 1.into())
            .await
            .unwrap()
            .total_count,
        50
    );
}

#[test]
fn file_that_is_not_a_database_is_refused() {
    let (directory, options) = place();
    for length in [1, 15, 16, 99, 100, 511, 512, 1023, 1024, 4095, 4096] {
        std::fs::write(&options.path, "x".repeat(length)).unwrap();
        let text = refusal(&options, MIGRATIONS);
        assert!(
            text.contains("is not a SQLite database"),
            "{length}: {text}"
        );
    }
    std::fs::write(&options.path, "This is a text.\n".repeat(1000)).unwrap();
    assert_eq!(
        refusal(&options, MIGRATIONS),
        "cannot open the database `PATH`: it is not a SQLite database; name another file"
    );
    for (path, problem) in [
        (PathBuf::new(), "needs the name of a file"),
        (PathBuf::from(":memory:"), "`MemoryStore`"),
        (directory.path().to_owned(), "is a directory"),
        (directory.path().join("none/x.db"), "its directory"),
        (options.path.join("x.db"), "Not a directory"),
    ] {
        let error = open_as(&SqliteOptions::new(&path), MIGRATIONS).unwrap_err();
        assert!(error.to_string().contains(problem), "{path:?}: {error}");
        assert!(matches!(error, StoreError::Open(_)));
    }
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    let (_directory, options) = used().await;
    let whole = std::fs::read(&options.path).unwrap();
    let damage = |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).unwrap();

    damage(&options.path, &whole[..whole.len() / 2]);
    assert!(refusal(&options, MIGRATIONS).contains("it is damaged"));
    for from in [100, 4096, whole.len() / 2 / 4096 * 4096] {
        let mut broken = whole.clone();
        broken[from..from + 2000].fill(0x5a);
        damage(&options.path, &broken);
        let text = refusal(&options, MIGRATIONS);
        assert!(
            text.contains("it is damaged") && text.contains("restore a backup"),
            "{text}"
        );
        assert!(!text.contains('\n'), "{text}");
    }
    damage(&options.path, &whole);
    drop(open_as(&options, MIGRATIONS).unwrap());
}

#[test]
fn a_file_that_another_program_locks_is_refused() {
    let (_directory, options) = place();
    let other = Connection::open(&options.path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let options = options.busy_timeout(Duration::from_millis(20));
    assert!(refusal(&options, MIGRATIONS).contains("another program keeps it locked"));
}

/// Runs one test of this binary as an unprivileged user if this process is root, because permissions do not apply to
/// root. Returns `true` if this process should run the test itself.
#[cfg(unix)]
fn is_ordinary_user(test: &str) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
        return true;
    }
    // A directory that all users can reach.
    let reachable = tempfile::tempdir().unwrap();
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(reachable.path(), everybody).unwrap();
    let program = reachable.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let done = std::process::Command::new(program)
        .args([
            "--exact",
            &format!("{}::{test}", module_path!().split_once("::").unwrap().1),
        ])
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && text.contains("1 passed"), "{text}");
    false
}

#[cfg(unix)]
#[tokio::test]
async fn a_read_only_file_or_directory_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    if !is_ordinary_user("a_read_only_file_or_directory_is_refused") {
        return;
    }
    let may = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (directory, options) = used().await;
    may(&options.path, 0o444);
    assert_eq!(
        refusal(&options, MIGRATIONS),
        "cannot open the database `PATH`: it or its directory is read-only for this process; allow \
         this process to write in both"
    );
    may(&options.path, 0o644);
    may(directory.path(), 0o555);
    std::fs::remove_file(options.path.with_extension("db-lock")).unwrap_err();
    // The lock file exists and can be written, but the log cannot be created.
    let text = refusal(&options, MIGRATIONS);
    assert!(text.contains("directory"), "{text}");
    let new = SqliteOptions::new(options.path.with_file_name("new.db"));
    let text = refusal(&new, MIGRATIONS);
    assert!(
        text.contains("give this process a directory that it can write in"),
        "{text}"
    );
    may(directory.path(), 0o755);
    drop(open_as(&options, MIGRATIONS).unwrap());
}

#[tokio::test]
async fn earlier_process_of_the_file_is_listed_as_dead() {
    let (_directory, options) = place();
    let store = SqliteStore::open(options.clone()).await.unwrap();
    let lease = Duration::from_secs(3600);
    store.report_node(&report("n"), lease).await.unwrap();
    assert!(store.nodes().await.unwrap()[0].is_alive);
    store.close().await;
    let store = SqliteStore::open(options).await.unwrap();
    assert!(!store.nodes().await.unwrap()[0].is_alive);
    store.close().await;
}
