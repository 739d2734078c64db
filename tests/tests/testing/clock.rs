//! Tests with a paused clock.

use crate::agents::{doing, failure};
use dooers::prelude::*;
use dooers::testing::TestServer;
use std::time::{Duration, Instant};

/// Sleeps for an hour.
#[dooers::agent]
async fn sleeper(response: WorkerResponse) {
    response.text("good night");
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    response.text("good morning");
}

#[tokio::test(start_paused = true)]
async fn paused_clock_skips_an_hour_of_sleep() {
    let (begin, real) = (tokio::time::Instant::now(), Instant::now());
    let server = TestServer::of::<sleeper>().await;
    let mut ada = server.connect("ada").await;
    ada.say("sleep")
        .await
        .assert_texts(["good night", "good morning"]);
    assert!(begin.elapsed() >= Duration::from_secs(60 * 60));
    assert!(real.elapsed() < Duration::from_secs(60));
}

/// An agent with a timeout.
#[dooers::agent(timeout = "90s")]
async fn limited() {
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn paused_clock_skips_an_agent_timeout() {
    let server = TestServer::of::<limited>().await;
    let mut ada = server.connect("ada").await;
    ada.say("go").await.assert_failed("timed out");
}

/// Succeeds at the third attempt.
#[dooers::agent(retry = 2)]
async fn stubborn(request: WorkerRequest) -> Result<String> {
    match request.attempt() {
        3 => Ok("at last".to_owned()),
        _ => Err(AgentError::retryable("the model is busy")),
    }
}

#[tokio::test(start_paused = true)]
async fn paused_clock_skips_the_retry_delay() {
    let begin = tokio::time::Instant::now();
    let server = TestServer::of::<stubborn>().await;
    let mut ada = server.connect("ada").await;
    ada.say("go")
        .await
        .assert_text("at last")
        .assert_succeeded();
    assert!(begin.elapsed() >= Duration::from_millis(2900));
}

#[tokio::test(start_paused = true)]
async fn hanging_handler_fails_its_test_in_real_time() {
    let timeout = Duration::from_millis(50);
    let server = TestServer::of::<doing>().timeout(timeout).await;
    let mut ada = server.connect("ada").await;
    let real = Instant::now();
    let text = failure(ada.say("wait")).await;
    assert!(real.elapsed() >= timeout);
    let expected = "waited 50ms in vain for the end of the turn that answers \"wait\"\n\nthread ";
    assert!(text.starts_with(expected), "{text}");
    assert!(
        text.contains("\n   1  ada        message          \"wait\"\n"),
        "{text}"
    );
    assert!(
        text.ends_with("the run that answers 1 is running\n"),
        "{text}"
    );
    server.close().await;
}
