//! The request of a client to connect, as an authenticator sees it.

use super::Refusal;
use super::bearer::token_in;
use crate::protocol::{AuthToken, ConnectPayload, User};
use axum::http::HeaderMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Maximum length of a token, in bytes. Longer ones are refused before an authenticator sees them, because reading them costs
/// time and memory, and proxies refuse them in headers anyway.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The request of a client to connect: its token, what it states about itself, and how it reached the server.
///
/// Everything except the [`agent`](Self::agent) and the [`peer`](Self::peer) comes from the client. Only the token is proof
/// of anything.
#[derive(Debug, Clone)]
pub struct ConnectRequest {
    agent: &'static str,
    payload: Arc<ConnectPayload>,
    headers: Arc<HeaderMap>,
    peer: Option<IpAddr>,
    token: Option<AuthToken>,
}

impl ConnectRequest {
    /// Creates the request that a client sent to this agent. `headers` are those of the request that opened the WebSocket.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the token is too long.
    pub(crate) fn new(
        agent: &'static str,
        payload: ConnectPayload,
        headers: Arc<HeaderMap>,
        peer: Option<IpAddr>,
    ) -> Result<Self, Refusal> {
        // A later `connect` renews the token that opened the WebSocket.
        let token = payload.auth_token().cloned();
        let token = token.or_else(|| token_in(&headers));
        if let Some(token) = &token
            && token.as_str().len() > MAX_TOKEN_BYTES
        {
            return Err(Refusal::unauthorized(format!(
                "the token is longer than {MAX_TOKEN_BYTES} bytes; log in for one with fewer claims"
            )));
        }
        Ok(Self {
            token,
            payload: Arc::new(payload),
            agent,
            headers,
            peer,
        })
    }

    /// The name of the agent that the client connects to.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.agent
    }

    /// The token of the client. `None` if it sent none.
    ///
    /// It comes from `auth_token` in the `connect`, from the header `Authorization: Bearer …`, or, for browsers, from the
    /// WebSocket subprotocol `dooers.bearer.…`, in this order. The URL is never used, because proxies log it. A token has at
    /// most 16 KiB.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(AuthToken::as_str)
    }

    /// The id of the worker that the client wants to use.
    #[must_use]
    pub fn worker_id(&self) -> &str {
        // The server refuses a `connect` without a worker before it asks the authenticator.
        self.payload.worker_id().unwrap_or_default()
    }

    /// The user that the client states, without proof.
    #[must_use]
    pub fn user(&self) -> User {
        self.payload.user()
    }

    /// The organization that the client states, without proof, or `""`.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        self.payload.organization_id()
    }

    /// The workspace that the client states, without proof, or `""`.
    #[must_use]
    pub fn workspace_id(&self) -> &str {
        self.payload.workspace_id()
    }

    /// The headers of the request that opened the WebSocket. They are empty for a client in the same process.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The address of the client. `None` if it is not known: in a [`router`](crate::WorkerServer::router), it is known only
    /// if the program serves with axum's `into_make_service_with_connect_info::<SocketAddr>()`.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The payload of the client's frame.
    pub(crate) fn payload(&self) -> &ConnectPayload {
        &self.payload
    }
}
