//! A connection that may end at any time.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// The server is gone.
#[derive(Debug)]
pub(crate) struct Disconnected;

/// A connection that may end at any time.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: WebSocketStream<TcpStream>,
    sent: u64,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Disconnected> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|_| Disconnected)?;
        stream.set_nodelay(true).map_err(|_| Disconnected)?;
        let opening = tokio_tungstenite::client_async(format!("ws://{address}/ws"), stream);
        let (socket, _) = opening.await.map_err(|_| Disconnected)?;
        Ok(Self { socket, sent: 0 })
    }

    /// Sends a frame and returns its id.
    pub(crate) async fn send(
        &mut self,
        kind: &str,
        payload: &Value,
    ) -> Result<String, Disconnected> {
        self.sent += 1;
        let id = format!("frame-{}", self.sent);
        let frame = json!({"id": id, "type": kind, "payload": payload}).to_string();
        let sending = self.socket.send(Message::text(frame));
        sending.await.map_err(|_| Disconnected)?;
        Ok(id)
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Result<Value, Disconnected> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("a frame is JSON"));
                }
                Some(Ok(Message::Ping(_))) => {}
                _ => return Err(Disconnected),
            }
        }
    }
}
