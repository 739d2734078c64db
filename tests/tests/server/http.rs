//! Requests whose headers a test writes itself.

use dooers_tests::within;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The headers of a request that opens a WebSocket.
pub(crate) const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// The body as text.
    pub(crate) body: String,
    /// The body as it was sent.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// Parses everything before the body.
    fn parse(head: &[u8]) -> Self {
        let head = str::from_utf8(head).unwrap();
        let (line, headers) = head.trim_end().split_once("\r\n").unwrap();
        let headers = headers.lines().map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self {
            status: line.split(' ').nth(1).unwrap().parse().unwrap(),
            headers: headers.collect(),
            body: String::new(),
            bytes: Vec::new(),
        }
    }

    fn with_body(mut self, bytes: Vec<u8>) -> Self {
        self.body = String::from_utf8_lossy(&bytes).into_owned();
        self.bytes = bytes;
        self
    }

    /// The value of a header, which may occur at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} occurs twice: {self:?}");
        value
    }

    /// The names of the headers that begin with this text.
    pub(crate) fn names(&self, beginning: &str) -> Vec<&str> {
        let names = self.headers.iter().map(|(name, _)| name.as_str());
        names.filter(|name| name.starts_with(beginning)).collect()
    }
}

/// Sends a request line and headers, and reads the answer.
pub(crate) async fn send(address: SocketAddr, line: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    within("an answer", answer_of(&mut stream)).await
}

/// Reads an answer. The connection may stay open after it.
pub(crate) async fn answer_of(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let end = loop {
        // An opened WebSocket sends nothing after its headers.
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break end;
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "{bytes:?}");
    };
    let mut body = bytes.split_off(end + 4);
    let answer = Answer::parse(&bytes);
    let length: usize = answer
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        assert_ne!(stream.read_buf(&mut body).await.unwrap(), 0, "{body:?}");
    }
    answer.with_body(body)
}

/// Sends a request line and headers, and reads until the server ends the connection. Unlike [`send`], it shows that an answer
/// with a length has no body.
pub(crate) async fn fetch(address: SocketAddr, line: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    within("an answer", stream.read_to_end(&mut bytes))
        .await
        .unwrap();
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    let body = bytes.split_off(end + 4);
    Answer::parse(&bytes).with_body(body)
}
