//! A reverse proxy in front of several nodes. It passes each connection to the next node that is ready, whichever client
//! opens it. It does not look into the connections, so WebSockets need no special treatment.
//!
//! `examples/cluster/run` starts it: `example-cluster-proxy ADDRESS NODE...`, where ADDRESS is the address to listen on and
//! each NODE is the address of a node. Every half second, it requests `/readyz` of each node. A node that does not answer,
//! or that answers with another status than 200, gets no new connections.
//!
//! It is made for this example. It does not pass the address of the client, and has no TLS. Use nginx, HAProxy, Envoy or the
//! load balancer of your platform in production.

use dooers::{Context, Result};
use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// The time between two checks of a node.
const CHECK: Duration = Duration::from_millis(500);

/// The time in which a node must answer.
const LIMIT: Duration = Duration::from_secs(1);

/// The beginning of the answer of a node that is ready.
const READY: &[u8] = b"HTTP/1.1 200";

const NO_NODE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\
    Connection: close\r\n\r\nno node is ready\n";

#[derive(Debug)]
struct Node {
    address: SocketAddr,
    is_ready: AtomicBool,
}

impl Node {
    /// Checks whether the node is ready, and prints a change.
    async fn check(&self) {
        let is_ready = matches!(timeout(LIMIT, self.answers()).await, Ok(Ok(true)));
        if self.is_ready.swap(is_ready, Ordering::Relaxed) != is_ready {
            let state = if is_ready { "is" } else { "is not" };
            println!("{} {state} ready", self.address);
        }
    }

    async fn answers(&self) -> std::io::Result<bool> {
        let mut node = TcpStream::connect(self.address).await?;
        let request = format!(
            "GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        node.write_all(request.as_bytes()).await?;
        let mut status = [0; READY.len()];
        node.read_exact(&mut status).await?;
        Ok(status == READY)
    }
}

/// Connects to the next node that is ready and does not refuse. `turn` counts the connections.
async fn connect(nodes: &[Node], turn: usize) -> Option<TcpStream> {
    let is_ready = |node: &&Node| node.is_ready.load(Ordering::Relaxed);
    let ready: Vec<_> = nodes.iter().filter(is_ready).collect();
    for place in 0..ready.len() {
        let node = ready[(turn + place) % ready.len()];
        if let Ok(Ok(stream)) = timeout(LIMIT, TcpStream::connect(node.address)).await {
            return Some(stream);
        }
    }
    None
}

/// Passes the bytes of a client to a node and back, until both have ended.
async fn pass(mut client: TcpStream, nodes: &[Node], turn: usize) -> std::io::Result<()> {
    let Some(mut node) = connect(nodes, turn).await else {
        return client.write_all(NO_NODE).await;
    };
    // Frames are sent immediately, without waiting for the acknowledgement of earlier ones.
    client.set_nodelay(true)?;
    node.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut node).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let listen = arguments.next().unwrap_or_default();
    let nodes = arguments.map(|address| {
        let address = address
            .parse()
            .with_context(|| format!("`{address}` is not an address"))?;
        Ok(Node {
            address,
            is_ready: AtomicBool::new(false),
        })
    });
    let nodes: Arc<[Node]> = nodes.collect::<Result<_>>()?;
    let listener = TcpListener::bind(&listen)
        .await
        .with_context(|| format!("cannot listen on `{listen}`"))?;
    for place in 0..nodes.len() {
        // The first connections already find the nodes that are ready.
        nodes[place].check().await;
        let nodes = Arc::clone(&nodes);
        tokio::spawn(async move {
            loop {
                sleep(CHECK).await;
                nodes[place].check().await;
            }
        });
    }
    println!("listening on {}", listener.local_addr()?);
    for turn in 0.. {
        let Ok((client, _)) = listener.accept().await else {
            // For example, too many files are open.
            sleep(CHECK).await;
            continue;
        };
        let nodes = Arc::clone(&nodes);
        // An error is the end of the connection.
        tokio::spawn(async move { pass(client, &nodes, turn).await });
    }
    Ok(())
}
