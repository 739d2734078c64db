//! Handlers in other processes, controlled by the test over TCP.

use crate::within;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The listener to which the handlers of the binary `remote-handlers` connect.
#[derive(Debug)]
pub struct RemoteHandlers {
    listener: TcpListener,
    address: SocketAddr,
}

/// A handler that waits for commands.
#[derive(Debug)]
pub struct RemoteHandler {
    stream: BufReader<TcpStream>,
    /// Its process id.
    pub process: u32,
    /// The part of its message after the address.
    pub key: String,
}

impl RemoteHandlers {
    /// Listens on a free port.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// The message that makes a handler connect with this key.
    #[must_use]
    pub fn message(&self, key: &str) -> String {
        format!("{} {key}", self.address)
    }

    /// Waits for the next handler.
    pub async fn next(&self) -> RemoteHandler {
        let (stream, _) = within("a handler to connect", self.listener.accept())
            .await
            .unwrap();
        let mut stream = BufReader::new(stream);
        let hello = line(&mut stream).await;
        let mut words = hello.splitn(3, ' ');
        let process = words.next().unwrap().parse().unwrap();
        let key = words.nth(1).unwrap().to_owned();
        RemoteHandler {
            stream,
            process,
            key,
        }
    }
}

impl RemoteHandler {
    /// Lets the handler send a text. Does not wait for the outcome.
    pub async fn say(&mut self, text: &str) {
        self.command(&format!("say {text}")).await;
    }

    /// Sends a command, see the binary `remote-handlers`. Does not wait for the outcome.
    pub async fn command(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.stream.write_all(line.as_bytes()).await.unwrap();
    }

    /// The outcome of the text: `stored`, `refused`, or empty if the handler was dropped. After `ask`, the answer.
    pub async fn outcome(&mut self) -> String {
        line(&mut self.stream).await
    }

    /// Ends the turn.
    pub async fn end(mut self) {
        self.command("end").await;
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    // A killed process resets its connections.
    let _ = within("a reply of the handler", stream.read_line(&mut line)).await;
    line.trim_end().to_owned()
}
