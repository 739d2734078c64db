//! Middleware around turns.

use dooers::prelude::*;
use dooers::testing::TestServer;
use dooers::{AttemptEnd, AttemptOutcome, TurnAttempt, TurnMiddleware};
use dooers_tests::{gate, within};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Reports its calls, and follows the words of the message that begin with its name.
#[derive(Debug)]
struct Layer {
    name: &'static str,
    calls: UnboundedSender<String>,
}

impl Layer {
    fn has(&self, attempt: &TurnAttempt, order: &str) -> bool {
        let order = format!("{}-{order}", self.name);
        attempt
            .request()
            .message
            .split(' ')
            .any(|word| word == order)
    }
}

impl TurnMiddleware for Layer {
    async fn before(&self, attempt: &TurnAttempt) -> Result<()> {
        let Self { name, calls } = self;
        calls
            .send(format!(
                "{name} before {} {}",
                attempt.agent(),
                attempt.number()
            ))
            .unwrap();
        if self.has(attempt, "hangs") {
            gate::pass("middleware-hangs").await;
            std::future::pending::<()>().await;
        }
        if self.has(attempt, "stalls") {
            std::future::pending::<()>().await;
        }
        assert!(!self.has(attempt, "panics-before"), "{name} is broken");
        dooers::ensure!(
            !self.has(attempt, "refuses"),
            AgentError::public(format!("{name} refuses."))
        );
        if self.has(attempt, "delays") && attempt.number() == 1 {
            return Err(AgentError::retryable("try later"));
        }
        Ok(())
    }

    fn after(&self, attempt: &TurnAttempt, end: &AttemptEnd<'_>) {
        let outcome = match end.outcome() {
            AttemptOutcome::Failed(error) => format!("Failed({error})"),
            outcome => format!("{outcome:?}"),
        };
        let retry = if end.will_retry() { " will retry" } else { "" };
        let (name, number, duration) = (self.name, attempt.number(), end.duration().as_secs());
        let report = format!("{name} after {number} {outcome} {duration}s{retry}");
        self.calls.send(report).unwrap();
        assert!(!self.has(attempt, "panics-after"), "{name} is broken");
    }
}

/// Succeeds, fails, retries or waits, as the first word says.
#[dooers::agent(timeout = "60s", retry = 1)]
async fn layered(request: WorkerRequest) -> Result<String> {
    match request.message.split(' ').next().unwrap_or_default() {
        "fail" => dooers::bail!("broken"),
        "retry" if request.attempt() == 1 => return Err(AgentError::retryable("once more")),
        "wait" => tokio::time::sleep(Duration::from_secs(3600)).await,
        "gate" => {
            gate::pass("middleware-gate").await;
            std::future::pending::<()>().await;
        }
        _ => {}
    }
    Ok("done".to_owned())
}

/// A server with two layers, and the calls of both.
async fn layered_server() -> (TestServer, UnboundedReceiver<String>) {
    let (calls, called) = unbounded_channel();
    let layer = |name| Layer {
        name,
        calls: calls.clone(),
    };
    // One of them is shared.
    let (outer, inner) = (Arc::new(layer("outer")), layer("inner"));
    let server = TestServer::of::<layered>();
    let server = server
        .server(|server| server.middleware(outer).middleware(inner))
        .await;
    (server, called)
}

/// Checks the next calls.
async fn assert_calls(called: &mut UnboundedReceiver<String>, expected: &[&str]) {
    for expected in expected {
        let call = within("a call of middleware", called.recv()).await;
        assert_eq!(call.as_deref(), Some(*expected));
    }
}

#[tokio::test(start_paused = true)]
async fn middleware_encloses_each_attempt_in_order() {
    let (server, mut called) = layered_server().await;
    let mut ada = server.connect("ada").await;
    let begins = ["outer before layered 1", "inner before layered 1"];
    for (message, ends) in [
        (
            "go",
            ["inner after 1 Succeeded 0s", "outer after 1 Succeeded 0s"],
        ),
        (
            "fail",
            [
                "inner after 1 Failed(broken) 0s",
                "outer after 1 Failed(broken) 0s",
            ],
        ),
        (
            "wait",
            ["inner after 1 TimedOut 60s", "outer after 1 TimedOut 60s"],
        ),
        // A panic after the end is logged. The result and the other layer are not affected.
        (
            "go inner-panics-after",
            ["inner after 1 Succeeded 0s", "outer after 1 Succeeded 0s"],
        ),
    ] {
        let turn = ada.say(message).await;
        if message.starts_with("go") {
            turn.assert_text("done").assert_succeeded();
        }
        assert_calls(&mut called, &begins).await;
        assert_calls(&mut called, &ends).await;
    }
    ada.say("retry").await.assert_text("done");
    assert_calls(&mut called, &begins).await;
    let failed = "Failed(once more) 0s will retry";
    assert_calls(
        &mut called,
        &[
            &format!("inner after 1 {failed}"),
            &format!("outer after 1 {failed}"),
        ],
    )
    .await;
    assert_calls(
        &mut called,
        &["outer before layered 2", "inner before layered 2"],
    )
    .await;
    assert_calls(
        &mut called,
        &["inner after 2 Succeeded 0s", "outer after 2 Succeeded 0s"],
    )
    .await;
    assert!(called.is_empty());
}

#[tokio::test(start_paused = true)]
async fn error_of_middleware_ends_the_turn() {
    let (server, mut called) = layered_server().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go inner-refuses").await;
    turn.assert_failed("inner refuses.");
    assert!(turn.texts().is_empty(), "the handler is not called");
    let begins = ["outer before layered 1", "inner before layered 1"];
    assert_calls(&mut called, &begins).await;
    assert_calls(&mut called, &["outer after 1 Failed(inner refuses.) 0s"]).await;
    ada.say("go outer-panics-before")
        .await
        .assert_failed("Please try again");
    assert_calls(&mut called, &begins[..1]).await;
    ada.say("go inner-stalls")
        .await
        .assert_failed("took too long");
    assert_calls(&mut called, &begins).await;
    assert_calls(&mut called, &["outer after 1 TimedOut 60s"]).await;
    ada.say("go inner-delays").await.assert_text("done");
    assert_calls(&mut called, &begins).await;
    assert_calls(
        &mut called,
        &["outer after 1 Failed(try later) 0s will retry"],
    )
    .await;
    assert_calls(
        &mut called,
        &["outer before layered 2", "inner before layered 2"],
    )
    .await;
    assert_calls(
        &mut called,
        &["inner after 2 Succeeded 0s", "outer after 2 Succeeded 0s"],
    )
    .await;
    assert!(called.is_empty());
}

#[tokio::test]
async fn cancelled_and_lost_turns_reach_the_layers_that_passed() {
    let (server, mut called) = layered_server().await;
    let mut ada = server.connect("ada").await;
    let begins = ["outer before layered 1", "inner before layered 1"];
    ada.send("gate").await;
    gate::arrived("middleware-gate").await;
    gate::open("middleware-gate");
    ada.cancel().await;
    ada.turn().await.assert_canceled();
    assert_calls(&mut called, &begins).await;
    assert_calls(
        &mut called,
        &["inner after 1 Cancelled 0s", "outer after 1 Cancelled 0s"],
    )
    .await;
    // The inner layer has not passed when the turn is cancelled.
    ada.send("go inner-hangs").await;
    gate::arrived("middleware-hangs").await;
    ada.cancel().await;
    ada.turn().await.assert_canceled();
    assert_calls(&mut called, &begins).await;
    assert_calls(&mut called, &["outer after 1 Cancelled 0s"]).await;
    // A deleted thread has no end of its turn.
    ada.send("go inner-hangs").await;
    assert_calls(&mut called, &begins).await;
    let thread_id = ada.thread_id().to_owned();
    let scope = dooers::repository::Scope::everyone::<layered>("worker");
    let repository = server.worker().repository().await.unwrap();
    repository.remove_thread(&scope, &thread_id).await.unwrap();
    assert_calls(&mut called, &["outer after 1 Lost 0s"]).await;
    // The server stops. The next start retries the turn.
    let mut bob = server.connect("bob").await;
    bob.send("wait").await;
    assert_calls(&mut called, &begins).await;
    server.close().await;
    let interrupted = [
        "inner after 1 Interrupted 0s will retry",
        "outer after 1 Interrupted 0s will retry",
    ];
    assert_calls(&mut called, &interrupted).await;
    assert!(called.is_empty());
}

/// Asks for a password.
#[dooers::agent]
async fn guarded(request: WorkerRequest) -> Reply {
    match request.form() {
        Some(form) => Reply::text(form.text("password").unwrap_or("none")),
        None => {
            Reply::form(&Form::new("Who?").element(FormElement::password("password", "Password")))
        }
    }
}

/// Reports the messages that it sees.
struct Spy(UnboundedSender<String>);

impl TurnMiddleware for Spy {
    async fn before(&self, attempt: &TurnAttempt) -> Result<()> {
        let form = attempt.request().form();
        let seen = form.map(|form| form.text("password").map(str::to_owned));
        self.0
            .send(format!("{} {seen:?}", attempt.run_id().is_some()))
            .unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn middleware_sees_no_passwords() {
    let (sender, mut called) = unbounded_channel();
    let server = TestServer::of::<guarded>().secret_key();
    let server = server.server(|server| server.middleware(Spy(sender))).await;
    let mut ada = server.connect("ada").await;
    ada.say("go").await;
    ada.answer_form(serde_json::json!({"password": "hush"}))
        .await
        .assert_text("hush");
    assert_calls(&mut called, &["true None", "true Some(None)"]).await;
}
