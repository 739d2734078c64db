//! A program whose agent is reached in three ways: over the WebSocket, by a webhook that returns JSON, and by a page
//! that reads the answer as server-sent events.
//!
//! Run with: `cargo run -p example-dispatch`. It listens on 127.0.0.1:8000, or on the address in `WORKER_BIND`. The program has
//! its own router, in which the playground is at <http://127.0.0.1:8000/playground>.
//!
//! ```sh
//! curl -H 'content-type: application/json' -d '{"id": "call-1", "user": "ada", "text": "hello"}' \
//!     http://127.0.0.1:8000/webhook
//! curl -N 'http://127.0.0.1:8000/ask?user=ada&text=tell%20me%20more'
//! ```
//!
//! If the webhook is sent again with the same `id`, it returns the same answer without calling the agent again.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use dooers::prelude::{Result, TextReply, WorkerConfig, WorkerRequest, WorkerServer};
use dooers::{Dispatch, DispatchError, DispatchEvent};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Duration, sleep};

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Repeats your message word by word.
#[dooers::agent]
async fn parrot(request: WorkerRequest) -> TextReply {
    let text = format!("You said: {}", request.message);
    let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    // Each word is delayed, as with a real model.
    TextReply::stream(stream::iter(words).then(|word| async {
        sleep(Duration::from_millis(20)).await;
        word
    }))
}

/// A message from outside. It may have an id of its sender and continue a conversation.
#[derive(Deserialize)]
struct Message {
    id: Option<String>,
    user: String,
    thread: Option<String>,
    text: String,
}

impl Message {
    fn to(self, server: &WorkerServer) -> Dispatch {
        let mut dispatch = server
            .dispatch::<parrot>()
            .worker("w1")
            .user(self.user)
            .message(self.text);
        if let Some(id) = self.id {
            dispatch = dispatch.idempotency_key(id);
        }
        match self.thread {
            Some(thread) => dispatch.thread(thread),
            None => dispatch,
        }
    }
}

type Refusal = (StatusCode, Json<Value>);

/// The response to a caller whose message was refused.
fn refusal(error: &DispatchError) -> Refusal {
    let status = match error {
        DispatchError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        DispatchError::NotFound(_) => StatusCode::NOT_FOUND,
        DispatchError::Busy(_) | DispatchError::Conflict => StatusCode::CONFLICT,
        DispatchError::Overloaded(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({"error": error.to_string()})))
}

/// Sends a message to the agent and responds with the answer.
async fn webhook(
    State(server): State<WorkerServer>,
    Json(message): Json<Message>,
) -> Result<Json<Value>, Refusal> {
    let turn = message.to(&server).send().await;
    let turn = turn.map_err(|error| refusal(&error))?;
    let thread = turn.thread_id().to_owned();
    let text = turn.text().await.map_err(|error| {
        let body = json!({"error": error.to_string(), "thread": thread});
        (StatusCode::BAD_GATEWAY, Json(body))
    })?;
    Ok(Json(json!({"thread": thread, "text": text})))
}

/// Streams the answer.
async fn ask(
    State(server): State<WorkerServer>,
    Query(message): Query<Message>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let turn = message.to(&server).send().await;
    let turn = turn.map_err(|error| refusal(&error))?;
    let named = |name| Event::default().event(name);
    let begun = named("thread").data(turn.thread_id());
    let events = turn.filter_map(move |event| async move {
        Some(match event {
            Ok(DispatchEvent::Delta { text, .. }) => named("delta").data(text),
            Ok(DispatchEvent::Event(event)) if event.streaming.is_none() => {
                named("message").json_data(event).ok()?
            }
            Ok(_) => return None,
            Err(error) => named("error").data(error.to_string()),
        })
    });
    let end = stream::once(async move { named("end").data("done") });
    let all = stream::once(async { begun })
        .chain(events)
        .chain(end)
        .map(Ok);
    Ok(Sse::new(all).keep_alive(KeepAlive::default()))
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    let config = WorkerConfig::from_env()?;
    let listener = TcpListener::bind(config.bind_address().as_str()).await?;
    let address = listener.local_addr()?;
    println!("http://{address}/playground\nws://{address}/ws");
    let server = WorkerServer::new(config);
    let app = Router::new()
        .route("/webhook", post(webhook))
        .route("/ask", get(ask))
        .merge(server.router().await?)
        .nest("/playground", server.playground_router().await?)
        .with_state(server.clone());
    let mut stop = signal(SignalKind::terminate())?;
    let stopped = async move {
        tokio::select! {
            _ = stop.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        // Turns finish, and the requests that wait for them get their answers.
        server.close().await;
    };
    // Frames are sent immediately, without waiting for the acknowledgement of earlier ones.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app)
        .with_graceful_shutdown(stopped)
        .await?;
    Ok(())
}
