//! The `on_busy` policies, failures and timeouts.

use dooers::prelude::*;
use dooers::protocol::{ErrorCode, RunStatus};
use dooers::testing::{Conversation, TestClient, TestServer};
use dooers_tests::gate;

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

/// Sends a message whose turn waits at the gate of the same name.
async fn begin(client: &mut TestClient, text: &str) -> String {
    let event_id = client.send(text).await;
    gate::arrived(text).await;
    event_id
}

#[tokio::test]
async fn full_queue_rejects_every_sender_and_keeps_order() {
    let server = TestServer::of::<queueing>().await;
    let mut ada = server.connect("ada").await;
    begin(&mut ada, "queue-1").await;
    ada.send("queue-2").await;
    ada.send("queue-3").await;
    let mut bob = server.connect("bob").await;
    bob.enter(ada.thread_id());
    for client in [&mut bob, &mut ada] {
        let refusal = client.try_send("queue-4").await.unwrap_err();
        assert_eq!(
            (refusal.code, refusal.retry_after_ms),
            (ErrorCode::Overloaded, Some(1000))
        );
    }
    for text in ["queue-1", "queue-2"] {
        gate::open(text);
        ada.turn().await.assert_text(format!("passed {text}"));
    }
    // The queue has room again, and the rejected message was not stored.
    ada.send("queue-4").await;
    for text in ["queue-3", "queue-4"] {
        gate::open(text);
        ada.turn().await.assert_text(format!("passed {text}"));
    }
    let seen = bob.subscribe(ada.thread_id()).await.unwrap();
    assert_eq!(seen.events().len(), 8, "{seen}");
}

#[tokio::test]
async fn rejecting_agent_answers_conflict_while_busy() {
    let server = TestServer::of::<rejecting>().await;
    let mut ada = server.connect("ada").await;
    begin(&mut ada, "reject-1").await;
    let refusal = ada.try_send("reject-2").await.unwrap_err();
    assert_eq!(
        (refusal.code, refusal.retry_after_ms),
        (ErrorCode::Conflict, None)
    );
    gate::open("reject-1");
    ada.turn().await.assert_succeeded();
    gate::open("reject-2");
    ada.say("reject-2").await.assert_text("passed reject-2");
}

#[tokio::test]
async fn interrupt_cancels_running_turn_and_runs_next() {
    let server = TestServer::of::<interrupting>().await;
    let mut ada = server.connect("ada").await;
    begin(&mut ada, "interrupt-1").await;
    ada.send("interrupt-2").await;
    ada.turn().await.assert_canceled().assert_texts([""; 0]);
    gate::open("interrupt-2");
    ada.turn()
        .await
        .assert_succeeded()
        .assert_text("passed interrupt-2");
}

#[tokio::test]
async fn last_interrupt_is_answered_and_each_has_a_run() {
    let server = TestServer::of::<interrupting>().await;
    let mut ada = server.connect("ada").await;
    begin(&mut ada, "interrupts-0").await;
    for number in 1..=5 {
        ada.send(format!("interrupts-{number}")).await;
    }
    gate::open("interrupts-5");
    for _ in 0..5 {
        ada.turn().await.assert_canceled().assert_texts([""; 0]);
    }
    ada.turn()
        .await
        .assert_text("passed interrupts-5")
        .assert_succeeded();
    assert_eq!(ada.conversation().runs().len(), 6);
    let mut bob = server.connect("bob").await;
    let seen = bob.subscribe(ada.thread_id()).await.unwrap();
    assert_eq!(seen.runs().len(), 6, "one for each shown message: {seen}");
}

#[tokio::test]
async fn concurrent_turns_do_not_wait_for_each_other() {
    let server = TestServer::of::<concurrent>().await;
    let mut ada = server.connect("ada").await;
    let mut ids = Vec::new();
    for text in ["side-1", "side-2", "side-3"] {
        ids.push(begin(&mut ada, text).await);
    }
    for (text, place) in [("side-3", 2), ("side-1", 0), ("side-2", 1)] {
        gate::open(text);
        ada.turn_of(&ids[place])
            .await
            .assert_text(format!("passed {text}"));
    }
}

#[tokio::test]
async fn concurrent_turns_are_canceled_one_by_one_or_all() {
    let server = TestServer::of::<concurrent>().await;
    let mut ada = server.connect("ada").await;
    begin(&mut ada, "beside-1").await;
    let second = begin(&mut ada, "beside-2").await;
    ada.cancel().await;
    ada.turn_of(&second).await.assert_canceled();
    let first = ada.conversation().runs()[0].clone();
    assert_eq!(first.status, RunStatus::Running);
    let thread_id = ada.thread_id().to_owned();
    ada.delete_thread(&thread_id).await.unwrap();
    assert!(ada.conversation().is_deleted());
    // Close does not wait for a handler.
    server.close().await;
}

/// Sends a text and never returns.
#[dooers::agent(timeout = "20s")]
async fn endless(response: WorkerResponse) {
    response.text("one moment");
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn slow_turn_fails_with_a_timeout() {
    let server = TestServer::of::<endless>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_failed("too long").assert_text("one moment");
    assert_eq!(turn.run().unwrap().error.as_deref(), Some("timed out"));
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

#[tokio::test(start_paused = true)]
async fn retry_keeps_the_run_and_earlier_events() {
    let server = TestServer::of::<second_time>().await;
    let mut ada = server.connect("ada").await;
    gate::open("second-a");
    gate::open("second-a");
    let turn = ada.say("second-a").await;
    turn.assert_texts(["attempt 1", "attempt 2"])
        .assert_succeeded();
    assert!(
        turn.events()
            .iter()
            .all(|event| event.finalized == Some(true))
    );
    assert_eq!(turn.events()[0].run_id, turn.events()[1].run_id);
    let published = ada
        .frames()
        .iter()
        .filter(|frame| frame["type"] == "run.upsert");
    assert_eq!(published.count(), 2, "the run goes on without a word");
}

#[tokio::test]
async fn canceling_a_pending_retry_starts_the_next_turn() {
    let server = TestServer::of::<second_time>().await;
    let mut ada = server.connect("ada").await;
    gate::open("second-b");
    let first = ada.send("second-b").await;
    let has_ended = |thread: &Conversation| {
        let last = thread.events().last();
        last.is_some_and(|event| event.finalized == Some(true))
    };
    ada.until("the end of the attempt", has_ended).await;
    ada.send("second-c").await;
    ada.cancel_turn_of(&first).await;
    ada.turn().await.assert_canceled();
    gate::arrived("second-c").await;
    gate::open("second-c");
    // Close does not wait for a retry.
    server.close().await;
}
