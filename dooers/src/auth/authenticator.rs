//! The trait of authenticators.

use super::{ConnectRequest, Identity, Refusal};
use async_trait::async_trait;

/// Decides who a client is.
///
/// The server calls it for every `connect`. The identity that it returns counts alone: nothing that the client states about
/// itself is added to it. A refused client keeps the connection, and may send another `connect` until the
/// [`connect_timeout`](crate::Limits::connect_timeout).
///
/// [`Open`](super::Open) believes the client. An async closure is an authenticator, too:
///
/// ```
/// use dooers::auth::{ConnectRequest, Identity, Refusal};
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn echo(request: WorkerRequest) -> String {
///     request.message
/// }
///
/// let server = WorkerServer::new(WorkerConfig::new()).authenticator(async |request: ConnectRequest| {
///     match request.token() {
///         // A program compares tokens in constant time, or looks up their hash.
///         Some("ana's session") => Ok(Identity::new("ana").organization("acme")),
///         _ => Err(Refusal::unauthorized("log in first")),
///     }
/// });
/// ```
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Returns the identity of the client that sends this `connect`.
    ///
    /// It must answer within the [`auth_timeout`](crate::Limits::auth_timeout).
    ///
    /// # Errors
    ///
    /// [`Refusal`], if the client is unknown, or nobody can be authenticated now.
    async fn authenticate(&self, request: ConnectRequest) -> Result<Identity, Refusal>;

    /// Returns true if clients are believed without proof. A server with such an authenticator does not start on an address
    /// that other machines can reach.
    fn believes_clients(&self) -> bool {
        false
    }
}

#[async_trait]
impl<F, R> Authenticator for F
where
    F: Fn(ConnectRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Identity, Refusal>> + Send + 'static,
{
    async fn authenticate(&self, request: ConnectRequest) -> Result<Identity, Refusal> {
        self(request).await
    }
}
