//! The agent that the clients talk to.

use dooers::prelude::*;
use std::str::FromStr;

/// Does what the message tells it: `say X`, `each N` (waits for each text), `burst N` (waits for none),
/// `large N BYTES`, `title X` or `fail X`.
#[dooers::agent(queue = 10_000)]
pub(crate) async fn script(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
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
