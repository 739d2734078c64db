//! The agent for load generators. It answers `stream N` with N texts, each of which is stored before the next one, and
//! `burst N` with N texts that are stored together. It answers anything else with `You said: …`, and `sleep MS` only
//! after that many milliseconds.
//!
//! Run with: `cargo run --release -p example-load`

use dooers::prelude::*;
use std::time::Duration;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Answers as often and as slowly as the message says.
#[dooers::agent(queue = 10_000)]
async fn load(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let message = request.message.as_str();
    let (command, number) = message.split_once(' ').unwrap_or((message, ""));
    match (command, number.parse::<u64>()) {
        ("stream", Ok(texts)) => {
            for text in 0..texts {
                response.text(format!("text {text}")).await?;
            }
        }
        ("burst", Ok(texts)) => {
            for text in 0..texts {
                response.text(format!("text {text}"));
            }
        }
        ("sleep", Ok(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            response.text(format!("You said: {message}"));
        }
        _ => drop(response.text(format!("You said: {message}"))),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
