//! A server whose handlers are controlled by a test in another process. Several of these servers can share one
//! database.

use dooers::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Connects to the address at the start of the message, reports its process id and the message, and then executes
/// commands line by line: `say X` sends a text and replies whether it was stored, `long N` does the same with a
/// text of N bytes, `ask` asks a form and replies with the answer, `block` blocks the thread forever, `leave` leaves a runtime thread blocked forever, and `end`
/// ends the turn. Closing the connection ends the turn, too.
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
            "ask" => {
                let form = Form::new("Well?").element(FormElement::text("it", "It"));
                let reply = response.ask_form(&form).await?;
                let answer = reply.response().and_then(|answer| answer.text("it"));
                let answer = format!("{}\n", answer.unwrap_or("nothing"));
                call.write_all(answer.as_bytes()).await?;
                line.clear();
                continue;
            }
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
