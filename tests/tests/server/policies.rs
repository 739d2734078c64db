//! What becomes of a message that comes while its thread is being answered, and of turns that fail or take too long.

use crate::seen::{appended, kinds, string, texts};
use dooers::prelude::*;
use dooers_tests::{Client, Server, gate};
use serde_json::{Value, json};

/// Waits at the gate that the message names.
#[dooers::agent(queue = 2)]
async fn queueing(request: WorkerRequest) -> String {
    gate::pass(&request.message).await;
    format!("passed {}", request.message)
}

#[dooers::agent(on_busy = "reject")]
async fn rejecting(request: WorkerRequest) -> String {
    gate::pass(&request.message).await;
    format!("passed {}", request.message)
}

#[dooers::agent(on_busy = "interrupt")]
async fn interrupting(request: WorkerRequest) -> String {
    gate::pass(&request.message).await;
    format!("passed {}", request.message)
}

#[dooers::agent(on_busy = "concurrent")]
async fn concurrent(request: WorkerRequest) -> String {
    gate::pass(&request.message).await;
    format!("passed {}", request.message)
}

/// Sends a message that begins a thread, whose turn waits at the gate of that text; the result is the thread's id.
async fn begin(client: &mut Client, text: &str) -> String {
    let id = client.message(None, text).await;
    client.accepted(&id).await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let frames = client.until("the run", is_run).await;
    gate::arrived(text).await;
    string(&frames[0]["payload"]["thread"]["id"])
}

/// Sends a message to the thread, which is accepted.
async fn send(client: &mut Client, thread_id: &str, text: &str) {
    let id = client.message(Some(thread_id), text).await;
    let frames = client
        .until("the ack", |frame| frame["type"] == "ack")
        .await;
    let ack = &frames.last().unwrap()["payload"];
    assert_eq!((&ack["ack_id"], &ack["ok"]), (&json!(id), &json!(true)));
}

/// The error with which a message is refused.
async fn refused(client: &mut Client, thread_id: &str, text: &str) -> Value {
    client.message(Some(thread_id), text).await;
    let ack = client.expect("ack").await;
    assert_eq!(ack["ok"], false, "{ack}");
    ack["error"].clone()
}

/// The texts of the agent among these frames.
fn answers(frames: &[Value]) -> Vec<String> {
    let mut events = appended(frames);
    events.retain(|event| event["actor"] == "assistant");
    texts(&events).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_full_queue_refuses_more_whoever_sends_it_and_keeps_its_order() {
    let server = Server::of::<queueing>().await;
    let mut ada = server.client("ada").await;
    let thread_id = begin(&mut ada, "queue-1").await;
    for text in ["queue-2", "queue-3"] {
        send(&mut ada, &thread_id, text).await;
        ada.expect("event.append").await;
    }
    let mut bob = server.client("bob").await;
    for client in [&mut bob, &mut ada] {
        let error = refused(client, &thread_id, "queue-4").await;
        assert_eq!(
            (&error["code"], &error["retry_after_ms"]),
            (&json!("OVERLOADED"), &json!(1000))
        );
    }
    for text in ["queue-1", "queue-2"] {
        gate::open(text);
        assert_eq!(answers(&ada.turn().await), [format!("passed {text}")]);
    }
    // There is room again, and what was refused was not stored.
    let id = ada.message(Some(&thread_id), "queue-4").await;
    let frames = ada.until("the ack", |frame| frame["type"] == "ack").await;
    assert_eq!(frames.last().unwrap()["payload"]["ack_id"], json!(id));
    for text in ["queue-3", "queue-4"] {
        gate::open(text);
        assert_eq!(answers(&ada.turn().await), [format!("passed {text}")]);
    }
    bob.pending().await;
    let snapshot = bob.subscribe(&thread_id).await;
    assert_eq!(snapshot["events"].as_array().unwrap().len(), 8);
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn an_agent_that_rejects_answers_conflict_while_it_works() {
    let server = Server::of::<rejecting>().await;
    let mut ada = server.client("ada").await;
    let thread_id = begin(&mut ada, "reject-1").await;
    let error = refused(&mut ada, &thread_id, "reject-2").await;
    assert_eq!(error["code"], "CONFLICT");
    assert_eq!(error["retry_after_ms"], Value::Null);
    gate::open("reject-1");
    ada.turn().await;
    gate::open("reject-2");
    let frames = ada.converse(&thread_id, "reject-2").await;
    assert_eq!(answers(&frames), ["passed reject-2"]);
    server.close([ada]).await;
}

#[tokio::test]
async fn an_interruption_cancels_the_turn_that_runs_and_is_answered_next() {
    let server = Server::of::<interrupting>().await;
    let mut ada = server.client("ada").await;
    let thread_id = begin(&mut ada, "interrupt-1").await;
    send(&mut ada, &thread_id, "interrupt-2").await;
    let frames = ada.turn().await;
    assert_eq!(kinds(&frames)[0], "event.append");
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "canceled"
    );
    assert_eq!(answers(&frames), [""; 0]);
    gate::open("interrupt-2");
    let frames = ada.turn().await;
    assert_eq!(answers(&frames), ["passed interrupt-2"]);
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    server.close([ada]).await;
}

#[tokio::test]
async fn of_many_interruptions_the_last_is_answered_and_each_message_has_its_run() {
    let server = Server::of::<interrupting>().await;
    let mut ada = server.client("ada").await;
    let thread_id = begin(&mut ada, "interrupts-0").await;
    let mut ids = Vec::new();
    for number in 1..=5 {
        let text = format!("interrupts-{number}");
        ids.push(ada.message(Some(&thread_id), &text).await);
    }
    gate::open("interrupts-5");
    let is_answer = |frame: &Value| {
        let run = &frame["payload"]["run"];
        frame["type"] == "run.upsert" && run["status"] == "succeeded"
    };
    let frames = ada.until("the last answer", is_answer).await;
    assert_eq!(answers(&frames), ["passed interrupts-5"]);
    let snapshot = ada.subscribe(&thread_id).await;
    let runs = snapshot["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "only that of the events shown: {runs:?}");
    let ended = frames.iter().filter(|frame| {
        frame["type"] == "run.upsert" && frame["payload"]["run"]["status"] == "canceled"
    });
    assert_eq!(ended.count(), 5);
    server.close([ada]).await;
}

#[tokio::test]
async fn turns_side_by_side_do_not_wait_for_each_other() {
    let server = Server::of::<concurrent>().await;
    let mut ada = server.client("ada").await;
    let thread_id = begin(&mut ada, "side-1").await;
    for text in ["side-2", "side-3"] {
        send(&mut ada, &thread_id, text).await;
        gate::arrived(text).await;
    }
    for text in ["side-3", "side-1", "side-2"] {
        gate::open(text);
        let frames = ada.turn().await;
        assert_eq!(answers(&frames), [format!("passed {text}")]);
    }
    server.close([ada]).await;
}

#[tokio::test]
async fn one_of_the_turns_side_by_side_is_cancelled_and_deleting_the_thread_drops_the_rest() {
    let server = Server::of::<concurrent>().await;
    let mut ada = server.client("ada").await;
    let thread_id = begin(&mut ada, "beside-1").await;
    send(&mut ada, &thread_id, "beside-2").await;
    gate::arrived("beside-2").await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let frames = ada.until("its run", is_run).await;
    let run = &frames.last().unwrap()["payload"]["run"];
    let id = ada.send("run.cancel", json!({"run_id": run["id"]})).await;
    ada.accepted(&id).await;
    let frames = ada.turn().await;
    let ended = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(
        (&ended["id"], &ended["status"]),
        (&run["id"], &json!("canceled"))
    );
    let id = ada
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    ada.expect("thread.deleted").await;
    ada.accepted(&id).await;
    // Closing waits for no handler.
    server.close([ada]).await;
}

#[dooers::agent(timeout = "20ms")]
async fn endless(response: WorkerResponse) {
    response.text("one moment");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_turn_that_takes_too_long_fails_and_says_so() {
    let server = Server::of::<endless>().await;
    let mut ada = server.client("ada").await;
    let id = ada.message(None, "go").await;
    ada.accepted(&id).await;
    let frames = ada.turn().await;
    let run = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(
        (&run["status"], &run["error"]),
        (&json!("failed"), &json!("timed out"))
    );
    let events = appended(&frames);
    assert_eq!(texts(&events)[1], "one moment");
    assert_eq!(events[2]["actor"], "system");
    assert!(texts(&events)[2].contains("too long"));
    server.close([ada]).await;
}

/// Fails at the first attempt, in the middle of a text.
#[dooers::agent(retry = 1)]
async fn second_time(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let attempt = request.attempt();
    let text = response.text_stream();
    text.push(format!("attempt {attempt}"));
    gate::pass(&request.message).await;
    match attempt {
        1 => Err(AgentError::retryable("the model is busy")),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn another_attempt_is_the_same_run_and_keeps_what_the_first_one_said() {
    let server = Server::of::<second_time>().await;
    let mut ada = server.client("ada").await;
    let thread_id = begin(&mut ada, "second-a").await;
    gate::open("second-a");
    gate::open("second-a");
    let frames = ada.turn().await;
    let runs: Vec<_> = frames
        .iter()
        .filter(|frame| frame["type"] == "run.upsert")
        .collect();
    assert_eq!(runs.len(), 1, "the run goes on without a word: {runs:?}");
    assert_eq!(runs[0]["payload"]["run"]["status"], "succeeded");
    let snapshot = ada.subscribe(&thread_id).await;
    let events = crate::seen::events(&snapshot);
    assert_eq!(texts(&events), ["second-a", "attempt 1", "attempt 2"]);
    assert!(events[1..].iter().all(|event| event["finalized"] == true));
    assert_eq!(events[1]["run_id"], events[2]["run_id"]);
    server.close([ada]).await;
}

#[tokio::test]
async fn a_turn_that_waits_for_another_attempt_is_cancelled_and_the_next_goes_on_at_once() {
    let server = Server::of::<second_time>().await;
    let mut ada = server.client("ada").await;
    let id = ada.message(None, "second-b").await;
    ada.accepted(&id).await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let frames = ada.until("the run", is_run).await;
    let run = frames.last().unwrap()["payload"]["run"].clone();
    let thread_id = string(&run["thread_id"]);
    gate::arrived("second-b").await;
    gate::open("second-b");
    let has_ended = |frame: &Value| frame["payload"]["events"][0]["finalized"] == true;
    ada.until("the end of the attempt", has_ended).await;
    send(&mut ada, &thread_id, "second-c").await;
    let id = ada.send("run.cancel", json!({"run_id": run["id"]})).await;
    let frames = ada
        .until("the ack", |frame| frame["payload"]["ack_id"] == json!(id))
        .await;
    assert_eq!(frames.last().unwrap()["payload"]["ok"], true);
    let frames = ada.turn().await;
    let ended = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(
        (&ended["id"], &ended["status"]),
        (&run["id"], &json!("canceled"))
    );
    gate::arrived("second-c").await;
    gate::open("second-c");
    // Closing does not wait for another attempt.
    server.close([ada]).await;
}
