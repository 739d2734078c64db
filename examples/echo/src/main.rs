//! An agent that answers `You said: …`.
//!
//! Run with: `cargo run -p example-echo`, and open http://127.0.0.1:8000 to talk to it. It stores conversations in
//! `worker.db` in the working directory. Set `WORKER_BIND=127.0.0.1:9000` to listen on another address.
//!
//! To see the protocol in a browser, open http://127.0.0.1:8000/healthz and paste this into the console:
//!
//! ```js
//! window.socket?.close(); // of an earlier paste
//! var socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
//! var frames = 0, opened = undefined;
//! var send = (type, payload) => socket.send(JSON.stringify({ id: `${++frames}`, type, payload }));
//! var thread = new Promise((resolve) => { socket.onopen = () => resolve(); }).then(() =>
//!   send("connect", { worker_id: "w1", user_id: "me", capabilities: ["event.delta"] }));
//! var say = async (text) => {
//!   const known = thread; // the first message creates the thread, and the others wait for its id
//!   if (!opened) thread = new Promise((resolve) => { opened = resolve; });
//!   const event = { type: "message", actor: "user", content: [{ type: "text", text }] };
//!   send("event.create", { thread_id: await known, event });
//! };
//! socket.onmessage = ({ data }) => {
//!   const { type, payload } = JSON.parse(data);
//!   if (type === "ack" && !payload.ok) console.error(payload.error.message);
//!   if (type === "event.delta") console.log(`… ${payload.text}`);
//!   if (type !== "event.append") return;
//!   opened(payload.thread_id);
//!   for (const { actor, content = [] } of payload.events) {
//!     console.log(`${actor}: ${content.map((part) => part.text ?? part.type).join(" ")}`);
//!   }
//! };
//! socket.onclose = ({ target }) => target === socket && console.warn("closed; paste this again to start anew");
//! say("hello"); // to continue, enter say("…")
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
