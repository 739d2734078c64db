//! An agent that answers `You said: …`.
//!
//! Run with: `cargo run -p example-echo`. It stores conversations in `worker.db` in the working directory. Set
//! `WORKER_BIND=127.0.0.1:9000` to listen on another address.
//!
//! Use it from a browser's console, on the page http://127.0.0.1:8000/healthz:
//!
//! ```js
//! const ws = new WebSocket("ws://127.0.0.1:8000/ws");
//! const send = (type, payload) => ws.send(JSON.stringify({ id: crypto.randomUUID(), type, payload }));
//! ws.onmessage = ({ data }) => console.log(JSON.parse(data));
//! ws.onopen = () => {
//!   send("connect", { worker_id: "w1", user_id: "me" });
//!   send("event.create", { event: { type: "message", actor: "user", content: [{ type: "text", text: "hello" }] } });
//! };
//! ```

use dooers::prelude::*;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Repeats your message.
#[dooers::agent]
async fn echo(request: WorkerRequest) -> String {
    format!("You said: {}", request.message)
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
