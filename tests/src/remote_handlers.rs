//! Leading handlers that run in other processes, by the calls that they make.

use crate::within;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Where the handlers of `remote-handlers` call.
#[derive(Debug)]
pub struct RemoteHandlers {
    listener: TcpListener,
    address: SocketAddr,
}

/// A handler that waits to be told what to do.
#[derive(Debug)]
pub struct RemoteHandler {
    stream: BufReader<TcpStream>,
    /// The process that it runs in.
    pub process: u32,
    /// What its message says behind the address.
    pub key: String,
}

impl RemoteHandlers {
    /// Listens on a free port.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// The message that makes a handler call, with this key.
    #[must_use]
    pub fn message(&self, key: &str) -> String {
        format!("{} {key}", self.address)
    }

    /// The next handler that begins.
    pub async fn next(&self) -> RemoteHandler {
        let (stream, _) = within("a handler to call", self.listener.accept())
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
    /// Begins to let it send a text.
    pub async fn say(&mut self, text: &str) {
        self.command(&format!("say {text}")).await;
    }

    /// Begins to let it do what a line says, see `remote-handlers`.
    pub async fn command(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.stream.write_all(line.as_bytes()).await.unwrap();
    }

    /// What became of the text: `stored`, `refused`, or nothing, if the handler was dropped.
    pub async fn outcome(&mut self) -> String {
        line(&mut self.stream).await
    }

    /// Lets the turn end.
    pub async fn end(mut self) {
        self.command("end").await;
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    // A process that is killed resets its connections.
    let _ = within("a handler to say something", stream.read_line(&mut line)).await;
    line.trim_end().to_owned()
}
