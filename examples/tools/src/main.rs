//! An agent whose model calls tools until it knows enough to answer. Each call and each result is an event of the thread.
//! The model is a scripted one, which needs no network; yours would be an API that takes the same messages.
//!
//! Run with: `cargo run -p example-tools`. It listens on 127.0.0.1:8000, or where `WORKER_BIND` says.
//!
//! From a browser's console, once connected as in the example `echo`:
//!
//! ```js
//! const say = (text) => send("event.create", { event: { type: "message", actor: "user", content: [{ type: "text", text }] } });
//! say("How is the weather in Paris and Rome?"); // a round of tools for each city
//! say("How is the weather everywhere?");        // one round with three calls
//! say("Sing!");                                 // a tool that there is not
//! say("Go on forever");                         // stopped after five rounds
//! ```

mod model;
mod tools;

use dooers::prelude::*;
use model::Answer;

// The system's allocator keeps freed memory; a server that runs for months should not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often the model may ask for tools before it must have answered.
const MAX_ROUNDS: usize = 5;

/// Knows the weather.
#[dooers::agent(timeout = "60s")]
async fn forecaster(memory: WorkerMemory, response: WorkerResponse) -> Result<()> {
    for _ in 0..MAX_ROUNDS {
        // With the tools that were called before, in this turn and in others, as the model's API writes them.
        let messages = memory.history(HistoryFormat::OpenAi).limit(50).await?;
        match model::answer(&messages) {
            Answer::Text(text) => {
                response.text(text).await?;
                return Ok(());
            }
            Answer::ToolCalls(calls) => call_all(&calls, &response).await?,
        }
    }
    Err(AgentError::public(format!(
        "I gave up after {MAX_ROUNDS} rounds of tools. Please ask for less."
    )))
}

/// Calls the tools of one round. Once the results are stored, the memory has them.
async fn call_all(calls: &[ToolCall], response: &WorkerResponse) -> Result<()> {
    for call in calls {
        response.tool_call(call.clone()).await?;
    }
    for call in calls {
        let result = tools::call(call.name(), call.args());
        response.tool_result(call.clone(), result).await?;
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
