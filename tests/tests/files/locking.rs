//! Other names of a database that is open in a server.

use crate::{client, server, startup_error};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

#[tokio::test]
async fn second_process_is_rejected_under_every_name() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("below")).unwrap();
    symlink(".", at("parent")).unwrap();
    symlink("worker.db", at("link.db")).unwrap();
    // The first process opens the database through a dangling link.
    let mut first = server(&at("link.db"));
    let address = first.address();
    let mut ada = client(address).await;
    let thread_id = ada.start_thread("number 0").await;
    let mut names: Vec<PathBuf> = ["worker.db", "link.db", "parent/worker.db"].map(at).into();
    names.push(at("below/../worker.db"));
    names.push(at("./below/.././parent/./link.db"));
    // The same path, relative to another directory.
    let here = std::env::current_dir().unwrap();
    let up = here.components().skip(1).map(|_| "..");
    let relative: PathBuf = up.collect();
    let absolute = at("worker.db").canonicalize().unwrap();
    let relative = here
        .join(relative)
        .join(absolute.strip_prefix("/").unwrap());
    names.push(relative);
    for name in names {
        let text = startup_error(&name);
        assert!(
            text.contains("it is open already, in another process")
                && text.contains("stop the program that has it, or set WORKER_DATABASE_NAME"),
            "{name:?}: {text}"
        );
    }
    fs::hard_link(at("worker.db"), at("hard.db")).unwrap();
    for name in ["hard.db", "worker.db"] {
        let text = startup_error(&at(name));
        assert!(text.contains("it has 2 names (hard links)"), "{text}");
    }
    fs::remove_file(at("hard.db")).unwrap();
    ada.run_turn(&thread_id, "number 0").await;
    ada.disconnect().await;
    first.terminate();
    assert_eq!(first.wait().0, Some(0));
}

/// Another name has another lock file, so only the lock on the database file itself is effective.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn moved_open_file_is_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut first = server(&at("worker.db"));
    first.address();
    fs::rename(at("worker.db"), at("moved.db")).unwrap();
    let text = startup_error(&at("moved.db"));
    assert!(text.contains("it is open already"), "{text}");
    first.terminate();
    assert_eq!(first.wait().0, Some(0));
    let mut second = server(&at("moved.db"));
    second.address();
}

/// A second mount of the directory. Only root can mount it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn open_file_is_rejected_through_a_second_mount() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (directory.path().join("one"), directory.path().join("other"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&other).unwrap();
    let mount = Command::new("mount")
        .arg("--bind")
        .args([&one, &other])
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        eprintln!("skipped: this user cannot mount");
        return;
    }
    let mut first = server(&one.join("worker.db"));
    first.address();
    fs::remove_file(one.join("worker.db-lock")).unwrap();
    let text = startup_error(&other.join("worker.db"));
    let unmounted = Command::new("umount").arg(&other).status().unwrap();
    assert!(unmounted.success());
    assert!(text.contains("it is open already"), "{text}");
}

#[tokio::test]
async fn killed_process_releases_its_lock() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("worker.db");
    let mut first = server(&database);
    let mut ada = client(first.address()).await;
    let thread_id = ada.start_thread("number 0").await;
    first.signal("KILL");
    drop(first);
    let mut second = server(&database);
    let mut ada = client(second.address()).await;
    ada.run_turn(&thread_id, "number 0").await;
}
