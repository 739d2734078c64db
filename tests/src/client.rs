//! A client that speaks the protocol over a real WebSocket.

use crate::raw::RawClient;
use crate::{Identity, TIMEOUT};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::fmt::Write;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;

/// Number of recent frames printed on failure.
const SHOWN: usize = 60;

/// A WebSocket client. It reads only while a test waits for a frame, so an idle client is a slow reader.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    seen: Vec<String>,
    sent: u64,
}

impl Client {
    /// Opens a WebSocket at this path without sending `connect`.
    pub async fn open(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a server listens");
        Self::upgrade(stream, address, path).await
    }

    /// Opens a WebSocket over an existing connection.
    pub async fn upgrade(stream: TcpStream, address: SocketAddr, path: &str) -> Self {
        stream.set_nodelay(true).expect("the socket is open");
        let opening = tokio_tungstenite::client_async(format!("ws://{address}{path}"), stream);
        let (socket, _) = crate::within("the WebSocket's handshake", opening)
            .await
            .expect("the server speaks WebSocket");
        Self {
            socket,
            seen: Vec::new(),
            sent: 0,
        }
    }

    /// Opens a WebSocket with these headers. Returns the answer of the server, too.
    pub async fn open_with(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> (Self, Response) {
        let mut request = format!("ws://{address}{path}")
            .into_client_request()
            .expect("a URL");
        for (name, value) in headers {
            let value = value.parse().expect("the value of a header");
            request.headers_mut().append(*name, value);
        }
        let stream = TcpStream::connect(address).await.expect("a server listens");
        let opening = tokio_tungstenite::client_async(request, stream);
        let (socket, answer) = crate::within("the WebSocket's handshake", opening)
            .await
            .expect("the server speaks WebSocket");
        let client = Self {
            socket,
            seen: Vec::new(),
            sent: 0,
        };
        (client, answer)
    }

    /// All messages that the client has received.
    #[must_use]
    pub fn received(&self) -> &[String] {
        &self.seen
    }

    /// The address of the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.socket
            .get_ref()
            .peer_addr()
            .expect("the socket is connected")
    }

    /// Sends `connect` and returns the ack.
    pub async fn connect(&mut self, identity: impl Into<Identity>) -> Value {
        let id = self.send("connect", identity.into().payload()).await;
        self.expect_ack(&id).await
    }

    /// Sends a frame and returns its id.
    pub async fn send(&mut self, kind: &str, payload: Value) -> String {
        self.sent += 1;
        let id = format!("frame-{}", self.sent);
        self.send_frame(&json!({"id": id, "type": kind, "payload": payload}))
            .await;
        id
    }

    /// Sends a frame built by the test.
    pub async fn send_frame(&mut self, frame: &Value) {
        self.send_text(frame.to_string()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.send_raw(Message::text(text.into())).await;
    }

    /// Sends any WebSocket message.
    pub async fn send_raw(&mut self, message: Message) {
        match tokio::time::timeout(TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(&format!("sending failed: {error}")),
            Err(_) => self.fail("timed out while sending"),
        }
    }

    /// Writes bytes below the WebSocket layer.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt;
        let stream = self.socket.get_mut();
        crate::within("the server to accept bytes", stream.write_all(bytes))
            .await
            .expect("the server is running");
    }

    /// Gives up the WebSocket layer and keeps the connection.
    #[must_use]
    pub fn into_raw(self) -> RawClient {
        RawClient::new(self.socket.into_inner())
    }

    /// Reads the text of the next frame.
    pub async fn next_text(&mut self) -> String {
        match self.next_message("a frame").await {
            Message::Text(text) => text.to_string(),
            other => self.fail(&format!("waited for a frame and received {other:?}")),
        }
    }

    /// Reads the next frame.
    pub async fn next(&mut self) -> Value {
        let text = self.next_text().await;
        match serde_json::from_str(&text) {
            Ok(frame) => frame,
            Err(error) => self.fail(&format!("a frame is not JSON: {error}")),
        }
    }

    /// Reads the next frame, which must have this type, and returns its payload.
    pub async fn expect(&mut self, kind: &str) -> Value {
        let mut frame = self.next().await;
        if frame["type"] != kind {
            self.fail(&format!("the next frame must be `{kind}`, but is {frame}"));
        }
        frame["payload"].take()
    }

    /// Reads the next frame, which must be a positive ack of this frame.
    pub async fn expect_ack(&mut self, id: &str) -> Value {
        let ack = self.expect("ack").await;
        if ack["ack_id"] != id || ack["ok"] != true || !ack["error"].is_null() {
            self.fail(&format!(
                "`{id}` must be accepted, but the server sent {ack}"
            ));
        }
        ack
    }

    /// Reads the next frame, which must reject this frame, and returns the error's code and message.
    pub async fn expect_error(&mut self, id: &str) -> (String, String) {
        let ack = self.expect("ack").await;
        let error = &ack["error"];
        match (error["code"].as_str(), error["message"].as_str()) {
            (Some(code), Some(message)) if ack["ack_id"] == id && ack["ok"] == false => {
                (code.to_owned(), message.to_owned())
            }
            _ => self.fail(&format!(
                "`{id}` must be rejected, but the server sent {ack}"
            )),
        }
    }

    /// Sends a frame. The next frame must be its positive ack.
    pub async fn send_expecting_ack(&mut self, kind: &str, payload: Value) {
        let id = self.send(kind, payload).await;
        self.expect_ack(&id).await;
    }

    /// Sends a frame that must be rejected, and returns the error code.
    pub async fn send_expecting_error(&mut self, kind: &str, payload: Value) -> String {
        let id = self.send(kind, payload).await;
        self.expect_error(&id).await.0
    }

    /// Sends a frame and returns the payload of the next frame, which must have the type `answer`.
    pub async fn request(&mut self, kind: &str, payload: Value, answer: &str) -> Value {
        self.send(kind, payload).await;
        self.expect(answer).await
    }

    /// Subscribes to a thread and returns the snapshot.
    ///
    /// A turn that another process runs, or that is resumed at start, can change the thread row at any time.
    /// Rows that arrive before the snapshot are skipped. Any other frame fails the test.
    pub async fn subscribe(&mut self, thread_id: &str) -> Value {
        self.send("thread.subscribe", json!({"thread_id": thread_id}))
            .await;
        let is_row = |frame: &Value| frame["type"] == "thread.upsert";
        let frames = self.read_until("a snapshot", |frame| !is_row(frame)).await;
        match frames.into_iter().next_back() {
            Some(mut frame) if frame["type"] == "thread.snapshot" => frame["payload"].take(),
            other => self.fail(&format!(
                "`thread.snapshot` must follow, but the server sent {other:?}"
            )),
        }
    }

    /// Sends a message to a thread, or to a new thread if `thread_id` is `None`. Returns the frame id.
    pub async fn send_message(&mut self, thread_id: Option<&str>, text: &str) -> String {
        self.send("event.create", message(thread_id, None, text))
            .await
    }

    /// Sends a message with a `client_event_id`. Returns the frame id.
    pub async fn send_message_as(
        &mut self,
        client_event_id: &str,
        thread_id: Option<&str>,
        text: &str,
    ) -> String {
        let payload = message(thread_id, Some(client_event_id), text);
        self.send("event.create", payload).await
    }

    /// Starts a thread with a message and waits until its turn ends. Returns the thread id.
    pub async fn start_thread(&mut self, text: &str) -> String {
        let id = self.send_message(None, text).await;
        self.expect_ack(&id).await;
        let frames = self.read_turn().await;
        let thread_id = frames[0]["payload"]["thread"]["id"].as_str();
        match thread_id {
            Some(thread_id) => thread_id.to_owned(),
            None => self.fail("the first frame of a new thread must be `thread.upsert`"),
        }
    }

    /// Sends a message to a thread and waits until its turn ends. Returns the frames after the ack.
    pub async fn run_turn(&mut self, thread_id: &str, text: &str) -> Vec<Value> {
        let id = self.send_message(Some(thread_id), text).await;
        self.expect_ack(&id).await;
        self.read_turn().await
    }

    /// Reads until the end of a run.
    pub async fn read_turn(&mut self) -> Vec<Value> {
        let is_end = |frame: &Value| {
            frame["type"] == "run.upsert" && frame["payload"]["run"]["status"] != "running"
        };
        self.read_until("the end of a run", is_end).await
    }

    /// Reads until the first frame that matches `is_last`.
    pub async fn read_until(&mut self, what: &str, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let Message::Text(text) = self.next_message(what).await else {
                self.fail(&format!(
                    "the connection is closing while waiting for {what}"
                ));
            };
            let frame = serde_json::from_str(&text).expect("a frame is JSON");
            frames.push(frame);
            if frames.last().is_some_and(&is_last) {
                return frames;
            }
        }
    }

    /// Checks that the server has sent nothing: the next frame answers a ping.
    pub async fn expect_nothing(&mut self) {
        self.send("ping", json!({})).await;
        self.expect("pong").await;
    }

    /// Reads all frames that the server sends before it answers a ping.
    pub async fn read_pending(&mut self) -> Vec<Value> {
        self.send("ping", json!({})).await;
        let mut frames = self
            .read_until("a pong", |frame| frame["type"] == "pong")
            .await;
        frames.pop();
        frames
    }

    /// Reads until the server closes the connection, and returns the close code.
    pub async fn expect_close(&mut self) -> u16 {
        loop {
            if let Err((code, _)) = self.next_or_close().await {
                return code;
            }
        }
    }

    /// Reads the next frame, or the code and the reason of the closing frame.
    ///
    /// # Errors
    ///
    /// The code and the reason, if the server closes the connection.
    pub async fn next_or_close(&mut self) -> Result<Value, (u16, String)> {
        match self.next_message("a frame or the end").await {
            Message::Text(text) => Ok(serde_json::from_str(&text).expect("a frame is JSON")),
            Message::Close(Some(frame)) => {
                // The closing reply is queued. The server may be gone already.
                let _ = self.socket.flush().await;
                Err((frame.code.into(), frame.reason.to_string()))
            }
            other => self.fail(&format!("waited for a frame and received {other:?}")),
        }
    }

    /// Closes the WebSocket like a well-behaved client.
    pub async fn disconnect(mut self) {
        // The server may be gone already.
        let _ = tokio::time::timeout(TIMEOUT, self.socket.close(None)).await;
    }

    async fn next_message(&mut self, what: &str) -> Message {
        loop {
            match tokio::time::timeout(TIMEOUT, self.socket.next()).await {
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Ok(Some(Ok(message))) => {
                    self.seen.push(message.to_string());
                    return message;
                }
                Ok(Some(Err(error))) => {
                    self.fail(&format!("reading failed while waiting for {what}: {error}"))
                }
                Ok(None) => self.fail(&format!("the connection ended while waiting for {what}")),
                Err(_) => self.fail(&format!("timed out while waiting for {what}")),
            }
        }
    }

    /// Fails the test and prints the received frames.
    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        let mut text = format!("{why}\nseen until then ({} frames):\n", self.seen.len());
        for frame in &self.seen[self.seen.len().saturating_sub(SHOWN)..] {
            let shown: String = frame.chars().take(2000).collect();
            let _ = writeln!(text, "  {shown}");
        }
        panic!("{text}");
    }
}

fn message(thread_id: Option<&str>, client_event_id: Option<&str>, text: &str) -> Value {
    json!({
        "thread_id": thread_id,
        "client_event_id": client_event_id,
        "event": {"type": "message", "actor": "user", "content": [{"type": "text", "text": text}]},
    })
}
