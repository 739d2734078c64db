//! A tour guide on a model of Anthropic. `model.rs` is a client of the Messages API, which implements `ChatModel` over HTTP.
//! Clients of other providers look the same.
//!
//! Run with: `ANTHROPIC_API_KEY=sk-ant-… cargo run -p example-anthropic`. It listens on 127.0.0.1:8000, or on the address in
//! `WORKER_BIND`. `ANTHROPIC_BASE_URL` has the address of another server with the same API. Open http://127.0.0.1:8000 and
//! ask: `Is the Louvre open on Tuesdays?` The panel "Settings" has the model and its temperature.

mod model;

use dooers::model::RunOptions;
use dooers::prelude::*;
use model::{Anthropic, Api};

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Settings that an operator can change while the agent runs.
#[derive(Debug, Clone, WorkerSettings)]
struct GuideSettings {
    /// The model that answers.
    #[setting(default = "claude-sonnet-4-5")]
    model: String,
    /// The randomness of the answers.
    #[setting(min = 0.0, max = 1.0, step = 0.1, default = 0.7)]
    temperature: f64,
    /// The API key. Only the program sees it.
    #[setting(internal, default_env = "ANTHROPIC_API_KEY", min_length = 8)]
    api_key: Secret,
}

/// The opening hours of a museum.
#[dooers::tool(effect = "read")]
async fn opening_hours(
    /// The museum, for example "Louvre".
    museum: String,
    /// The day of the week, for example "Tuesday".
    day: String,
) -> Result<String> {
    match (&*museum, &*day) {
        ("Louvre", "Tuesday") => Ok("closed".to_owned()),
        ("Louvre", _) => Ok("09:00 to 18:00".to_owned()),
        // The model reads this text and can correct itself.
        _ => Err(AgentError::public(format!("there is no museum {museum:?}"))),
    }
}

/// Guides tourists.
#[dooers::agent(timeout = "2m", retry = 1, tools(opening_hours))]
async fn guide(
    memory: WorkerMemory,
    response: WorkerResponse,
    settings: GuideSettings,
    tools: Tools,
    State(api): State<Api>,
) -> Result<()> {
    let model = Anthropic {
        api,
        key: settings.api_key,
        name: settings.model,
        temperature: settings.temperature,
    };
    let options = RunOptions::new().system("You guide tourists. Look opening hours up.");
    tools.run(&model, &memory, &response, options).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    let config = WorkerConfig::from_env()?;
    WorkerServer::new(config)
        .state(Api::from_env()?)
        .serve()
        .await?;
    Ok(())
}
