//! A receiver of requests on a real socket, for tests.

use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) const CONFIRMS: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// The limit of a wait that only a broken test reaches.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A receiver that answers its first requests in a given way, and confirms all others.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    requests: mpsc::Receiver<ReceivedRequest>,
    pub(crate) task: JoinHandle<()>,
}

/// A request that was received.
#[derive(Debug)]
pub(crate) struct ReceivedRequest {
    /// The request line and the headers, in lower case.
    pub(crate) head: String,
    /// The body, or `null` without one.
    pub(crate) body: Value,
}

/// The reaction to a request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    Answer(String),
    Close,
    Hang,
}

/// Answers with this status and these headers, and without a body.
pub(crate) fn answer(head: &str) -> Reaction {
    Reaction::Answer(format!("HTTP/1.1 {head}\r\n\r\n"))
}

impl Receiver {
    pub(crate) async fn start(reactions: Vec<Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (received, requests) = mpsc::channel(64);
        let task = tokio::spawn(async move {
            let mut reactions = reactions.into_iter();
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                match reactions.next() {
                    None => stream.write_all(CONFIRMS.as_bytes()).await.unwrap(),
                    Some(Reaction::Answer(text)) => {
                        // The client may close before it has read all of a large answer.
                        let _ = stream.write_all(text.as_bytes()).await;
                    }
                    Some(Reaction::Close) => {}
                    Some(Reaction::Hang) => open.push(stream),
                }
                if received.send(request).await.is_err() {
                    return;
                }
            }
        });
        Self {
            port,
            requests,
            task,
        }
    }

    pub(crate) async fn next(&mut self) -> ReceivedRequest {
        let next = timeout(LONG, self.requests.recv()).await;
        next.expect("a request in time")
            .expect("a running receiver")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a request. Its body has a `Content-Length`.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> ReceivedRequest {
    let mut bytes = Vec::new();
    loop {
        assert!(
            stream.read_buf(&mut bytes).await.unwrap() > 0,
            "a whole request"
        );
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1);
        let length = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        if body.len() >= length {
            let body = serde_json::from_str(body).unwrap_or_default();
            return ReceivedRequest { head, body };
        }
    }
}
