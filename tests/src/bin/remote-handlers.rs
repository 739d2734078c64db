//! The server of which several run on one database, and whose handlers are led by the test, which is another process.

use dooers::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Calls the address that the message begins with, says the message and which process it is in, and does what it is told
/// there, line by line: `say X` sends a text and answers whether it was stored, `long N` sends a text of N bytes and answers
/// the same, `block` blocks the thread for ever, `leave` leaves a thread of the runtime that is blocked for ever, `end` ends
/// the turn. The end of the call ends it, too.
#[dooers::agent(queue = 1000)]
async fn calling(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let address = request.message.split(' ').next().unwrap_or_default();
    let mut call = BufReader::new(TcpStream::connect(address).await?);
    let hello = format!("{} {}\n", std::process::id(), request.message);
    call.write_all(hello.as_bytes()).await?;
    let mut line = String::new();
    while call.read_line(&mut line).await? > 0 {
        let (command, argument) = line.trim_end().split_once(' ').unwrap_or((&line, ""));
        let text = match command.trim_end() {
            "say" => argument.to_owned(),
            "long" => "x".repeat(argument.parse()?),
            "block" => {
                call.write_all(b"blocks\n").await?;
                block()
            }
            "leave" => {
                tokio::task::spawn_blocking(|| block());
                call.write_all(b"left\n").await?;
                break;
            }
            _ => break,
        };
        let answer = match response.text(text).await {
            Ok(_) => "stored\n",
            Err(_) => "refused\n",
        };
        call.write_all(answer.as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

fn block() -> ! {
    loop {
        std::thread::park();
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    println!("It has stopped.");
    Ok(())
}
