//! How a client reached the server.

use axum::http::HeaderMap;
use std::net::IpAddr;
use std::sync::Arc;

/// How a client reached the server, for its authenticator. It is empty for a client in the same process.
#[derive(Debug, Clone, Default)]
pub(super) struct ClientOrigin {
    /// The headers of the request that opened the WebSocket. Empty if the authenticator believes clients, so that idle
    /// connections hold little memory.
    pub(super) headers: Arc<HeaderMap>,
    /// The address of the client. `None` if it is not known.
    pub(super) peer: Option<IpAddr>,
}
