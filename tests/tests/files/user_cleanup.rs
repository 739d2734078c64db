//! Purge of the users of deleted threads by a running server.

use crate::variables;
use dooers_tests::{Client, Process, within};
use serde_json::json;
use std::fs;
use std::path::Path;

/// Returns true if any file in this directory contains the text.
fn contains(directory: &Path, text: &str) -> bool {
    let text = text.as_bytes();
    let mut files = fs::read_dir(directory).unwrap();
    files.any(|file| {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text)
    })
}

#[tokio::test]
async fn user_of_a_deleted_thread_is_purged_in_time() {
    const USER: &str = "a-user-to-forget";
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("worker.db");
    let mut given = variables(&database).to_vec();
    given.push(("WORKER_SENT_ID_RETENTION_DAYS", "0"));
    let mut program = Process::start("crash-server", &given);
    // This agent reports no usage, which would stay stored with the id of the user.
    let mut client = Client::open(program.address(), "/agents/asking/ws").await;
    client.connect(USER).await;
    let id = client.send_message_as("client's", None, "hello").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let thread_id = &frames[0]["payload"]["thread"]["id"];
    assert!(contains(directory.path(), USER));
    client
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    client.expect("thread.deleted").await;
    within("the server to purge the user", async {
        while contains(directory.path(), USER) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    client.disconnect().await;
    program.terminate();
    assert_eq!(program.wait().0, Some(0));
    assert!(!contains(directory.path(), USER));
}
