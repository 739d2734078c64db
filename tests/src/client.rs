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

/// So many of the newest frames are shown when a wait was in vain.
const SHOWN: usize = 60;

/// A client. It reads only while a test waits for something, so one that is left alone is a slow reader.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    seen: Vec<String>,
    sent: u64,
}

impl Client {
    /// Opens a WebSocket at this path. Nobody has said `connect` yet.
    pub async fn open(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a server listens");
        Self::upgrade(stream, address, path).await
    }

    /// Opens a WebSocket over a connection that was made already.
    pub async fn upgrade(stream: TcpStream, address: SocketAddr, path: &str) -> Self {
        stream.set_nodelay(true).expect("a socket of ours");
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

    /// Where its server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.socket.get_ref().peer_addr().expect("it is connected")
    }

    /// Says `connect`, and gives back the answer.
    pub async fn connect(&mut self, identity: impl Into<Identity>) -> Value {
        let id = self.send("connect", identity.into().payload()).await;
        self.expect_ack(&id).await
    }

    /// Sends a frame; the result is its id.
    pub async fn send(&mut self, kind: &str, payload: Value) -> String {
        self.sent += 1;
        let id = format!("frame-{}", self.sent);
        self.send_frame(&json!({"id": id, "type": kind, "payload": payload}))
            .await;
        id
    }

    /// Sends a frame that is made by the test itself.
    pub async fn send_frame(&mut self, frame: &Value) {
        self.send_text(frame.to_string()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.send_raw(Message::text(text.into())).await;
    }

    /// Sends any message of a WebSocket.
    pub async fn send_raw(&mut self, message: Message) {
        match tokio::time::timeout(TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(&format!("could not send: {error}")),
            Err(_) => self.fail("the server does not take what is sent"),
        }
    }

    /// Sends bytes below the WebSocket.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt;
        let stream = self.socket.get_mut();
        crate::within("the server to take bytes", stream.write_all(bytes))
            .await
            .expect("the server is there");
    }

    /// Leaves the WebSocket, and goes on with its connection.
    #[must_use]
    pub fn into_raw(self) -> RawClient {
        RawClient::new(self.socket.into_inner())
    }

    /// The next frame's text.
    pub async fn next_text(&mut self) -> String {
        match self.next_message("a frame").await {
            Message::Text(text) => text.to_string(),
            other => self.fail(&format!("waited for a frame and got {other:?}")),
        }
    }

    /// The next frame.
    pub async fn next(&mut self) -> Value {
        let text = self.next_text().await;
        match serde_json::from_str(&text) {
            Ok(frame) => frame,
            Err(error) => self.fail(&format!("a frame is not JSON: {error}")),
        }
    }

    /// The payload of the next frame, which must be of this type.
    pub async fn expect(&mut self, kind: &str) -> Value {
        let mut frame = self.next().await;
        if frame["type"] != kind {
            self.fail(&format!(
                "the next frame should be `{kind}`, and is {frame}"
            ));
        }
        frame["payload"].take()
    }

    /// The next frame, which must accept the frame of this id.
    pub async fn expect_ack(&mut self, id: &str) -> Value {
        let ack = self.expect("ack").await;
        if ack["ack_id"] != id || ack["ok"] != true || !ack["error"].is_null() {
            self.fail(&format!("`{id}` should be accepted, and there is {ack}"));
        }
        ack
    }

    /// The code and the text of the next frame, which must refuse the frame of this id.
    pub async fn expect_error(&mut self, id: &str) -> (String, String) {
        let ack = self.expect("ack").await;
        let error = &ack["error"];
        match (error["code"].as_str(), error["message"].as_str()) {
            (Some(code), Some(message)) if ack["ack_id"] == id && ack["ok"] == false => {
                (code.to_owned(), message.to_owned())
            }
            _ => self.fail(&format!("`{id}` should be refused, and there is {ack}")),
        }
    }

    /// Sends a frame that must be accepted, with nothing else before the answer.
    pub async fn send_expecting_ack(&mut self, kind: &str, payload: Value) {
        let id = self.send(kind, payload).await;
        self.expect_ack(&id).await;
    }

    /// Sends a frame that must be refused; the result is the code.
    pub async fn send_expecting_error(&mut self, kind: &str, payload: Value) -> String {
        let id = self.send(kind, payload).await;
        self.expect_error(&id).await.0
    }

    /// Sends a frame; the result is the payload of the next frame, which must be of the type that answers it.
    pub async fn request(&mut self, kind: &str, payload: Value, answer: &str) -> Value {
        self.send(kind, payload).await;
        self.expect(answer).await
    }

    /// Subscribes to a thread, and gives back the snapshot.
    ///
    /// A turn that another process runs, or that is resumed at start, changes the thread's row at any time. Rows that arrive before the
    /// snapshot are skipped; every other frame fails the test.
    pub async fn subscribe(&mut self, thread_id: &str) -> Value {
        self.send("thread.subscribe", json!({"thread_id": thread_id}))
            .await;
        let is_row = |frame: &Value| frame["type"] == "thread.upsert";
        let frames = self.read_until("a snapshot", |frame| !is_row(frame)).await;
        match frames.into_iter().next_back() {
            Some(mut frame) if frame["type"] == "thread.snapshot" => frame["payload"].take(),
            other => self.fail(&format!(
                "`thread.snapshot` should follow, and there is {other:?}"
            )),
        }
    }

    /// Sends a message to a thread or, without one, begins a thread; the result is the frame's id.
    pub async fn send_message(&mut self, thread_id: Option<&str>, text: &str) -> String {
        self.send("event.create", message(thread_id, None, text))
            .await
    }

    /// The same under an id of the client's own.
    pub async fn send_message_as(
        &mut self,
        client_event_id: &str,
        thread_id: Option<&str>,
        text: &str,
    ) -> String {
        let payload = message(thread_id, Some(client_event_id), text);
        self.send("event.create", payload).await
    }

    /// Begins a thread by a message, and waits until the turn has ended; the result is the thread's id.
    pub async fn start_thread(&mut self, text: &str) -> String {
        let id = self.send_message(None, text).await;
        self.expect_ack(&id).await;
        let frames = self.read_turn().await;
        let thread_id = frames[0]["payload"]["thread"]["id"].as_str();
        match thread_id {
            Some(thread_id) => thread_id.to_owned(),
            None => self.fail("a new thread's first frame should be `thread.upsert`"),
        }
    }

    /// Sends a message to a thread, and waits until its turn has ended; the result is what came after the ack.
    pub async fn run_turn(&mut self, thread_id: &str, text: &str) -> Vec<Value> {
        let id = self.send_message(Some(thread_id), text).await;
        self.expect_ack(&id).await;
        self.read_turn().await
    }

    /// The frames up to the end of a run.
    pub async fn read_turn(&mut self) -> Vec<Value> {
        let is_end = |frame: &Value| {
            frame["type"] == "run.upsert" && frame["payload"]["run"]["status"] != "running"
        };
        self.read_until("the end of a run", is_end).await
    }

    /// The frames up to the first one like this.
    pub async fn read_until(&mut self, what: &str, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let Message::Text(text) = self.next_message(what).await else {
                self.fail(&format!("waited for {what}, and the connection is closing"));
            };
            let frame = serde_json::from_str(&text).expect("a frame is JSON");
            frames.push(frame);
            if frames.last().is_some_and(&is_last) {
                return frames;
            }
        }
    }

    /// Everything that the server has sent so far comes before the answer to a ping. There must be nothing.
    pub async fn expect_nothing(&mut self) {
        self.send("ping", json!({})).await;
        self.expect("pong").await;
    }

    /// Everything that the server has sent so far.
    pub async fn read_pending(&mut self) -> Vec<Value> {
        self.send("ping", json!({})).await;
        let mut frames = self
            .read_until("a pong", |frame| frame["type"] == "pong")
            .await;
        frames.pop();
        frames
    }

    /// Reads until the server closes the connection; the result is the code of its closing frame.
    pub async fn expect_close(&mut self) -> u16 {
        loop {
            match self.next_message("the closing frame").await {
                Message::Close(Some(frame)) => {
                    // Its answer is waiting to be sent; the server may have gone without it.
                    let _ = self.socket.flush().await;
                    return frame.code.into();
                }
                Message::Close(None) => self.fail("the closing frame has no code"),
                _ => {}
            }
        }
    }

    /// Says good-bye as a client does that leaves.
    pub async fn disconnect(mut self) {
        // The server may be gone before.
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
                    self.fail(&format!("waited for {what}, and reading failed: {error}"))
                }
                Ok(None) => self.fail(&format!("waited for {what}, and the connection ended")),
                Err(_) => self.fail(&format!("waited in vain for {what}")),
            }
        }
    }

    /// Fails the test, and tells what was seen.
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
