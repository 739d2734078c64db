//! Changes by the program while turns of the thread are queued or running.

use crate::fixtures::{appended, kinds, scope, start_server, subscribed, text};
use dooers::prelude::*;
use dooers::protocol::RunStatus;
use dooers::repository::{Repository, RepositoryError, RunPatch, Scope};
use dooers_tests::{Client, gate};
use serde_json::Value;

/// Sends a message to the thread and returns the id of its event.
async fn send(client: &mut Client, message: &str) -> String {
    let id = client.send_message(Some("t"), message).await;
    let events = |frame: &Value| appended(std::slice::from_ref(frame));
    let is_it = |frame: &Value| events(frame).iter().any(|event| text(event) == message);
    let frames = client.read_until("the message", is_it).await;
    assert!(frames.iter().any(|frame| frame["payload"]["ack_id"] == *id));
    let event = appended(&frames).pop().unwrap();
    event["id"].as_str().unwrap().to_owned()
}

async fn remove(repository: &Repository, event_id: &str) {
    repository
        .remove_event(&scope(), "t", event_id)
        .await
        .unwrap();
}

#[tokio::test]
async fn program_event_interleaves_with_a_turn() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    send(&mut ada, "wait-between").await;
    gate::arrived("wait-between").await;
    repository
        .create_event(&scope(), "t", Reply::text("meanwhile"))
        .await
        .unwrap();
    gate::open("wait-between");
    let events = appended(&ada.read_turn().await);
    let texts: Vec<_> = events.iter().map(text).collect();
    assert_eq!(texts, ["meanwhile", "You said: wait-between"]);
    assert_eq!(
        (&events[0]["seq"], &events[1]["seq"]),
        (&2.into(), &3.into())
    );
    server.close([ada]).await;
}

#[tokio::test]
async fn removed_queued_message_is_never_answered() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    send(&mut ada, "wait-first").await;
    gate::arrived("wait-first").await;
    let waits = send(&mut ada, "wait-never").await;
    send(&mut ada, "last").await;
    ada.read_pending().await;
    remove(&repository, &waits).await;
    let frames = ada.read_pending().await;
    assert_eq!(kinds(&frames), ["event.append", "run.upsert"]);
    let run = &frames[1]["payload"]["run"];
    assert_eq!(
        (&run["status"], &run["event_id"]),
        (&"canceled".into(), &waits.into())
    );
    gate::open("wait-first");
    assert_eq!(
        text(&appended(&ada.read_turn().await)[0]),
        "You said: wait-first"
    );
    assert_eq!(text(&appended(&ada.read_turn().await)[0]), "You said: last");
    assert_eq!(gate::waiting("wait-never"), 0);
    server.close([ada]).await;
}

#[tokio::test]
async fn removing_a_running_message_cancels_its_turn() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let message = send(&mut ada, "wait-removed").await;
    gate::arrived("wait-removed").await;
    ada.read_pending().await;
    remove(&repository, &message).await;
    let frames = ada.read_turn().await;
    assert_eq!(appended(&frames)[0]["deleted"], true);
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "canceled"
    );
    // The thread continues to work.
    let frames = ada.run_turn("t", "next").await;
    assert_eq!(text(appended(&frames).last().unwrap()), "You said: next");
    server.close([ada]).await;
}

#[tokio::test]
async fn open_text_and_turn_run_cannot_be_edited() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    send(&mut ada, "grow-left").await;
    gate::arrived("grow-left").await;
    let growing = ada
        .read_until("the text", |frame| {
            frame["payload"]["events"][0]["streaming"] == true
        })
        .await;
    let event_id = appended(&growing).pop().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = repository.runs(&scope()).thread("t").await.unwrap();
    let run_id = &page.items[0].id;
    assert_eq!(page.items[0].status, RunStatus::Running);
    let here = &scope();
    for refused in [
        repository
            .update_event(here, "t", &event_id, |event| event.text("x"))
            .await
            .map(drop),
        repository.remove_event(here, "t", &event_id).await,
        repository
            .update_run(here, "t", run_id, RunPatch::succeeded)
            .await
            .map(drop),
        repository.remove_run(here, "t", run_id).await,
    ] {
        let Err(RepositoryError::Conflict(text)) = refused else {
            panic!("{refused:?}");
        };
        assert!(text.contains("cancel"), "it says what to do: {text}");
    }
    gate::open("grow-left");
    let frames = ada.read_turn().await;
    let whole = appended(&frames)
        .into_iter()
        .rfind(|event| event["id"] == *event_id)
        .unwrap();
    assert_eq!(
        (text(&whole), &whole["finalized"]),
        ("half whole", &true.into())
    );
    repository
        .update_event(here, "t", &event_id, |event| event.text("x"))
        .await
        .unwrap();
    repository.remove_run(here, "t", run_id).await.unwrap();
    server.close([ada]).await;
}

#[tokio::test]
async fn removing_a_thread_drops_its_handlers() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    send(&mut ada, "wait-deleted").await;
    gate::arrived("wait-deleted").await;
    ada.read_pending().await;
    repository.remove_thread(&scope(), "t").await.unwrap();
    assert_eq!(kinds(&ada.read_pending().await), ["thread.deleted"]);
    // No open turn is left.
    server.close([ada]).await;
}

#[tokio::test]
async fn program_message_begins_no_turn() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;

    repository
        .create_event(&scope(), "t", Reply::text("hi"))
        .user("ben")
        .await
        .unwrap();
    assert_eq!(
        kinds(&ada.read_pending().await),
        ["event.append", "thread.upsert"]
    );
    let frames = ada.run_turn("t", "hello").await;
    let events = appended(&frames);
    assert_eq!(
        events.iter().map(text).collect::<Vec<_>>(),
        ["hello", "You said: hello"]
    );
    server.close([ada]).await;
}

/// Starts and ends its own run, and then waits at the gate of the message before it answers.
#[dooers::agent(run = "manual")]
async fn in_parts(request: WorkerRequest, response: WorkerResponse) -> Result<&'static str> {
    response.run_start().await?;
    response.run_end(Ok(())).await?;
    gate::pass(&request.message).await;
    Ok("done")
}

#[tokio::test]
async fn correcting_a_run_outcome_ends_no_turn() {
    let worker = WorkerServer::new(dooers_tests::in_memory()).agent::<in_parts>();
    let turn = worker.dispatch::<in_parts>().worker("w1").user("ada");
    let turn = turn.message("wait-in-parts").send().await.unwrap();
    gate::arrived("wait-in-parts").await;
    let repository = worker.repository().await.unwrap();
    let here = &Scope::everyone::<in_parts>("w1");
    let runs = repository.runs(here).answering(turn.event_id());
    let run = runs.await.unwrap().items.pop().unwrap();
    assert_eq!(run.status, RunStatus::Succeeded);
    repository
        .update_run(here, turn.thread_id(), &run.id, RunPatch::canceled)
        .await
        .unwrap();
    gate::open("wait-in-parts");
    let said = dooers_tests::within("the end of the turn", turn.text()).await;
    assert_eq!(said.unwrap(), "done");
    worker.close().await;
}
