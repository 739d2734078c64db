//! File permissions, and files that are not databases.

use crate::{client, startup_error, variables};
use dooers_tests::Process;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;

#[tokio::test]
async fn files_are_private_under_any_umask() {
    for umask in ["000", "022", "277", "777"] {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("worker.db");
        let mut server = Process::start_with_umask(umask, "crash-server", &variables(&database));
        let mut ada = client(server.address()).await;
        ada.start_thread("number 0").await;
        for ending in ["", "-wal", "-shm", "-lock"] {
            let path = directory.path().join(format!("worker.db{ending}"));
            let mode = fs::metadata(&path).unwrap().mode() & 0o777;
            assert_eq!(mode, 0o600, "{path:?} with umask {umask}");
        }
    }
}

#[test]
fn start_on_a_non_database_fails_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let made = Command::new("mkfifo").arg(at("fifo")).status().unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    symlink("/dev/null", at("null")).unwrap();
    symlink("circle", at("circle")).unwrap();
    fs::write(at("text"), "Dear Ada,\n".repeat(1000)).unwrap();
    for (name, reason) in [
        ("fifo", "it is a named pipe (FIFO); name a file"),
        ("socket", "it is a socket; name a file"),
        ("null", "it is a device; name a file"),
        ("circle", "cannot open the database"),
        ("text", "it is not a SQLite database; name another file"),
        (".", "it is a directory; name a file"),
    ] {
        let text = startup_error(&at(name));
        assert!(text.contains(reason), "{name}: {text}");
    }
}
