//! An agent with tools. A script replaces the model, so that the example needs no network and no key. The examples `openai`
//! and `anthropic` have real models.
//!
//! Run with: `cargo run -p example-tools`. It listens on 127.0.0.1:8000, or on the address in `WORKER_BIND`. Open
//! http://127.0.0.1:8000 and write:
//!
//! * `How is the weather in Rome and Oz?`: two calls side by side, of which one fails.
//! * `How is the weather everywhere?`: the model first asks for the cities.
//! * `Go on forever`: stopped after five steps.

use dooers::model::RunOptions;
use dooers::prelude::*;
use dooers::testing::{FakeModel, FakeReply};
use serde_json::json;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lists the cities with a weather station.
#[dooers::tool(effect = "read")]
async fn cities() -> [&'static str; 3] {
    ["Paris", "Rome", "Oslo"]
}

/// Looks up the temperature in a city, in °C.
#[dooers::tool(effect = "read", timeout = "5s")]
async fn temperature(
    /// The city, for example "Paris".
    city: String,
) -> Result<i32> {
    match &*city {
        "Paris" => Ok(18),
        "Rome" => Ok(24),
        "Oslo" => Ok(9),
        _ => Err(AgentError::public(format!("no station is in {city}"))),
    }
}

/// Answers questions about the weather.
#[dooers::agent(timeout = "60s", tools(cities, temperature))]
async fn forecaster(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
    tools: Tools,
) -> Result<()> {
    let (model, options) = (script(&request.message), RunOptions::new().max_steps(5));
    tools.run(&model, &memory, &response, options).await?;
    Ok(())
}

/// A model that asks for the temperature in each city of the question, and then answers.
fn script(question: &str) -> FakeModel {
    let is_name = |word: &&str| word.starts_with(char::is_uppercase);
    let words = question.split(|c: char| !c.is_alphabetic()).skip(1);
    let mut cities: Vec<_> = words.filter(is_name).collect();
    let mut model = FakeModel::new();
    if cities.is_empty() {
        let rounds = if question.contains("forever") { 5 } else { 1 };
        for _ in 0..rounds {
            model = model.tool_call("", "cities", json!({}));
        }
        cities = vec!["Paris", "Rome", "Oslo"];
    }
    let ask = |reply: FakeReply, city| reply.tool_call("", "temperature", json!({"city": city}));
    let calls = cities.iter().fold(FakeReply::new(), ask);
    let answer = format!("I looked up {}.", cities.join(", "));
    model.reply(calls).reply(answer)
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
