//! An agent that streams its answer. Its model is a fake that needs no network: it sends some reasoning, and then the
//! words of its answer one by one.
//!
//! Run with: `cargo run -p example-streaming`. It listens on 127.0.0.1:8000, or on the address in `WORKER_BIND`. Open
//! http://127.0.0.1:8000 and write:
//!
//! * `Tell me of the sea`: the answer is streamed word by word.
//! * `busy`: the model is busy at the first attempt, and the turn is retried.
//! * `break off`: the model fails, and the message keeps the words that arrived.
//! * `go on`: streams until you stop it, or for 30 s.
//!
//! A client of your own receives the words one by one if the payload of `connect` has `capabilities: ["event.delta"]`.

use dooers::Decimal;
use dooers::prelude::*;
use futures::stream::{self, Stream, StreamExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::sleep;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Answers word by word.
#[dooers::agent(timeout = "30s", retry = 2)]
async fn storyteller(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let model = FakeModel {
        is_busy: request.message == "busy" && request.attempt() == 1,
        words: Arc::default(),
    };
    response
        .stream_reasoning(words("They ask me something."))
        .await?;
    // If the model is busy, the turn is retried after a delay.
    let answer = model
        .answer(&request.message)
        .map_err(AgentError::retryable)?;
    let answered = response.stream_text(answer).await;
    // The words that arrived before an error cost money as well.
    response.usage(model.usage());
    answered?;
    Ok(())
}

/// A fake model.
struct FakeModel {
    is_busy: bool,
    /// The number of words that were sent. Each is a token.
    words: Arc<AtomicU64>,
}

#[derive(Debug, thiserror::Error)]
enum ModelError {
    #[error("the model is busy")]
    Busy,
    #[error("the model broke off")]
    BrokeOff,
}

impl FakeModel {
    /// The words of the answer as they arrive. Each may be an error.
    fn answer(
        &self,
        message: &str,
    ) -> Result<impl Stream<Item = Result<String, ModelError>> + use<>, ModelError> {
        if self.is_busy {
            return Err(ModelError::Busy);
        }
        let text = format!("You said: {message}. That reminds me of a long story.");
        let answer = match message {
            "break off" => {
                let end = stream::once(async { Err(ModelError::BrokeOff) });
                words("It all began when").map(Ok).chain(end).boxed()
            }
            "go on" => stream::repeat(())
                .then(|()| word("and on "))
                .map(Ok)
                .boxed(),
            _ => words(&text).map(Ok).boxed(),
        };
        let words = Arc::clone(&self.words);
        Ok(answer.inspect(move |word| {
            words.fetch_add(u64::from(word.is_ok()), Ordering::Relaxed);
        }))
    }

    /// The usage so far, as the API of a model reports it. A million tokens cost 15 USD.
    fn usage(&self) -> Usage {
        let words = self.words.load(Ordering::Relaxed);
        let cost = Decimal::new(15, 6) * Decimal::from(words);
        Usage::new("storyteller-1")
            .output_tokens(words)
            .cost(cost, "USD")
    }
}

/// A word of the model, which takes some time.
async fn word(word: impl Into<String>) -> String {
    sleep(Duration::from_millis(20)).await;
    word.into()
}

/// The words of a text, one after the other.
fn words(text: &str) -> impl Stream<Item = String> + use<> {
    let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    stream::iter(words).then(word)
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
