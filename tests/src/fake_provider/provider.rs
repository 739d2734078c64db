//! The server of the fake provider.

use super::failure::{message_of, refusal};
use super::reply::{ProviderReply, ReplyEnding};
use super::request::{ProviderApi, ProviderRequest};
use super::{chat, check, messages, responses};
use crate::within;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::stream::{self, Stream, StreamExt};
use std::fmt;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, yield_now};

/// The rule that decides the answers.
type Rule = dyn Fn(&ProviderRequest) -> ProviderReply + Send + Sync;

/// A fake of the APIs of model providers, on a port of its own on loopback.
///
/// Each request is checked against the published schema of its API. A request that does not fit is answered with status
/// 400, and the drop of the provider panics. Requests without the right key are answered with status 401.
#[derive(Debug)]
pub struct FakeProvider {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    rule: Box<Rule>,
    state: Mutex<ProviderState>,
    /// The number of hanging answers whose connection was closed.
    hung_up: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct ProviderState {
    requests: Vec<ProviderRequest>,
    mismatches: Vec<String>,
}

/// Counts a hanging answer as soon as its connection is closed.
struct HangUp(Arc<Shared>);

impl FakeProvider {
    /// The API key that the provider accepts.
    pub const KEY: &str = "sk-fake-0123456789";

    /// Starts a provider whose answers are decided by this rule.
    pub async fn start(
        rule: impl Fn(&ProviderRequest) -> ProviderReply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let shared = Arc::new(Shared {
            rule: Box::new(rule),
            state: Mutex::default(),
            hung_up: watch::Sender::new(0),
        });
        let mut router = Router::new();
        for api in ProviderApi::ALL {
            let answer = move |State(shared): State<Arc<Shared>>,
                               headers: HeaderMap,
                               body: Bytes| async move {
                answer(&shared, api, &headers, &body)
            };
            router = router.route(api.path(), post(answer));
        }
        let router = router.with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a listener");
        });
        Self {
            address,
            shared,
            serving,
        }
    }

    /// The address of its listener.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of OpenAI's APIs, as `OPENAI_BASE_URL` has it.
    #[must_use]
    pub fn openai_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The base URL of Anthropic's API, as `ANTHROPIC_BASE_URL` has it.
    #[must_use]
    pub fn anthropic_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that fitted their schemas, the oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<ProviderRequest> {
        self.shared.state().requests.clone()
    }

    /// Takes the reasons for which requests were refused, so that they do not fail the test.
    #[must_use]
    pub fn take_mismatches(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().mismatches)
    }

    /// Waits until the clients have closed the connections of this number of hanging answers.
    pub async fn hung_up(&self, count: usize) {
        let mut closed = self.shared.hung_up.subscribe();
        within("the client to hang up", closed.wait_for(|it| *it >= count))
            .await
            .expect("the provider is running");
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.serving.abort();
        let mismatches = self.take_mismatches();
        // A second panic would hide the first one.
        if !std::thread::panicking() {
            assert!(
                mismatches.is_empty(),
                "requests did not fit the API:\n{}",
                mismatches.join("\n")
            );
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, ProviderState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.hung_up.send_modify(|count| *count += 1);
    }
}

fn answer(shared: &Arc<Shared>, api: ProviderApi, headers: &HeaderMap, body: &[u8]) -> Response {
    if !has_key(api, headers) {
        return refusal(api, 401, message_of(401), None);
    }
    let parsed = serde_json::from_slice(body).map_err(|error| error.to_string());
    let checked = parsed.and_then(|body| match check::mismatch(api, headers, &body) {
        None => Ok(body),
        Some(reason) => Err(format!("{reason}\n{body:#}")),
    });
    let request = {
        let mut state = shared.state();
        let body = match checked {
            Ok(body) => body,
            Err(reason) => {
                let text = format!("{}: {reason}", api.path());
                state.mismatches.push(text.clone());
                return refusal(api, 400, &text, None);
            }
        };
        let number = state.requests.len() + 1;
        let request = ProviderRequest { api, number, body };
        state.requests.push(request.clone());
        request
    };
    let reply = (shared.rule)(&request);
    if let ReplyEnding::Refused(status) = reply.ending {
        return refusal(api, status, message_of(status), reply.retry_after);
    }
    let frames = match api {
        ProviderApi::ChatCompletions => chat::frames(&request, &reply),
        ProviderApi::Responses => responses::frames(&request, &reply),
        ProviderApi::Messages => messages::frames(&request, &reply),
    };
    let body = Body::from_stream(paced(frames, &reply.ending, shared));
    let mut response = body.into_response();
    let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn has_key(api: ProviderApi, headers: &HeaderMap) -> bool {
    let (name, expected) = match api {
        ProviderApi::ChatCompletions | ProviderApi::Responses => {
            ("authorization", format!("Bearer {}", FakeProvider::KEY))
        }
        ProviderApi::Messages => ("x-api-key", FakeProvider::KEY.to_owned()),
    };
    headers.get(name).is_some_and(|value| *value == *expected)
}

/// The frames of a stream, each sent on its own, and its ending.
fn paced(
    frames: Vec<String>,
    ending: &ReplyEnding,
    shared: &Arc<Shared>,
) -> impl Stream<Item = io::Result<String>> + use<> {
    let frames = stream::iter(frames).then(|frame| async {
        yield_now().await;
        Ok(frame)
    });
    let hang_up = (*ending == ReplyEnding::Hanging).then(|| HangUp(Arc::clone(shared)));
    let is_broken = *ending == ReplyEnding::Broken;
    let end = stream::once(async move {
        if let Some(hang_up) = hang_up {
            pending::<()>().await;
            drop(hang_up);
        }
        is_broken.then(|| Err(io::Error::other("the connection breaks")))
    });
    frames.chain(end.filter_map(|end| async { end }))
}
