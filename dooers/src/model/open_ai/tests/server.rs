//! A server whose answers a test writes.

use super::super::OpenAi;
use crate::Secret;
use crate::model::{ChatModel, Delta, ModelError, ModelRequest};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use futures::StreamExt;
use futures::stream;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, yield_now};

/// The key of the clients.
pub(super) const KEY: &str = "sk-planted-7f3a9c";

/// A server that gives its answers one after the other.
pub(super) struct Server {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    requests: Vec<Received>,
}

/// A request that was received.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

/// An answer.
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    pieces: Vec<Bytes>,
    end: End,
}

/// The end of an answer, after its pieces.
enum End {
    Regular,
    /// The connection breaks.
    Broken,
    /// The server sends nothing more.
    Silent,
    /// The last piece is sent for ever.
    Endless,
}

impl Answer {
    /// An answer that is not a stream.
    pub(super) fn status(status: u16, body: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            headers: Vec::new(),
            pieces: vec![Bytes::from(body.into())],
            end: End::Regular,
        }
    }

    /// A stream of this text.
    pub(super) fn stream(text: impl Into<String>) -> Self {
        Self::status(200, text).header(CONTENT_TYPE, "text/event-stream")
    }

    /// A stream of these events.
    pub(super) fn events(events: impl IntoIterator<Item = Value>) -> Self {
        let mut text = String::new();
        for event in events {
            if let Some(kind) = event["type"].as_str() {
                writeln!(text, "event: {kind}").unwrap();
            }
            write!(text, "data: {event}\n\n").unwrap();
        }
        Self::stream(text)
    }

    /// A stream of chunks with these deltas, which ends as OpenAI's do.
    pub(super) fn chunks(deltas: impl IntoIterator<Item = Value>) -> Self {
        Self::open_chunks(deltas).and(
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        )
    }

    /// A stream of chunks with these deltas, without an end.
    pub(super) fn open_chunks(deltas: impl IntoIterator<Item = Value>) -> Self {
        let chunk =
            |delta| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
        Self::events(deltas.into_iter().map(chunk))
    }

    /// Appends a text.
    pub(super) fn and(mut self, text: &str) -> Self {
        self.pieces.push(Bytes::copy_from_slice(text.as_bytes()));
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends each byte on its own.
    pub(super) fn byte_by_byte(mut self) -> Self {
        let whole = self.pieces.concat();
        self.pieces = whole
            .iter()
            .map(|byte| Bytes::copy_from_slice(&[*byte]))
            .collect();
        self
    }

    pub(super) fn then_broken(mut self) -> Self {
        self.end = End::Broken;
        self
    }

    pub(super) fn then_silent(mut self) -> Self {
        self.end = End::Silent;
        self
    }

    pub(super) fn then_endless(mut self) -> Self {
        self.end = End::Endless;
        self
    }

    fn into_response(self) -> Response {
        let last = self.pieces.last().cloned().unwrap_or_default();
        let pieces = stream::iter(self.pieces.into_iter().map(Ok::<_, std::io::Error>));
        let body = match self.end {
            End::Regular => Body::from_stream(pieces),
            End::Broken => {
                let broken = stream::once(async {
                    // The pieces are sent while the body has nothing more.
                    yield_now().await;
                    Err(std::io::Error::other("broken"))
                });
                Body::from_stream(pieces.chain(broken))
            }
            End::Silent => Body::from_stream(pieces.chain(stream::pending())),
            End::Endless => {
                Body::from_stream(pieces.chain(stream::repeat_with(move || Ok(last.clone()))))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    }
}

impl Server {
    pub(super) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let state = Arc::new(Mutex::new(State {
            answers: answers.into_iter().collect(),
            requests: Vec::new(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        let answer = move |request: Request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        };
        let router = Router::new().fallback(answer);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state, task }
    }

    /// A client of the server.
    pub(super) fn model(&self) -> OpenAi {
        OpenAi::new("gpt-test")
            .base_url(&*self.url)
            .with_key(Secret::new(KEY))
    }

    /// The requests so far.
    pub(super) fn requests(&self) -> Vec<Received> {
        self.state.lock().unwrap().requests.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(state: &Mutex<State>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let received = Received {
        path: head.uri.to_string(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap(),
    };
    let next = {
        let mut state = state.lock().unwrap();
        state.requests.push(received);
        state.answers.pop_front()
    };
    next.expect("the test wrote an answer").into_response()
}

/// The question of most tests.
pub(super) fn question() -> ModelRequest {
    ModelRequest::new(vec![json!({"role": "user", "content": "hi"})])
}

/// Asks a model. Returns the pieces of its answer, and the error that ended it.
pub(super) async fn ask(model: &OpenAi) -> (Vec<Delta>, Option<ModelError>) {
    let reading = async {
        let mut deltas = Vec::new();
        let mut stream = model.stream(question());
        while let Some(delta) = stream.next().await {
            match delta {
                Ok(delta) => deltas.push(delta),
                Err(error) => {
                    assert!(stream.next().await.is_none(), "an error is the end");
                    return (deltas, Some(error));
                }
            }
        }
        (deltas, None)
    };
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, reading)
        .await
        .expect("the answer ends")
}

/// The pieces of an answer without an error.
pub(super) async fn answered(answer: Answer, prepare: impl FnOnce(OpenAi) -> OpenAi) -> Vec<Delta> {
    let server = Server::start([answer]).await;
    let (deltas, error) = ask(&prepare(server.model())).await;
    assert!(error.is_none(), "{error:?}");
    deltas
}

/// The error of an answer, and what arrived before it.
pub(super) async fn failed(
    answer: Answer,
    prepare: impl FnOnce(OpenAi) -> OpenAi,
) -> (Vec<Delta>, ModelError) {
    let server = Server::start([answer]).await;
    let (deltas, error) = ask(&prepare(server.model())).await;
    (deltas, error.expect("an error"))
}
