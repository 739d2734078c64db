//! The server that the crash tests start, kill and start again.

use dooers::prelude::*;

/// Says what you said, in as many texts that grow as the message's number modulo 3, and one more event.
#[dooers::agent(queue = 10_000)]
async fn echo(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let text = &request.message;
    let number: u64 = text.rsplit(' ').next().unwrap_or_default().parse()?;
    for part in 0..number % 3 {
        let answer = response.text_stream();
        for word in format!("You said: {text} ({part})").split_inclusive(' ') {
            answer.push(word);
            tokio::task::yield_now().await;
        }
        answer.finish().await?;
    }
    // Nobody waits for the last: it is stored with the end of the run.
    drop(response.text(format!("You said: {text}")));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
