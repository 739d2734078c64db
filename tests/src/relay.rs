//! A relay in front of a server, which a test can cut.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// A TCP relay in front of a server. While it is cut, its connections are closed and new ones are refused.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
    relaying: JoinHandle<()>,
}

impl Relay {
    /// Starts a relay to a server on a free port.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let (is_cut, cut) = watch::channel(false);
        Self {
            address,
            is_cut,
            relaying: tokio::spawn(relay(listener, server, cut)),
        }
    }

    /// The address at which clients reach the server through the relay.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections, and refuses new ones from now on.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Accepts connections again.
    pub fn restore(&self) {
        self.is_cut.send_replace(false);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.relaying.abort();
    }
}

async fn relay(listener: TcpListener, server: SocketAddr, is_cut: watch::Receiver<bool>) {
    // The connections end with this task.
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let mut is_cut = is_cut.clone();
        if *is_cut.borrow_and_update() {
            continue;
        }
        connections.spawn(async move {
            let relaying = async {
                let mut server = TcpStream::connect(server).await?;
                copy_bidirectional(&mut client, &mut server).await
            };
            tokio::select! {
                // An error ends the connection, like its end.
                _ = relaying => {}
                _ = is_cut.changed() => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
