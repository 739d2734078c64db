//! A full disk: simulated by a limit on file sizes for ordinary users, and by a small file system for root.

use crate::{client, server, startup_error, variables, wait_ready};
use dooers_tests::{Client, Process};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The write-ahead log grows to 16 MiB before it is checkpointed, so it reaches this limit first.
const LIMIT: u64 = 1024 * 1024;

/// Sends messages to a thread until one is rejected. Returns the texts of the acknowledged ones.
async fn fill(ada: &mut Client, thread_id: &str) -> BTreeSet<String> {
    let mut stored = BTreeSet::new();
    for number in 0.. {
        // The agent answers such a number without a streaming text.
        let text = format!("{}{number} 0", "long ".repeat(2_000));
        let id = ada.send_message(Some(thread_id), &text).await;
        let ack = |frame: &Value| frame["payload"]["ack_id"] == *id;
        let mut frames = ada.read_until("an ack", ack).await;
        let payload = frames.pop().unwrap()["payload"].take();
        if payload["ok"] != true {
            let error = &payload["error"];
            assert_eq!(error["code"], "OVERLOADED", "{error}");
            assert!(error["retry_after_ms"].as_u64().unwrap() > 0);
            return stored;
        }
        stored.insert(text);
    }
    unreachable!("a disk has an end")
}

/// The texts of the user's messages in a thread.
async fn texts(ada: &mut Client, thread_id: &str) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    let mut before = Value::Null;
    loop {
        let payload = json!({"thread_id": thread_id, "before_event_id": before, "limit": 20});
        ada.send("event.list", payload).await;
        // Frames of running turns may arrive first.
        let is_page = |frame: &Value| frame["type"] == "event.list.result";
        let page = ada.read_until("a page", is_page).await.pop().unwrap()["payload"].take();
        let events = page["events"].as_array().unwrap().iter();
        let of_user = events.filter(|event| event["actor"] == "user");
        texts.extend(of_user.map(|event| event["content"][0]["text"].as_str().unwrap().to_owned()));
        before = page["cursor"].clone();
        if before.is_null() {
            return texts;
        }
    }
}

#[tokio::test]
async fn file_size_limit_acts_as_a_full_disk() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("worker.db");
    let variables = variables(&database);
    let mut limited = Process::start_with_file_size(LIMIT, "crash-server", &variables);
    let address = limited.address();
    let mut ada = client(address).await;
    let thread_id = ada.start_thread("number 0").await;
    let mut stored = fill(&mut ada, &thread_id).await;
    wait_ready(address, false).await;
    // Reads still work.
    assert!(texts(&mut ada, &thread_id).await.is_superset(&stored));
    let id = ada
        .send_message(Some(&thread_id), &"x".repeat(100_000))
        .await;
    ada.expect_error(&id).await;
    // Lifting the limit of the running process frees space.
    let lifted = Command::new("prlimit")
        .args(["--pid", &limited.id().to_string(), "--fsize=unlimited"])
        .status();
    if lifted.is_ok_and(|lifted| lifted.success()) {
        wait_ready(address, true).await;
        ada.run_turn(&thread_id, "number 1").await;
        stored.insert("number 1".to_owned());
    }
    limited.signal("KILL");
    drop((limited, ada));
    let mut after = server(&database);
    let mut ada = client(after.address()).await;
    assert!(texts(&mut ada, &thread_id).await.is_superset(&stored));
}

/// A mounted file system of limited size. Only root can mount it.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(at)
            .output();
        let is_mounted = mount.is_ok_and(|mount| mount.status.success());
        is_mounted.then_some(Self(at))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0).status();
        assert!(unmounted.is_ok_and(|unmounted| unmounted.success()));
    }
}

#[tokio::test]
async fn full_disk_is_overload_until_space_is_freed() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_disk) = Disk::mount(directory.path()) else {
        eprintln!("skipped: this user cannot mount");
        return;
    };
    let database = directory.path().join("worker.db");
    let ballast = directory.path().join("ballast");
    fs::write(&ballast, vec![0; 1_500_000]).unwrap();
    let mut program = server(&database);
    let address = program.address();
    let mut ada = client(address).await;
    let thread_id = ada.start_thread("number 0").await;
    let mut stored = fill(&mut ada, &thread_id).await;
    wait_ready(address, false).await;
    assert!(texts(&mut ada, &thread_id).await.is_superset(&stored));
    fs::remove_file(&ballast).unwrap();
    wait_ready(address, true).await;
    // The turns that could not be written were queued.
    let last = ada.send_message(Some(&thread_id), "number 3").await;
    ada.expect_ack(&last).await;
    ada.read_until("the answer to the last message", |frame| {
        frame["payload"]["events"][0]["content"][0]["text"] == "You said: number 3"
    })
    .await;
    stored.insert("number 3".to_owned());
    program.signal("KILL");
    drop((program, ada));
    let mut after = server(&database);
    let mut ada = client(after.address()).await;
    let texts = texts(&mut ada, &thread_id).await;
    assert!(texts.is_superset(&stored));
}

#[test]
fn start_on_a_full_disk_fails_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_disk) = Disk::mount(directory.path()) else {
        eprintln!("skipped: this user cannot mount");
        return;
    };
    fs::write(directory.path().join("ballast"), vec![0; 4 * 1024 * 1024]).ok();
    let text = startup_error(&directory.path().join("worker.db"));
    assert!(text.contains("the disk is full; make room"), "{text}");
}
