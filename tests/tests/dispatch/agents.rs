//! The agents that the tests dispatch to.

use dooers::prelude::*;
use dooers_tests::gate;
use futures::stream;
use std::io;

/// Follows the lines of the message.
///
/// `say X` sends a text, `burst N` sends the texts 1 to N and awaits each, `grow X Y …` streams a text word by
/// word, `title X` sets the thread's title, `wait KEY` waits at a gate, and `fail X`, `public X` and `panic X` end
/// the turn.
#[dooers::agent(default)]
pub(crate) async fn actor(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    for line in request.message.lines() {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "say" => drop(response.text(rest)),
            "burst" => {
                for number in 1..=rest.parse::<u32>()? {
                    response.text(number.to_string()).await?;
                }
            }
            "grow" => {
                let text = response.text_stream();
                for word in rest.split(' ') {
                    text.push(word);
                }
                text.finish().await?;
            }
            "title" => {
                response.update_thread(|thread| thread.title(rest)).await?;
            }
            "wait" => gate::pass(rest).await,
            "fail" => return Err(io::Error::other(rest.to_owned()).into()),
            "public" => return Err(AgentError::public(rest)),
            "panic" => panic!("{rest}"),
            other => return Err(format!("no command: {other}").into()),
        }
    }
    Ok(())
}

/// Waits at the gate that the message names. One message may be queued.
#[dooers::agent(queue = 1)]
pub(crate) async fn queueing(request: WorkerRequest) -> String {
    pass(&request).await
}

#[dooers::agent(on_busy = "reject")]
pub(crate) async fn rejecting(request: WorkerRequest) -> String {
    pass(&request).await
}

#[dooers::agent(on_busy = "interrupt")]
pub(crate) async fn interrupting(request: WorkerRequest) -> String {
    pass(&request).await
}

#[dooers::agent(on_busy = "concurrent")]
pub(crate) async fn concurrent(request: WorkerRequest) -> String {
    pass(&request).await
}

async fn pass(request: &WorkerRequest) -> String {
    gate::pass(&request.message).await;
    format!("passed {}", request.message)
}

/// Exceeds its timeout.
#[dooers::agent(timeout = "90s")]
pub(crate) async fn endless(response: WorkerResponse) -> Result<()> {
    response.text("so far").await?;
    std::future::pending().await
}

/// Fails twice.
#[dooers::agent(retry = 2)]
pub(crate) async fn retrying(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let attempt = request.attempt();
    response.text(format!("attempt {attempt}")).await?;
    if attempt < 3 {
        return Err(AgentError::retryable(io::Error::other("busy")));
    }
    Ok(())
}

/// Answers in two runs, and with an event outside of them.
#[dooers::agent(run = "manual")]
pub(crate) async fn manual(response: WorkerResponse) -> Result<()> {
    for text in ["one", "two"] {
        response.run_start().await?;
        response.text(text).await?;
        response.run_end(Ok(())).await?;
    }
    response.text("three").await?;
    Ok(())
}

/// Streams an answer word by word, and waits at a gate after each word.
#[dooers::agent]
pub(crate) async fn hesitant(response: WorkerResponse) -> Result<()> {
    let text = response.text_stream();
    for word in ["a", "b", "c"] {
        text.push(word);
        gate::pass("hesitant").await;
    }
    text.finish().await?;
    Ok(())
}

/// Streams an answer.
#[dooers::agent]
pub(crate) async fn storyteller() -> TextReply {
    TextReply::stream(stream::iter(["Once ", "upon ", "a ", "time"]))
}
