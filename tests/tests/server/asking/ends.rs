//! The ends of a wait without an answer.

use super::{answered, ask, asking, closed, end, expect_conflict, next_form, serve};
use crate::asserts::{appended, string, texts};
use dooers::repository::Scope;
use dooers::store::{MemoryStore, Store};
use dooers::{OnBusy, WorkerServer};
use dooers_tests::{Server, gate, in_memory, within};
use serde_json::json;
use std::sync::Arc;

fn scope() -> Scope {
    Scope::everyone::<asking>("w1")
        .organization("o1")
        .workspace("s1")
}

#[tokio::test]
async fn question_expires_and_is_closed() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask for 1\nask").await;
    let next = next_form(&mut ada).await;
    let (events, run) = answered(&mut ada, &thread_id, next["id"].as_str().unwrap(), "L").await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(texts(&events), ["", r#"answered {"size":"L"}"#]);
    let snapshot = server.client("ben").await.subscribe(&thread_id).await;
    let shown = snapshot["events"].as_array().unwrap();
    closed(shown, &form);
    assert!(texts(shown).contains(&"Expired"), "{shown:?}");
    let text = expect_conflict(&mut ada, &thread_id, &form).await;
    assert!(text.contains("its time is over"), "{text}");
    server.close([ada]).await;
}

#[tokio::test]
async fn question_that_the_handler_drops_is_closed() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "leave left-a").await;
    gate::open("left-a");
    let (events, run) = end(&mut ada).await;
    assert_eq!(run["status"], "succeeded");
    closed(&events, &form);
    expect_conflict(&mut ada, &thread_id, &form).await;
    server.close([ada]).await;
}

#[tokio::test]
async fn cancel_ends_a_turn_that_waits() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let snapshot = server.client("ben").await.subscribe(&thread_id).await;
    let run_id = string(&snapshot["runs"][0]["id"]);
    let cancel = json!({"run_id": run_id});
    ada.send_expecting_ack("run.cancel", cancel).await;
    let (events, run) = end(&mut ada).await;
    assert_eq!(run["status"], "canceled");
    closed(&events, &form);
    let text = expect_conflict(&mut ada, &thread_id, &form).await;
    assert!(text.contains("the turn that asked has ended"), "{text}");
    server.close([ada]).await;
}

#[tokio::test]
async fn next_message_preempts_a_turn_that_waits() {
    let server = serve(|agent| agent.when_busy(OnBusy::Interrupt)).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let id = ada.send_message(Some(&thread_id), "say next").await;
    ada.expect_ack(&id).await;
    let (events, run) = end(&mut ada).await;
    assert_eq!(run["status"], "canceled");
    closed(&events, &form);
    let (events, _) = end(&mut ada).await;
    assert_eq!(texts(&events), ["next"]);
    expect_conflict(&mut ada, &thread_id, &form).await;
    server.close([ada]).await;
}

#[tokio::test]
async fn failed_attempt_closes_its_form_and_asks_anew() {
    let server = serve(|agent| agent.with_retries(1)).await;
    let mut ada = server.client("ada").await;
    let (thread_id, first) = ask(&mut ada, None, "ask for 1\nfail\nask").await;
    // The first form expired, and the first attempt failed. The second attempt asks twice.
    let again = string(&next_form(&mut ada).await["id"]);
    let last = string(&next_form(&mut ada).await["id"]);
    let (events, run) = answered(&mut ada, &thread_id, &last, "L").await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(texts(&events), ["", r#"answered {"size":"L"}"#]);
    for form in [first, again] {
        expect_conflict(&mut ada, &thread_id, &form).await;
    }
    server.close([ada]).await;
}

#[tokio::test]
async fn stop_ends_a_turn_that_waits_at_once() {
    let store = Arc::new(MemoryStore::new());
    let kept = || Arc::clone(&store) as Arc<dyn Store>;
    let serve = |retries| {
        let worker = WorkerServer::new(in_memory().store(kept()));
        Server::start(worker.agent_with::<asking>(move |agent| agent.with_retries(retries)))
    };
    let server = serve(0).await;
    let mut ada = server.client("ada").await;
    let (failed, closed_form) = ask(&mut ada, None, "ask").await;
    // The drain time is longer than this test may take.
    server.close([ada]).await;

    let server = serve(1).await;
    let mut ada = server.client("ada").await;
    let snapshot = ada.subscribe(&failed).await;
    assert_eq!(snapshot["runs"][0]["error"], "interrupted");
    closed(snapshot["events"].as_array().unwrap(), &closed_form);
    expect_conflict(&mut ada, &failed, &closed_form).await;
    let (retried, first) = ask(&mut ada, None, "ask").await;
    server.close([ada]).await;

    // The next process runs the second attempt, which asks anew.
    let server = serve(1).await;
    let mut ada = server.client("ada").await;
    let snapshot = ada.subscribe(&retried).await;
    let events = snapshot["events"].as_array().unwrap();
    let forms = events.iter().filter(|event| event["type"] == "form");
    let second = match forms.map(|form| string(&form["id"])).nth(1) {
        Some(second) => second,
        None => string(&next_form(&mut ada).await["id"]),
    };
    expect_conflict(&mut ada, &retried, &first).await;
    let (events, run) = answered(&mut ada, &retried, &second, "L").await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(texts(&events), ["", r#"answered {"size":"L"}"#]);
    server.close([ada]).await;
}

#[tokio::test]
async fn form_of_a_dead_process_is_closed_at_the_next_start() {
    let store = Arc::new(MemoryStore::new());
    let config = || in_memory().store(Arc::clone(&store) as Arc<dyn Store>);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let dying = config();
    let serve = async move { Server::start(WorkerServer::new(dying).agent::<asking>()).await };
    let server = runtime.spawn(serve).await.unwrap();
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    runtime.shutdown_background();

    let server = Server::start(WorkerServer::new(config()).agent::<asking>()).await;
    let mut ada = server.client("ada").await;
    let snapshot = ada.subscribe(&thread_id).await;
    assert_eq!(snapshot["runs"][0]["error"], "interrupted");
    closed(snapshot["events"].as_array().unwrap(), &form);
    expect_conflict(&mut ada, &thread_id, &form).await;
    server.close([ada]).await;
}

#[tokio::test]
async fn deleted_thread_ends_a_turn_that_waits() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    ada.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    let is_ack = |frame: &serde_json::Value| frame["type"] == "ack";
    ada.read_until("the ack", is_ack).await;
    let late = super::answer(&thread_id, &form, &json!({"size": "L"}));
    let code = ada.send_expecting_error("event.create", late).await;
    assert_eq!(code, "NOT_FOUND");
    within("the server to close", server.close([ada])).await;
}

#[tokio::test]
async fn removed_form_ends_the_wait() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let repository = server.worker().repository().await.unwrap();
    repository
        .remove_event(&scope(), &thread_id, &form)
        .await
        .unwrap();
    let (events, run) = end(&mut ada).await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(texts(&events), ["", "Expired"]);
    let late = super::answer(&thread_id, &form, &json!({"size": "L"}));
    let code = ada.send_expecting_error("event.create", late).await;
    assert_eq!(code, "NOT_FOUND");
    server.close([ada]).await;
}

#[tokio::test]
async fn program_cannot_reopen_a_form() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "leave left-b").await;
    gate::open("left-b");
    end(&mut ada).await;
    let repository = server.worker().repository().await.unwrap();
    let new = serde_json::to_value(super::size()).unwrap();
    let scope = scope();
    let update = repository.update_event(&scope, &thread_id, &form, |patch| patch.data(new));
    let event = update.await.unwrap();
    assert!(event.asked().unwrap().closed);
    let frames = ada.read_pending().await;
    closed(&appended(&frames), &form);
    expect_conflict(&mut ada, &thread_id, &form).await;
    server.close([ada]).await;
}
