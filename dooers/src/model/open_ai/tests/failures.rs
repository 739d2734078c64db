//! Servers that refuse, break off or answer something else.

use super::super::OpenAi;
use super::server::{Answer, KEY, Server, ask, failed};
use crate::Secret;
use crate::log_capture::CapturedLog;
use crate::model::{Delta, ModelError};
use hyper::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use serde_json::json;
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::Level;

async fn refused(answer: Answer) -> ModelError {
    let (deltas, error) = failed(answer, |model| model).await;
    assert!(deltas.is_empty());
    error
}

#[tokio::test]
async fn status_decides_what_is_retryable() {
    let message = json!({"error": {"message": "try\nlater", "type": "x"}}).to_string();
    for (status, is_retryable) in [
        (400, false),
        (401, false),
        (404, false),
        (408, true),
        (429, true),
        (500, true),
        (503, true),
        (529, true),
    ] {
        let error = refused(Answer::status(status, &*message)).await;
        assert_eq!(error.is_retryable(), is_retryable, "{status}");
        let text = error.to_string();
        assert!(
            text.contains(&status.to_string()) && text.ends_with(": try later"),
            "{text}"
        );
    }
    let page = refused(Answer::status(502, "<html>\n<h1>Bad Gateway</h1></html>")).await;
    let expected =
        "the model's server answered 502 Bad Gateway: <html> <h1>Bad Gateway</h1></html>";
    assert_eq!(page.to_string(), expected);
}

#[tokio::test]
async fn retry_after_is_read() {
    let busy = Answer::status(429, "{}").header(RETRY_AFTER, "17");
    let error = refused(busy).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
    let nothing_left = json!({"error": {"message": "pay", "type": "insufficient_quota"}});
    let error = refused(Answer::status(429, nothing_left.to_string())).await;
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn each_request_is_sent_once() {
    let server = Server::start([Answer::status(503, ""), Answer::chunks([])]).await;
    let (_, error) = ask(&server.model()).await;
    assert!(error.unwrap().is_retryable());
    assert_eq!(server.requests().len(), 1, "only the loop repeats requests");
}

#[tokio::test]
async fn broken_stream_is_retryable() {
    let begun = || Answer::open_chunks([json!({"content": "Once"})]);
    let once = [Delta::Text("Once".to_owned())];
    let (deltas, error) = failed(begun().then_broken(), |model| model).await;
    assert_eq!(deltas, once);
    assert_eq!(
        error.to_string(),
        "the connection to the model's server failed"
    );
    assert!(error.is_retryable() && error.source().is_some());
    // Without `[DONE]` or a `finish_reason`, the end of the connection is not the end of the answer.
    let (deltas, error) = failed(begun(), |model| model).await;
    assert_eq!(deltas, once);
    assert!(
        error.to_string().contains("in the middle of its answer"),
        "{error}"
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn error_event_ends_the_answer() {
    let event = json!({"error": {"message": "bad gateway", "code": 502}});
    let answer =
        Answer::open_chunks([json!({"content": "Once"})]).and(&format!("data: {event}\n\n"));
    let (deltas, error) = failed(answer.then_silent(), |model| model).await;
    assert_eq!(deltas.len(), 1);
    assert!(error.is_retryable());
    assert!(error.to_string().ends_with(": bad gateway"), "{error}");
}

#[tokio::test]
async fn event_that_is_not_json_is_an_error() {
    let error = refused(Answer::stream("data: {\"planted\": tru\n\n")).await;
    assert_eq!(
        error.to_string(),
        "the model's server sent an event that is not JSON"
    );
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn answer_that_is_not_a_stream_is_refused() {
    for kind in ["application/json; charset=utf-8", "text/html"] {
        let answer = Answer::status(200, "{}").header(CONTENT_TYPE, kind);
        let error = refused(answer).await;
        assert!(
            error.to_string().contains("not answer with a stream"),
            "{error}"
        );
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let target = Server::start([]).await;
    let redirect = Answer::status(307, "").header(LOCATION, format!("{}/x", target.url));
    let error = refused(redirect).await;
    let expected = "the model's server answered 307 Temporary Redirect";
    assert_eq!(error.to_string(), expected);
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn server_that_cannot_be_reached_is_retryable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token-1/v1", listener.local_addr().unwrap());
    drop(listener);
    let model = OpenAi::new("m").with_key("k").base_url(url);
    let error = ask(&model).await.1.unwrap();
    assert_eq!(
        error.to_string(),
        "the connection to the model's server failed"
    );
    assert!(error.is_retryable());
    assert!(!format!("{error:?}").contains("token-1"), "{error:?}");
}

#[tokio::test]
async fn configuration_that_cannot_work_is_an_error() {
    let missing = OpenAi::new("m")
        .with_key("")
        .base_url("https://api.openai.com/v1");
    for (model, reason) in [
        (missing, "set OPENAI_API_KEY"),
        (
            OpenAi::new("m")
                .with_key("a\nb")
                .base_url("http://127.0.0.1:1"),
            "characters that cannot be sent",
        ),
        (OpenAi::new("m").base_url("localhost"), "is not a URL"),
    ] {
        let error = ask(&model).await.1.unwrap();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn key_is_in_no_error_and_no_log() {
    let (log, _guard) = CapturedLog::start_at(Level::TRACE);
    let echo = json!({"error": {"message": format!("the key {KEY} is wrong")}}).to_string();
    let event = json!({"type": "error", "message": format!("bad {KEY}")});
    let answers = [
        Answer::status(401, &*echo),
        Answer::status(500, &*echo),
        Answer::status(401, KEY),
        Answer::chunks([json!({"content": "fine"})]),
        Answer::open_chunks([json!({"content": "Once"})]).then_broken(),
        // An error in the middle of the answer, and a key that was configured with white space around it.
        Answer::stream(format!("data: {echo}\n\n")),
        Answer::events([event]),
        Answer::status(401, &*echo),
    ];
    let server = Server::start(answers).await;
    let model = server.model();
    let spaced = server.model().with_key(format!("{KEY}\n"));
    let mut models = vec![model.clone(); 6];
    models.extend([model.clone().responses(), spaced]);
    for model in models {
        let (_, error) = ask(&model).await;
        let mut shown = format!("{model:?} {error:?}");
        let mut next: Option<&dyn Error> = error.as_ref().map(|error| error as &dyn Error);
        while let Some(error) = next {
            shown += &format!(" {error} {error:?}");
            next = error.source();
        }
        assert!(!shown.contains(KEY), "{shown}");
    }
    let secret = model.with_key(Secret::new(format!("{KEY}\n1")));
    let error = ask(&secret).await.1.unwrap();
    assert!(!format!("{error:?}").contains(KEY), "{error:?}");
    let log = log.text();
    assert!(!log.contains(KEY), "{log}");
}
