//! Leading handlers that run in other processes, by the calls that they make.

use dooers_tests::within;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Where the handlers of `calling-server` call.
pub(crate) struct Calls {
    listener: TcpListener,
    address: SocketAddr,
}

/// A handler that waits to be told what to do.
pub(crate) struct Call {
    stream: BufReader<TcpStream>,
    /// The process that it runs in.
    pub(crate) process: u32,
    /// What its message says behind the address.
    pub(crate) key: String,
}

impl Calls {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// The message that makes a handler call, with this key.
    pub(crate) fn message(&self, key: &str) -> String {
        format!("{} {key}", self.address)
    }

    /// The next handler that begins.
    pub(crate) async fn next(&self) -> Call {
        let (stream, _) = within("a handler to call", self.listener.accept())
            .await
            .unwrap();
        let mut stream = BufReader::new(stream);
        let hello = line(&mut stream).await;
        let mut words = hello.splitn(3, ' ');
        let process = words.next().unwrap().parse().unwrap();
        let key = words.nth(1).unwrap().to_owned();
        Call {
            stream,
            process,
            key,
        }
    }
}

impl Call {
    /// Begins to let it send a text.
    pub(crate) async fn say(&mut self, text: &str) {
        let say = format!("say {text}\n");
        self.stream.write_all(say.as_bytes()).await.unwrap();
    }

    /// What became of the text: `stored`, `refused`, or nothing, if the handler was dropped.
    pub(crate) async fn outcome(&mut self) -> String {
        line(&mut self.stream).await
    }

    /// Lets the turn end.
    pub(crate) async fn end(mut self) {
        self.stream.write_all(b"end\n").await.unwrap();
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    // A process that is killed resets its connections.
    let _ = within("a handler to say something", stream.read_line(&mut line)).await;
    line.trim_end().to_owned()
}
