//! An agent and its tests, which are in `tests.rs`: `cargo test -p example-testing` runs them.
//!
//! The agent uses a model through a trait, so that tests can replace it by a fake model. The program uses a model that
//! needs no network. A real program would call an API.
//!
//! Run with: `cargo run -p example-testing`. It listens on 127.0.0.1:8000, or on the address in `WORKER_BIND`.

#[cfg(test)]
mod tests;

use dooers::prelude::*;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A model that answers piece by piece.
trait Model: Send + Sync {
    fn answer(&self, prompt: Vec<Value>) -> BoxStream<'static, Result<String>>;
}

/// Settings that an operator can change.
#[derive(Debug, Clone, WorkerSettings)]
struct SupportSettings {
    /// The instructions for the model.
    #[setting(default = "You help customers.", rows = 4)]
    instructions: String,
}

/// Helps customers. `/human` asks for a phone number and promises a call.
#[dooers::agent(timeout = "60s", retry = 1)]
async fn support(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
    settings: SupportSettings,
    State(model): State<Arc<dyn Model>>,
) -> Result<()> {
    if let Some(form) = request.form() {
        response.text(match form.text("phone") {
            Some(phone) if !form.cancelled => format!("We call {phone} within the hour."),
            _ => "As you like. I am still here.".to_owned(),
        });
        return Ok(());
    }
    if request.message == "/human" {
        let phone = FormElement::text("phone", "Your number").required();
        response.form(&Form::new("Where can we reach you?").element(phone));
        return Ok(());
    }
    let instructions = json!({"role": "system", "content": settings.instructions});
    let mut prompt = memory.history(HistoryFormat::OpenAi).limit(20).await?;
    prompt.insert(0, instructions);
    // If the model fails, the turn is retried.
    let answer = model
        .answer(prompt)
        .map(|piece| piece.map_err(AgentError::retryable));
    response.stream_text(answer).await?;
    response
        .update_thread(|thread| thread.title(title_from(&request)))
        .await?;
    Ok(())
}

/// A model that needs no network and repeats the question.
struct Parrot;

impl Model for Parrot {
    fn answer(&self, prompt: Vec<Value>) -> BoxStream<'static, Result<String>> {
        let question = prompt
            .last()
            .and_then(|message| message["content"].as_str());
        let question = question.unwrap_or_default();
        let answer = format!("You ask about this: {question}. Let me find out.");
        let words: Vec<_> = answer.split_inclusive(' ').map(str::to_owned).collect();
        let word = |word| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(word)
        };
        stream::iter(words).then(word).boxed()
    }
}

/// The server of this program, with the given model.
fn server(config: WorkerConfig, model: Arc<dyn Model>) -> WorkerServer {
    WorkerServer::new(config).agent::<support>().state(model)
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    let config = WorkerConfig::from_env()?;
    server(config, Arc::new(Parrot)).serve().await?;
    Ok(())
}
