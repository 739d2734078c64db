//! A server on its own port.

use crate::{Client, Identity, within};
use dooers::{Agent, Database, ServerError, WorkerConfig, WorkerServer};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// The socket buffer of connections with little memory, which makes a slow reader fall behind quickly.
const SMALL_BUFFER: u32 = 8 * 1024;

/// A server on its own port, by default in memory. Only then is a ping answered after all frames that were caused
/// before it, as no write waits for a disk.
#[derive(Debug)]
pub struct Server {
    /// The address of its listener.
    pub address: SocketAddr,
    worker: WorkerServer,
    serving: JoinHandle<Result<(), ServerError>>,
}

/// Longer than any test, so that lease renewals never hide a missing notification.
const LEASE: Duration = Duration::from_secs(3600);

/// The default configuration, with an in-memory database.
#[must_use]
pub fn in_memory() -> WorkerConfig {
    WorkerConfig::new().database(Database::Memory).lease(LEASE)
}

impl Server {
    /// Starts a server of this agent.
    pub async fn of<A: Agent>() -> Self {
        Self::with::<A>(|config| config).await
    }

    /// Starts a server of this agent with a changed configuration.
    pub async fn with<A: Agent>(change: impl FnOnce(WorkerConfig) -> WorkerConfig) -> Self {
        Self::start(WorkerServer::new(change(in_memory())).agent::<A>()).await
    }

    /// Starts a server on a free port.
    pub async fn start(worker: WorkerServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::start_on(listener, worker)
    }

    /// Starts a server with small send buffers.
    pub async fn start_with_small_buffers(worker: WorkerServer) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        // Accepted connections inherit the buffer of the listener.
        socket.set_send_buffer_size(SMALL_BUFFER).expect("a buffer");
        socket
            .bind(([127, 0, 0, 1], 0).into())
            .expect("a free port");
        Self::start_on(socket.listen(64).expect("a listener"), worker)
    }

    fn start_on(listener: TcpListener, worker: WorkerServer) -> Self {
        let address = listener.local_addr().expect("a bound listener");
        let server = worker.clone();
        Self {
            address,
            worker,
            serving: tokio::spawn(async move { server.serve_on(listener).await }),
        }
    }

    /// The server as the program under test holds it.
    #[must_use]
    pub fn worker(&self) -> &WorkerServer {
        &self.worker
    }

    /// A client that has not sent `connect`.
    pub async fn open(&self) -> Client {
        Client::open(self.address, "/ws").await
    }

    /// A client with this identity.
    pub async fn client(&self, identity: impl Into<Identity>) -> Client {
        let mut client = self.open().await;
        client.connect(identity).await;
        client
    }

    /// A client with this identity and a small receive buffer.
    pub async fn client_with_small_buffer(&self, identity: impl Into<Identity>) -> Client {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(SMALL_BUFFER).expect("a buffer");
        let stream = socket
            .connect(self.address)
            .await
            .expect("the server listens");
        let mut client = Client::upgrade(stream, self.address, "/ws").await;
        client.connect(identity).await;
        client
    }

    /// Sends a GET request. Returns the status and the body.
    pub async fn get(&self, path: &str) -> (u16, String) {
        get(self.address, path).await
    }

    /// Requests a WebSocket that must be refused. Returns the status and the body.
    pub async fn try_upgrade(&self, path: &str) -> (u16, String) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        http(self.address, &request).await
    }

    /// Starts closing the server as [`WorkerServer::close`] does, and returns the task.
    pub fn begin_close(&self) -> JoinHandle<()> {
        let worker = self.worker.clone();
        tokio::spawn(async move { worker.close().await })
    }

    /// Disconnects these clients and closes the server, which must have served without an error.
    pub async fn close(self, clients: impl IntoIterator<Item = Client>) {
        for client in clients {
            client.disconnect().await;
        }
        within("the server to close", self.worker.close()).await;
        within("the listener to end", self.serving)
            .await
            .expect("the server does not panic")
            .expect("the server serves");
    }
}

/// Sends a GET request. Returns the status and the body.
pub async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    http(address, &request).await
}

/// Posts a JSON value. Returns the status and the body.
pub async fn post(address: SocketAddr, path: &str, value: &Value) -> (u16, String) {
    let body = value.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    http(address, &request).await
}

/// Sends a request as it is, and returns everything that the server answers before it ends the connection.
pub async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut answer = String::new();
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        stream.read_to_string(&mut answer).await
    };
    within("an answer over HTTP", exchange)
        .await
        .expect("the server answers");
    answer
}

async fn http(address: SocketAddr, request: &str) -> (u16, String) {
    let answer = exchange(address, request).await;
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").expect("a complete response");
    (status.expect("a status"), body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // This test lives here because this library has no annotated agent.
    #[tokio::test]
    async fn error_without_agents_explains_how_to_add_one() {
        let error = WorkerServer::new(in_memory())
            .router::<()>()
            .await
            .unwrap_err();
        assert!(matches!(error, ServerError::NoAgent));
        let text = error.to_string();
        assert!(
            text.starts_with("there is no agent to serve: put `#[dooers::agent]` on"),
            "{text}"
        );
    }
}
