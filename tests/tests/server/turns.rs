//! A single message and its answer.

use crate::agents::{echo, quiet, script};
use crate::asserts::{appended, kinds, normal, string, text, texts};
use dooers::prelude::*;
use dooers_tests::{Server, SpyStore};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn turn_has_a_fixed_order_of_frames() {
    let server = Server::with::<echo>(|config| config.assistant_name("Ada")).await;
    let mut client = server.client("bob").await;
    let id = client.send_message_as("mine-1", None, "hello").await;
    client.expect_ack(&id).await;

    let thread = client.expect("thread.upsert").await["thread"].take();
    let bob = json!({
        "user_id": "bob", "identity_ids": [], "system_role": "user",
        "organization_role": "member", "workspace_role": "member",
    });
    let expected = json!({
        "id": "<id>", "worker_id": "w1", "agent_id": "w1", "organization_id": "o1", "workspace_id": "s1",
        "owner": bob, "users": [bob], "title": null, "metadata": null,
        "created_at": "<time>", "updated_at": "<time>", "last_event_at": "<time>",
    });
    assert_eq!(normal(&thread), expected);

    let asked = client.expect("event.append").await;
    assert_eq!(asked["thread_id"], thread["id"]);
    let expected = json!({"thread_id": "<id>", "events": [{
        "id": "<id>", "thread_id": "<id>", "run_id": null, "type": "message", "actor": "user", "author": null,
        "user": bob, "content": [{"type": "text", "text": "hello"}], "created_at": "<time>",
        "client_event_id": "mine-1", "seq": 1,
    }]});
    assert_eq!(normal(&asked), expected);

    let started = client.expect("run.upsert").await["run"].take();
    let run = json!({
        "id": "<id>", "thread_id": "<id>", "event_id": "<id>", "agent_id": "echo", "status": "running",
        "started_at": "<time>",
        "ended_at": null, "error": null,
    });
    assert_eq!(normal(&started), run);
    assert_eq!(started["thread_id"], thread["id"]);
    assert_eq!(started["event_id"], asked["events"][0]["id"]);

    let answered = client.expect("event.append").await;
    let expected = json!({"thread_id": "<id>", "events": [{
        "id": "<id>", "thread_id": "<id>", "run_id": "<id>", "type": "message", "actor": "assistant",
        "author": "Ada", "content": [{"type": "text", "text": "You said: hello"}], "created_at": "<time>",
        "seq": 2,
    }]});
    assert_eq!(normal(&answered), expected);
    assert_eq!(answered["events"][0]["run_id"], started["id"]);

    let touched = client.expect("thread.upsert").await["thread"].take();
    assert!(string(&touched["last_event_at"]) >= string(&answered["events"][0]["created_at"]));
    assert_eq!(touched["created_at"], thread["created_at"]);
    assert_eq!(touched["updated_at"], thread["updated_at"]);

    let ended = client.expect("run.upsert").await["run"].take();
    assert_eq!(ended["id"], started["id"]);
    assert_eq!(ended["started_at"], started["started_at"]);
    assert_eq!(ended["status"], "succeeded");
    assert_eq!(ended["error"], json!(null));
    assert!(string(&ended["ended_at"]) >= string(&ended["started_at"]));
    client.expect_nothing().await;
    server.close([client]).await;
}

#[tokio::test]
async fn every_frame_has_a_unique_id_and_three_members() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    client.send_message(None, "hello").await;
    let mut ids = Vec::new();
    for frame in client.read_turn().await {
        let members: Vec<_> = frame.as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["id", "type", "payload"]);
        ids.push(string(&frame["id"]));
    }
    assert_eq!(ids.len(), 7);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 7);
    server.close([client]).await;
}

#[tokio::test]
async fn new_thread_metadata_is_kept_from_both_places() {
    let server = Server::of::<quiet>().await;
    let mut client = server.client("ada").await;
    let event =
        json!({"type": "message", "actor": "user", "content": [{"type": "text", "text": "hello"}]});
    let inside = json!({"id": "1", "type": "event.create", "payload": {"event": event, "metadata": {"at": "inside"}}});
    let beside = json!({"id": "2", "type": "event.create", "payload": {"event": event}, "metadata": {"at": "beside"}});
    for (frame, at) in [(inside, "inside"), (beside, "beside")] {
        client.send_frame(&frame).await;
        client.expect_ack(frame["id"].as_str().unwrap()).await;
        let created = client.expect("thread.upsert").await;
        assert_eq!(created["thread"]["metadata"], json!({"at": at}));
        client.read_turn().await;
    }
    server.close([client]).await;
}

/// The text for users about the failed turn of a message.
fn failed_text(message: &Value) -> String {
    let id = string(&message["id"]);
    format!("Something went wrong while answering. Please try again. (error {id})")
}

#[tokio::test]
async fn failed_turn_reports_failure_without_the_cause() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    client
        .send_message(None, "say before\nfail the password is hunter2")
        .await;
    let frames = client.read_turn().await;
    let all = serde_json::to_string(&frames).unwrap();
    assert_eq!(
        all.matches("hunter2").count(),
        1,
        "only in the user's own message: {all}"
    );
    let events = appended(&frames);
    assert_eq!(text(&events[1]), "before");
    let failed = failed_text(&events[0]);
    assert_eq!(
        normal(&events[2]),
        json!({
            "id": "<id>", "thread_id": "<id>", "run_id": "<id>", "type": "message", "actor": "system",
            "author": null, "created_at": "<time>", "seq": 3,
            "content": [{"type": "text", "text": failed}],
        })
    );
    let run = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(run["status"], "failed");
    assert_eq!(run["error"], "the agent failed");
    assert_eq!(events[2]["run_id"], run["id"]);
    server.close([client]).await;
}

#[tokio::test]
async fn public_error_is_shown_to_the_user() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    client
        .send_message(None, "public The library is closed.")
        .await;
    let frames = client.read_turn().await;
    let events = appended(&frames);
    assert_eq!(events[1]["actor"], "system");
    assert_eq!(text(&events[1]), "The library is closed.");
    let run = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(run["error"], "The library is closed.");
    server.close([client]).await;
}

#[tokio::test]
async fn panic_fails_only_its_turn() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    client
        .send_message(None, "stored one\npanic at the disco")
        .await;
    let frames = client.read_turn().await;
    let thread_id = string(&frames[1]["payload"]["thread"]["id"]);
    let events = appended(&frames);
    let failed = failed_text(&events[0]);
    assert_eq!(texts(&events[1..]), ["one", &*failed]);
    assert_eq!(frames.last().unwrap()["payload"]["run"]["status"], "failed");

    let frames = client.run_turn(&thread_id, "say again").await;
    assert_eq!(texts(&appended(&frames)), ["say again", "again"]);
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    server.close([client]).await;
}

#[tokio::test]
async fn unawaited_events_are_stored_in_one_batch() {
    let store = SpyStore::memory();
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = server.client("ada").await;

    // All events sent before the handler returns are stored with the end of the turn.
    let thread_id = client.start_thread("burst 20").await;
    assert_eq!(store.calls("write_turn"), 0);
    assert_eq!(store.calls("finish_turn"), 1);

    // One write for each await.
    client
        .run_turn(&thread_id, "burst 20\nstored x\nburst 20\nstored y\nsay z")
        .await;
    assert_eq!(store.calls("write_turn"), 2);
    assert_eq!(store.calls("finish_turn"), 2);

    let page = json!({"thread_id": thread_id, "limit": 200});
    let list = client
        .request("event.list", page, "event.list.result")
        .await;
    let events = crate::asserts::events(&list);
    let times = |from: usize, to: usize| {
        let mut times: Vec<_> = events[from..to]
            .iter()
            .map(|event| string(&event["created_at"]))
            .collect();
        times.dedup();
        times.len()
    };
    assert_eq!(events.len(), 21 + 44);
    assert_eq!(times(22, 43), 1);
    assert_eq!(times(43, 64), 1);
    server.close([client]).await;
}

/// Starts and ends two runs, and leaves a third one open if the message says so.
#[dooers::agent(run = "manual")]
async fn manual(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    drop(response.text("outside"));
    for outcome in [Ok(()), Err("no luck".to_owned())] {
        response.run_start().await?;
        response.text("inside").await?;
        response.run_end(outcome).await?;
    }
    if request.message == "leave it open" {
        response.run_start().await?;
    }
    if request.message == "fail within" {
        response.run_start().await?;
        return Err("why".into());
    }
    Ok(())
}

#[tokio::test]
async fn manual_runs_are_started_and_ended_by_the_handler() {
    let server = Server::of::<manual>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "go").await;
    client.expect_ack(&id).await;
    let is_touch = |frame: &Value| {
        frame["type"] == "thread.upsert"
            && frame["payload"]["thread"]["last_event_at"]
                != frame["payload"]["thread"]["created_at"]
    };
    let frames = client.read_until("the turn's end", is_touch).await;
    let expected = [
        "thread.upsert",
        "event.append",
        "event.append",
        "run.upsert",
        "event.append",
        "run.upsert",
        "run.upsert",
        "event.append",
        "run.upsert",
        "thread.upsert",
    ];
    assert_eq!(kinds(&frames), expected);
    let runs: Vec<_> = [3, 5, 6, 8]
        .map(|at: usize| frames[at]["payload"]["run"].clone())
        .to_vec();
    assert_eq!(runs[0]["id"], runs[1]["id"]);
    assert_eq!(runs[0]["started_at"], runs[1]["started_at"]);
    assert_ne!(runs[0]["id"], runs[2]["id"]);
    let ended = |run: &Value| (run["status"].clone(), run["error"].clone());
    assert_eq!(ended(&runs[1]), (json!("succeeded"), json!(null)));
    assert_eq!(ended(&runs[3]), (json!("failed"), json!("no luck")));
    let events = appended(&frames);
    assert_eq!(events[1]["run_id"], json!(null));
    assert_eq!(events[2]["run_id"], runs[0]["id"]);
    assert_eq!(events[3]["run_id"], runs[2]["id"]);
    client.expect_nothing().await;
    server.close([client]).await;
}

#[tokio::test]
async fn open_manual_run_ends_with_the_turn() {
    let server = Server::of::<manual>().await;
    let mut client = server.client("ada").await;
    for (message, status) in [("leave it open", "succeeded"), ("fail within", "failed")] {
        let id = client.send_message(None, message).await;
        client.expect_ack(&id).await;
        // The two runs that the handler ended, and the third one.
        client.read_turn().await;
        client.read_turn().await;
        let frames = client.read_turn().await;
        let run = |frame: &Value| frame["payload"]["run"].clone();
        let (started, ended) = (run(&frames[0]), run(frames.last().unwrap()));
        assert_eq!(started["status"], "running");
        assert_eq!(ended["status"], status);
        assert_eq!(ended["id"], started["id"]);
        assert_eq!(ended["started_at"], started["started_at"]);
        client.expect_nothing().await;
    }
    server.close([client]).await;
}
