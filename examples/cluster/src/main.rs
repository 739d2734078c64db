//! An agent that runs on several nodes: processes that share a PostgreSQL database and act as one server. Its answers name
//! the node that runs the turn.
//!
//! Run with: `examples/cluster/run`. The script starts PostgreSQL, three nodes of this program, and a proxy in front of them
//! at http://127.0.0.1:8000. It prints what to try, and stops everything when you press Ctrl-C. With `--nats`, the nodes
//! notify each other through NATS instead of PostgreSQL.

use dooers::prelude::*;
use futures::{Stream, StreamExt, stream};
use std::time::Duration;
use tokio::time::sleep;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Settings that an operator can change. All nodes use the same values.
#[derive(Debug, Clone, WorkerSettings)]
struct Style {
    /// The first word of each answer.
    #[setting(default = "Hello.", min_length = 1, max_length = 40)]
    greeting: String,
    /// The time between two words, in milliseconds.
    #[setting(default = 100, min = 0, max = 2000)]
    pause: u32,
}

/// Answers word by word, and names the node. `count 150` counts to 150, which leaves time to stop the node in the middle.
#[dooers::agent(retry = 2)]
async fn teller(request: WorkerRequest, response: WorkerResponse, style: Style) -> Result<()> {
    let node = std::env::var("NODE_NAME").unwrap_or_else(|_| "a node without a name".to_owned());
    let mut text = format!("{} This is {node}. ", style.greeting);
    if request.attempt() > 1 {
        text += "The turn began on a node that has ended, so it starts again. ";
    }
    match request.message.strip_prefix("count ") {
        Some(last) => text.extend((1..=last.parse::<u16>()?).map(|number| format!("{number} "))),
        None => text += &format!("You said: {}", request.message),
    }
    response.stream_text(words(&text, style.pause)).await?;
    Ok(())
}

/// The words of a text, with a pause of some milliseconds before each.
fn words(text: &str, pause: u32) -> impl Stream<Item = String> + use<> {
    let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    let pause = Duration::from_millis(pause.into());
    stream::iter(words).then(move |word| async move {
        sleep(pause).await;
        word
    })
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
