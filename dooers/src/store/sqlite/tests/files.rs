//! Tests of names, kinds and modes of files, and of files that disappear while a store is open.
#![cfg(unix)]

use super::*;
use crate::store::{SnapshotFrom, StoreError};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

async fn refusal(path: impl Into<PathBuf>) -> String {
    match SqliteStore::open(SqliteOptions::new(path)).await {
        Err(StoreError::Open(text)) => text,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

/// Begins threads until one is stored, or until one is refused. The writer notices changes of files by itself.
async fn begun_until(store: &SqliteStore, is_stored: bool) {
    for number in 0.. {
        let id = format!("{is_stored}-{number}");
        let new = first_message(&id, &format!("{id}-e"));
        match store.begin_turn(&scope(), new, &start(&id)).await {
            Ok(_) if is_stored => return,
            Err(StoreError::Unavailable { what, .. }) if !is_stored => {
                assert_eq!(what, "store a message");
                return;
            }
            Ok(_) | Err(StoreError::Unavailable { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[tokio::test]
async fn a_second_name_of_an_open_file_is_refused() {
    let test = TestStore::open().await;
    let directory = test.directory.path();
    let path = directory.join("worker.db");
    fs::create_dir(directory.join("below")).unwrap();
    symlink(directory, directory.join("parent")).unwrap();
    symlink("worker.db", directory.join("link.db")).unwrap();
    for name in [
        path.clone(),
        directory.join("below/../worker.db"),
        directory.join("parent/worker.db"),
        directory.join("link.db"),
    ] {
        let text = refusal(&name).await;
        assert!(text.contains("it is open already"), "{name:?}: {text}");
    }
    fs::hard_link(&path, directory.join("hard.db")).unwrap();
    let text = refusal(directory.join("hard.db")).await;
    assert!(text.contains("it has 2 names (hard links)"), "{text}");
    fs::remove_file(directory.join("hard.db")).unwrap();
    // Under this name it has no lock file.
    fs::rename(&path, directory.join("moved.db")).unwrap();
    let text = refusal(directory.join("moved.db")).await;
    if cfg!(target_os = "linux") {
        assert!(text.contains("it is open already"), "{text}");
    }
    fs::rename(directory.join("moved.db"), &path).unwrap();
    begun_until(&test.store, true).await;
}

#[tokio::test]
async fn a_hard_link_is_refused_while_nobody_has_the_file() {
    let test = TestStore::open().await;
    test.store.close().await;
    let other = test.directory.path().join("hard.db");
    fs::hard_link(&test.options.path, &other).unwrap();
    for path in [&test.options.path, &other] {
        let text = refusal(path).await;
        assert!(
            text.contains("remove the other names, or copy the file"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_dangling_link_makes_the_file_it_names() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("link.db");
    symlink("there.db", &link).unwrap();
    let store = SqliteStore::open(SqliteOptions::new(&link)).await.unwrap();
    let text = refusal(directory.path().join("there.db")).await;
    assert!(text.contains("it is open already"), "{text}");
    begun(&store, "t").await;
    store.close().await;
    let there = SqliteOptions::new(directory.path().join("there.db"));
    let store = SqliteStore::open(there).await.unwrap();
    store.thread(&scope(), "t").await.unwrap();
    store.close().await;
    let nowhere = directory.path().join("nowhere.db");
    symlink("none/there.db", &nowhere).unwrap();
    let text = refusal(nowhere).await;
    assert!(text.contains("the target of its link"), "{text}");
    let circle = directory.path().join("circle.db");
    symlink("circle.db", &circle).unwrap();
    refusal(circle).await;
}

#[tokio::test]
async fn path_that_is_not_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let made = std::process::Command::new("mkfifo")
        .arg(at("fifo"))
        .status();
    assert!(made.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    symlink("/dev/null", at("null")).unwrap();
    for (path, kind) in [
        (at("fifo"), "it is a named pipe (FIFO)"),
        (at("socket"), "it is a socket"),
        (PathBuf::from("/dev/null"), "it is a device"),
        (PathBuf::from("/dev/zero"), "it is a device"),
        (at("null"), "it is a device"),
        (directory.path().to_owned(), "it is a directory"),
    ] {
        let text = refusal(&path).await;
        assert!(text.contains(&format!("{kind}; name a file")), "{text}");
    }
    for (ending, problem) in [
        ("-wal", "beside it is a named pipe (FIFO); remove that"),
        ("-shm", "beside it is a named pipe (FIFO); remove that"),
        ("-lock", "it is a named pipe (FIFO)"),
    ] {
        let side = at(&format!("x.db{ending}"));
        fs::rename(at("fifo"), &side).unwrap();
        let text = refusal(at("x.db")).await;
        assert!(text.contains(problem), "{text}");
        fs::rename(side, at("fifo")).unwrap();
    }
    SqliteStore::open(SqliteOptions::new(at("x.db")))
        .await
        .unwrap();
}

#[tokio::test]
async fn new_files_can_be_read_by_their_owner_only() {
    let test = TestStore::open().await;
    begun(&test.store, "t").await;
    for ending in ["", "-wal", "-shm", "-lock"] {
        let path = test.directory.path().join(format!("worker.db{ending}"));
        assert_eq!(mode(&path), 0o600, "{ending}");
    }
}

#[tokio::test]
async fn the_mode_of_an_existing_file_stays() {
    let test = TestStore::open().await;
    test.store.close().await;
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let lock = test.directory.path().join("worker.db-lock");
    set(&test.options.path, 0o640);
    set(&lock, 0o664);
    let test = test.reopen().await;
    begun(&test.store, "t").await;
    assert_eq!(mode(&test.options.path), 0o640);
    assert_eq!(mode(&lock), 0o664);
    // SQLite's own files get the mode of the database.
    let log = test.directory.path().join("worker.db-wal");
    assert_eq!(mode(&log), 0o640);
}

#[tokio::test]
async fn store_without_its_file_writes_nothing() {
    let test = TestStore::open().await;
    let directory = test.directory.path();
    let away = directory.join("away");
    fs::create_dir(&away).unwrap();
    for name in ["worker.db", "worker.db-wal", "worker.db-shm"] {
        let (here, there) = (directory.join(name), away.join(name));
        test.store.ping().await.unwrap();
        fs::rename(&here, &there).unwrap();
        begun_until(&test.store, false).await;
        let unready = test.store.ping().await;
        assert!(matches!(unready, Err(StoreError::Unavailable { .. })));
        // Another file in its place is not used.
        fs::write(&here, "").unwrap();
        begun_until(&test.store, false).await;
        assert_eq!(fs::metadata(&here).unwrap().len(), 0);
        fs::rename(&there, &here).unwrap();
        begun_until(&test.store, true).await;
        test.store.ping().await.unwrap();
    }
    test.reopen().await;
}

#[tokio::test]
async fn a_gone_file_is_noticed_while_nothing_is_written() {
    let test = TestStore::open().await;
    fs::remove_dir_all(test.directory.path()).unwrap();
    let gone = async {
        while test.store.ping().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let noticed = tokio::time::timeout(Duration::from_secs(20), gone).await;
    noticed.expect("the store should notice the missing file");
    test.store.close().await;
    assert!(!test.directory.path().exists());
}

#[tokio::test]
async fn a_moved_file_has_all_that_was_stored() {
    let test = TestStore::open().await;
    begun(&test.store, "t").await;
    let moved = test.directory.path().join("moved.db");
    fs::rename(&test.options.path, &moved).unwrap();
    begun_until(&test.store, false).await;
    // Another database under the same name, with its own log.
    fs::remove_file(test.directory.path().join("worker.db-wal")).unwrap();
    fs::remove_file(test.directory.path().join("worker.db-shm")).unwrap();
    let other = rusqlite::Connection::open(&test.options.path).unwrap();
    other
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE x (y); INSERT INTO x VALUES (1)")
        .unwrap();
    test.store.close().await;
    let rows = other.query_row("SELECT y FROM x", [], |row| row.get::<_, i64>(0));
    assert_eq!(rows.unwrap(), 1);
    assert!(test.directory.path().join("worker.db-wal").exists());
    let store = SqliteStore::open(SqliteOptions::new(moved)).await.unwrap();
    let from = SnapshotFrom::Newest;
    let snapshot = store
        .snapshot(&scope(), "t", &from, usize::MAX)
        .await
        .unwrap();
    assert_eq!(snapshot.events[0].id, "t-first");
}

#[tokio::test]
async fn locks_of_sqlite_outlive_a_refused_store() {
    let test = TestStore::open().await;
    begun(&test.store, "t").await;
    // This process would lose SQLite's locks if it closed the file.
    refusal(&test.options.path).await;
    // If another process closed the database last, it would remove the log.
    let path = test.options.path.display().to_string();
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM sqlite_schema'); c.close()";
    let done = std::process::Command::new("python3")
        .args(["-c", script, &path])
        .status();
    if !done.is_ok_and(|done| done.success()) {
        eprintln!("skipped: there is no python3 with SQLite");
        return;
    }
    begun_until(&test.store, true).await;
    assert!(test.directory.path().join("worker.db-wal").exists());
}
