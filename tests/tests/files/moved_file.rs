//! A database file that is moved or removed while a server has it open.

use crate::{client, server, variables, wait_ready};
use dooers_tests::{Client, Process, get, within};
use serde_json::json;
use std::fs;

/// Sends a message that must be rejected as overloaded, with a time to retry.
async fn expect_overloaded(client: &mut Client, thread_id: &str) {
    let id = client.send_message(Some(thread_id), "number 0").await;
    let mut frames = client
        .read_until("an ack", |frame| frame["payload"]["ack_id"] == *id)
        .await;
    let payload = frames.pop().unwrap()["payload"].take();
    assert_eq!(payload["ok"], false);
    assert_eq!(payload["error"]["code"], "OVERLOADED");
    assert!(payload["error"]["retry_after_ms"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn moved_file_stops_writes_until_restored() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut program = server(&at("worker.db"));
    let address = program.address();
    let mut ada = client(address).await;
    let thread_id = ada.start_thread("number 0").await;
    fs::rename(at("worker.db"), at("away.db")).unwrap();
    wait_ready(address, false).await;
    expect_overloaded(&mut ada, &thread_id).await;
    // Stored events can still be read.
    let list = ada
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 1);
    // Another database in its place is not used.
    fs::copy(at("away.db"), at("worker.db")).unwrap();
    expect_overloaded(&mut ada, &thread_id).await;
    assert_eq!(get(address, "/readyz").await.0, 503);
    assert_eq!(get(address, "/healthz").await.0, 200);
    fs::rename(at("away.db"), at("worker.db")).unwrap();
    wait_ready(address, true).await;
    ada.run_turn(&thread_id, "number 1").await;
    ada.disconnect().await;
    program.terminate();
    assert_eq!(program.wait().0, Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn link_in_place_of_the_file_stops_writes() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut program = server(&at("worker.db"));
    let address = program.address();
    let mut ada = client(address).await;
    let thread_id = ada.start_thread("number 0").await;
    // The next start would follow the link, and would look for the log next to the moved file.
    fs::rename(at("worker.db"), at("moved.db")).unwrap();
    std::os::unix::fs::symlink(at("moved.db"), at("worker.db")).unwrap();
    wait_ready(address, false).await;
    expect_overloaded(&mut ada, &thread_id).await;
    ada.disconnect().await;
    program.terminate();
    assert_eq!(program.wait().0, Some(0));
}

#[tokio::test]
async fn removed_directory_is_reported_and_process_stops() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("below");
    fs::create_dir(&below).unwrap();
    let mut program = server(&below.join("worker.db"));
    let address = program.address();
    let mut ada = client(address).await;
    let thread_id = ada.start_thread("number 0").await;
    fs::remove_dir_all(&below).unwrap();
    wait_ready(address, false).await;
    expect_overloaded(&mut ada, &thread_id).await;
    ada.disconnect().await;
    program.terminate();
    within("the process to end", async {
        assert_eq!(program.wait().0, Some(0));
    })
    .await;
    assert!(!below.exists());
}

#[tokio::test]
async fn log_states_the_remedy_once() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("worker.db");
    let mut program = Process::start("remote-handlers", &variables(&database));
    let address = program.address();
    let mut ada = client(address).await;
    let (aside, back) = (directory.path().join("aside.db"), &database);
    fs::rename(back, &aside).unwrap();
    wait_ready(address, false).await;
    for _ in 0..3 {
        let id = ada.send_message(None, "nobody is called").await;
        assert_eq!(ada.expect_error(&id).await.0, "OVERLOADED");
    }
    fs::rename(&aside, back).unwrap();
    wait_ready(address, true).await;
    ada.disconnect().await;
    program.terminate();
    let (status, output, _) = program.wait();
    assert_eq!(status, Some(0));
    let gone = "removed, moved or replaced while it is open; move it back, or stop this process";
    for line in [gone, "are back; writing continues"] {
        assert_eq!(output.matches(line).count(), 1, "{output}");
    }
}
