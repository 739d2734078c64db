//! An agent whose model calls tools until it can answer. Each call and each result is an event of the thread. The
//! model is scripted and needs no network. A real program would call an API that accepts the same messages.
//!
//! Run with: `cargo run -p example-tools`. It listens on 127.0.0.1:8000, or on the address in `WORKER_BIND`. Open
//! http://127.0.0.1:8000 and write:
//!
//! * `How is the weather in Paris and Rome?`: one round of tool calls per city.
//! * `How is the weather everywhere?`: one round with three tool calls.
//! * `Sing!`: a tool that does not exist.
//! * `Go on forever`: stopped after five rounds.

mod model;
mod tools;

use dooers::prelude::*;
use model::Answer;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Maximum number of rounds of tool calls before the model must answer.
const MAX_ROUNDS: usize = 5;

/// Answers questions about the weather.
#[dooers::agent(timeout = "60s")]
async fn forecaster(memory: WorkerMemory, response: WorkerResponse) -> Result<()> {
    for _ in 0..MAX_ROUNDS {
        // The history includes the tool calls of this turn and of earlier ones, in the format of the model's API.
        let messages = memory.history(HistoryFormat::OpenAi).limit(50).await?;
        let answer = model::answer(&messages);
        response.usage(model::usage(&messages, &answer));
        match answer {
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

/// Calls the tools of one round. The memory contains the results once they are stored.
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
