//! Limits of sizes and times.

use super::server::{Answer, Server, ask, failed, question};
use crate::model::ChatModel;
use futures::StreamExt;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn silent_server_is_given_up() {
    let short = Duration::from_millis(50);
    let begun = Answer::open_chunks([json!({"content": "Once"})]).then_silent();
    let (deltas, error) = failed(begun, |model| model.idle_timeout(short)).await;
    assert_eq!(deltas.len(), 1);
    assert_eq!(
        error.to_string(),
        "the model's server sent nothing for 50ms"
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn error_with_a_silent_body_is_an_error() {
    let short = Duration::from_millis(50);
    let silent = Answer::status(500, "half").then_silent();
    let (_, error) = failed(silent, |model| model.idle_timeout(short)).await;
    assert!(
        error
            .to_string()
            .starts_with("the model's server answered 500"),
        "{error}"
    );
}

#[tokio::test]
async fn error_with_an_endless_body_is_cut() {
    let endless = Answer::status(500, "x".repeat(10_000)).then_endless();
    let (_, error) = failed(endless, |model| model).await;
    assert!((500..700).contains(&error.to_string().len()), "{error}");
}

#[tokio::test]
async fn dropped_stream_needs_no_end_of_the_answer() {
    let silent = Answer::open_chunks([json!({"content": "Once"})]).then_silent();
    let server = Server::start([silent, Answer::chunks([json!({"content": "Twice"})])]).await;
    let model = server.model();
    let mut stream = model.stream(question());
    assert!(stream.next().await.unwrap().is_ok());
    drop(stream);
    let (deltas, error) = ask(&model).await;
    assert_eq!((deltas.len(), error.is_none()), (1, true));
}
