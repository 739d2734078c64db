//! Runs that the program creates.

use crate::fixtures::{kinds, scope, start_server, subscribed};
use dooers::prelude::*;
use dooers::protocol::RunStatus;
use dooers::repository::{RepositoryError, RunPatch};
use serde_json::{Value, json};

#[tokio::test]
async fn program_run_is_published_from_start_to_end() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let here = &scope();
    let run = repository.create_run(here, "t").id("own").await.unwrap();
    assert_eq!(
        (run.status, run.agent_id.as_deref(), &run.event_id),
        (RunStatus::Running, Some("teller"), &None)
    );
    let published = ada.expect("run.upsert").await;
    assert_eq!(published["run"], serde_json::to_value(&run).unwrap());
    repository
        .create_event(here, "t", Reply::text("working"))
        .run("own")
        .await
        .unwrap();
    assert_eq!(
        ada.expect("event.append").await["events"][0]["run_id"],
        "own"
    );
    ada.expect("thread.upsert").await;
    let ended = repository
        .update_run(here, "t", "own", |run| run.failed("no stock"))
        .await
        .unwrap();
    let published = ada.expect("run.upsert").await;
    assert_eq!(published["run"], serde_json::to_value(&ended).unwrap());
    assert_eq!(
        (&published["run"]["status"], &published["run"]["error"]),
        (&json!("failed"), &json!("no stock"))
    );
    assert_eq!(
        published["run"]["started_at"],
        serde_json::to_value(&run).unwrap()["started_at"]
    );
    assert_eq!(repository.run(here, "t", "own").await.unwrap(), ended);
    // A turn is not affected by it.
    let frames = ada.run_turn("t", "hello").await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    server.close([ada]).await;
}

#[tokio::test]
async fn removed_run_is_hidden_from_later_subscribers() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let here = &scope();
    repository.create_run(here, "t").id("own").await.unwrap();
    repository
        .create_event(here, "t", Reply::text("one"))
        .run("own")
        .await
        .unwrap();
    let early = repository.remove_run(here, "t", "own").await.unwrap_err();
    assert!(matches!(early, RepositoryError::Conflict(_)), "{early:?}");
    repository
        .update_run(here, "t", "own", RunPatch::succeeded)
        .await
        .unwrap();
    ada.read_pending().await;
    repository.remove_run(here, "t", "own").await.unwrap();
    assert_eq!(kinds(&ada.read_pending().await), ["thread.upsert"]);
    let snapshot = ada.subscribe("t").await;
    assert_eq!(snapshot["runs"], json!([]));
    assert_eq!(snapshot["events"][0]["run_id"], "own");
    assert!(repository.runs(here).await.unwrap().items.is_empty());
    let gone = repository.run(here, "t", "own").await.unwrap_err();
    assert!(matches!(gone, RepositoryError::NotFound(_)), "{gone:?}");
    server.close([ada]).await;
}

#[tokio::test]
async fn runs_are_found_by_thread_status_and_message() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    let (first, second) = (ada.start_thread("one").await, ada.start_thread("two").await);
    let here = &scope();
    repository.create_run(here, &first).id("own").await.unwrap();
    let ids = |page: dooers::repository::Page<dooers::protocol::Run>| {
        page.items
            .into_iter()
            .map(|run| run.thread_id)
            .collect::<Vec<_>>()
    };
    let all = repository.runs(here).oldest_first().await.unwrap();
    assert_eq!(ids(all.clone()), [first.as_str(), &second, &first]);
    let of_first = repository.runs(here).thread(&first).await.unwrap();
    assert_eq!(of_first.items[0].id, "own");
    assert_eq!(of_first.items.len(), 2);
    let going_on = repository
        .runs(here)
        .status(RunStatus::Running)
        .await
        .unwrap();
    assert_eq!(ids(going_on), [first.as_str()]);
    let message = all.items[1].event_id.clone().unwrap();
    let answering = repository.runs(here).answering(message).await.unwrap();
    assert_eq!(ids(answering), [second.as_str()]);
    let since = all.items[2].started_at;
    assert_eq!(
        repository
            .runs(here)
            .started_since(since)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    assert_eq!(
        repository
            .runs(here)
            .started_before(since)
            .await
            .unwrap()
            .items
            .len(),
        2
    );
    let unknown = repository.runs(here).thread("none").await.unwrap_err();
    assert!(matches!(unknown, RepositoryError::NotFound("thread")));
    server.close([ada]).await;
}

#[tokio::test]
async fn client_cannot_cancel_a_program_run() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    repository
        .create_run(&scope(), "t")
        .id("own")
        .await
        .unwrap();
    ada.read_pending().await;
    ada.send_expecting_ack("run.cancel", json!({"run_id": "own"}))
        .await;
    ada.expect_nothing().await;
    let run = repository.run(&scope(), "t", "own").await.unwrap();
    assert_eq!(run.status, RunStatus::Running);
    let snapshot: Value = ada.subscribe("t").await;
    assert_eq!(snapshot["runs"][0]["id"], "own");
    server.close([ada]).await;
}
