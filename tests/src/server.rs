//! A server on a port of its own.

use crate::{Client, Identity, within};
use dooers::{Agent, Database, ServerError, WorkerConfig, WorkerServer};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// What the system keeps for a connection of little memory, so that a reader is soon a slow one.
const SMALL_BUFFER: u32 = 8 * 1024;

/// A server on a port of its own. It keeps its conversations in memory, unless its configuration says where: a ping
/// is answered after all that was caused before it only where nothing has to wait for a disk.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    worker: WorkerServer,
    serving: JoinHandle<Result<(), ServerError>>,
}

/// Longer than any test takes, so that nothing is noticed only when leases are renewed.
const LEASE: Duration = Duration::from_secs(3600);

/// The defaults, but with conversations in memory.
#[must_use]
pub fn in_memory() -> WorkerConfig {
    WorkerConfig::new().database(Database::Memory).lease(LEASE)
}

impl Server {
    /// A server of this agent.
    pub async fn of<A: Agent>() -> Self {
        Self::with::<A>(|config| config).await
    }

    /// A server of this agent with a configuration of its own.
    pub async fn with<A: Agent>(change: impl FnOnce(WorkerConfig) -> WorkerConfig) -> Self {
        Self::start(WorkerServer::new(change(in_memory())).agent::<A>()).await
    }

    /// Starts a server.
    pub async fn start(worker: WorkerServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::start_on(listener, worker)
    }

    /// Starts a server whose connections have little memory in the system.
    pub async fn start_with_small_buffers(worker: WorkerServer) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        // Accepted connections take over what the listener has.
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

    /// The server as its program has it.
    #[must_use]
    pub fn worker(&self) -> &WorkerServer {
        &self.worker
    }

    /// A client that has not said `connect` yet.
    pub async fn open(&self) -> Client {
        Client::open(self.address, "/ws").await
    }

    /// A client of this identity.
    pub async fn client(&self, identity: impl Into<Identity>) -> Client {
        let mut client = self.open().await;
        client.connect(identity).await;
        client
    }

    /// A client of this identity for which the system keeps little that it has not read.
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

    /// Asks for a page over HTTP; the result is the status and the body.
    pub async fn get(&self, path: &str) -> (u16, String) {
        get(self.address, path).await
    }

    /// Tries to open a WebSocket that there is not; the result is the status and the body.
    pub async fn try_upgrade(&self, path: &str) -> (u16, String) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        http(self.address, &request).await
    }

    /// Begins to close the server, as [`WorkerServer::close`] does, and gives back the closing.
    pub fn begin_close(&self) -> JoinHandle<()> {
        let worker = self.worker.clone();
        tokio::spawn(async move { worker.close().await })
    }

    /// Lets these clients leave and closes the server, which must have served without an error.
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

/// Asks for a page over HTTP; the result is the status and the body.
pub async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    http(address, &request).await
}

/// Posts a JSON value over HTTP; the result is the status and the body.
pub async fn post(address: SocketAddr, path: &str, value: &Value) -> (u16, String) {
    let body = value.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    http(address, &request).await
}

async fn http(address: SocketAddr, request: &str) -> (u16, String) {
    let mut answer = String::new();
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        stream.read_to_string(&mut answer).await
    };
    within("an answer over HTTP", exchange)
        .await
        .expect("the server answers");
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    (status.expect("a status"), body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Here, as no agent is annotated in this library.
    #[tokio::test]
    async fn error_without_agents_explains_how_to_add_one() {
        let error = WorkerServer::new(in_memory()).router().await.unwrap_err();
        assert!(matches!(error, ServerError::NoAgent));
        let text = error.to_string();
        assert!(
            text.starts_with("there is no agent to serve: put `#[dooers::agent]` on"),
            "{text}"
        );
    }
}
