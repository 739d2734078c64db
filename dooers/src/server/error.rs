//! Why a server does not start.

use crate::store::StoreError;
use std::io;
use std::net::SocketAddr;

/// Why a server does not start, or stopped by itself. Each text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is nothing to serve.
    #[error(
        "there is no agent to serve: put `#[dooers::agent]` on an async function, or name one from a library with `.agent::<…>()`"
    )]
    NoAgent,
    /// Two agents have one name.
    #[error(
        "two agents are named `{0}`: give one of them another name with `#[dooers::agent(name = \"…\")]`, or choose with `.agent::<…>()` which to serve"
    )]
    SameName(&'static str),
    /// Two agents are the default one.
    #[error(
        "the agents `{0}` and `{1}` are both marked `#[dooers::agent(default)]`: `/ws` can lead to one only"
    )]
    TwoDefaults(&'static str, &'static str),
    /// The address is not to be had.
    #[error("cannot listen on {address}: {hint}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What to do.
        hint: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It was closed before.
    #[error("the server was closed; make a new one with `WorkerServer::new`")]
    Closed,
    /// The listener failed.
    #[error("the listener failed")]
    Listen(#[source] io::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServerError {
    pub(crate) fn bind(address: SocketAddr, source: io::Error) -> Self {
        let hint = match source.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there; stop it, or set WORKER_BIND to another address, such as 127.0.0.1:8001"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address; set WORKER_BIND to one that it has, such as 127.0.0.1:8000"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege; set WORKER_BIND to a higher one, such as 127.0.0.1:8000"
            }
            _ => "set WORKER_BIND to another address, such as 127.0.0.1:8000",
        };
        Self::Bind {
            address,
            hint,
            source,
        }
    }
}
