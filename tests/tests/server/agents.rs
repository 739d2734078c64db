//! The agents of the server tests.

use dooers::prelude::*;
use dooers_tests::gate;
use std::str::FromStr;

/// Echoes the message.
#[dooers::agent]
pub(crate) async fn echo(request: WorkerRequest) -> String {
    format!("You said: {}", request.message)
}

/// Sends nothing.
#[dooers::agent]
pub(crate) async fn quiet() {}

/// Follows the lines of the message.
///
/// `say X` sends a text, `stored X` sends and awaits it, `burst N` sends the texts 1 to N, `each N` awaits each of
/// them, `large N BYTES` sends N texts of that size and awaits each, `title X` sets the thread's title, `wait KEY`
/// waits at a gate, and `fail X`, `public X` and `panic X` end the turn. Other lines are ignored.
#[dooers::agent]
pub(crate) async fn script(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    for line in request.message.lines() {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "say" => drop(response.text(rest)),
            "stored" => {
                response.text(rest).await?;
            }
            "burst" => {
                for number in 1..=parse::<u32>(rest)? {
                    drop(response.text(number.to_string()));
                }
            }
            "each" => {
                for number in 1..=parse::<u32>(rest)? {
                    response.text(number.to_string()).await?;
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
            "wait" => gate::pass(rest).await,
            "fail" => return Err(rest.to_owned().into()),
            "public" => return Err(AgentError::public(rest)),
            "panic" => panic!("{rest}"),
            _ => {}
        }
    }
    Ok(())
}

fn parse<T: FromStr>(text: &str) -> Result<T, T::Err> {
    text.parse()
}
