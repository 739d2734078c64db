//! Answers over HTTP that are written to a socket directly, and end its connection.

use super::security_headers;
use axum::body::Bytes;
use std::io::{self, Write};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The time for which an answered connection is kept open, so that its client can read the answer.
const LINGER: Duration = Duration::from_secs(1);

/// An answer as it is written to the socket.
#[derive(Debug, Clone)]
pub(super) struct RawAnswer(Bytes);

impl RawAnswer {
    /// Creates an answer with this status, these further header lines, and this text.
    pub(super) fn new(status: &str, headers: &str, text: &str) -> Self {
        let length = text.len();
        let security = security_headers::lines();
        Self(Bytes::from(format!(
            "HTTP/1.1 {status}\r\n\
             {headers}Connection: close\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\n\
             {security}\r\n\
             {text}"
        )))
    }

    /// Answers without waiting for the request, and waits a moment for the client to read the answer. The client may be
    /// gone already.
    pub(super) async fn send(self, stream: TcpStream) {
        let _ = timeout(LINGER, self.exchange(stream)).await;
    }

    /// Bytes that are read later are dropped: a socket that is closed with unread bytes in it may lose the answer.
    async fn exchange(self, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(&self.0).await?;
        stream.shutdown().await?;
        let mut dropped = [0; 1024];
        while stream.read(&mut dropped).await? > 0 {}
        Ok(())
    }

    /// Answers and closes the connection at once. The answer may be lost.
    pub(super) fn send_at_once(&self, stream: TcpStream) {
        // The buffer of a new connection has room for the answer. The client may be gone already.
        let written = stream.into_std().map(|mut stream| stream.write(&self.0));
        drop(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_states_its_own_length() {
        let RawAnswer(bytes) = RawAnswer::new("400 Bad Request", "A: b\r\n", "wrong\n");
        let text = str::from_utf8(&bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "wrong\n");
        assert!(
            head.starts_with("HTTP/1.1 400 Bad Request\r\nA: b\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\nContent-Length: 6\r\n"), "{head}");
        assert!(
            head.contains("\r\nx-content-type-options: nosniff"),
            "{head}"
        );
    }
}
