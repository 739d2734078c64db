//! The agents of the simulation: one for each `on_busy` policy.

use dooers::prelude::*;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::sleep;

#[dooers::agent(queue = 10_000, retry = 1)]
pub(crate) async fn queueing(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    script(request, response).await
}

#[dooers::agent(on_busy = "reject", retry = 1)]
pub(crate) async fn rejecting(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    script(request, response).await
}

#[dooers::agent(on_busy = "interrupt", retry = 1)]
pub(crate) async fn interrupting(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    script(request, response).await
}

#[dooers::agent(on_busy = "concurrent", retry = 1)]
pub(crate) async fn concurrent(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    script(request, response).await
}

/// Follows the message: `say X`, `each N` (awaits each text), `burst N` (awaits none), `stream N` (one text of N
/// pieces), `large N BYTES`, `title X`, `busy X` (fails at the first attempt, in the middle of a text) or `fail X`.
async fn script(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let (command, rest) = request.message.split_once(' ').unwrap_or_default();
    match command {
        "say" => drop(response.text(rest)),
        "each" => {
            for number in 1..=parse::<u32>(rest)? {
                response.text(number.to_string()).await?;
            }
        }
        "burst" => {
            for number in 1..=parse::<u32>(rest)? {
                drop(response.text(number.to_string()));
            }
        }
        "stream" => {
            let text = response.text_stream();
            for number in 1..=parse::<u32>(rest)? {
                text.push(format!("{number} "));
                // Pauses between pieces like a language model, so that other operations run in the
                // middle of a text.
                sleep(Duration::from_millis(1)).await;
            }
            text.finish().await?;
        }
        "busy" => {
            let text = response.text_stream();
            text.push(format!("attempt {}", request.attempt()));
            if request.attempt() == 1 {
                return Err(AgentError::retryable("the model is busy"));
            }
        }
        "large" => {
            let (count, size) = rest.split_once(' ').unwrap_or((rest, "1"));
            let padding = "x".repeat(parse(size)?);
            for number in 1..=parse::<u32>(count)? {
                response.text(format!("{number} {padding}")).await?;
            }
        }
        "title" => {
            response.update_thread(|thread| thread.title(rest)).await?;
        }
        _ => return Err(rest.to_owned().into()),
    }
    Ok(())
}

fn parse<T: FromStr>(text: &str) -> Result<T, T::Err> {
    text.parse()
}
