//! The authenticator of a server.

use super::{Authenticator, ConnectRequest, Identity, Open, Refusal};
use std::fmt;
use std::sync::Arc;

/// The authenticator of a server. The default is [`Open`].
#[derive(Clone)]
pub(crate) struct SharedAuthenticator(Arc<dyn Authenticator>);

impl SharedAuthenticator {
    pub(crate) fn new(authenticator: impl Authenticator) -> Self {
        Self(Arc::new(authenticator))
    }

    pub(crate) async fn authenticate(&self, request: ConnectRequest) -> Result<Identity, Refusal> {
        self.0.authenticate(request).await
    }

    pub(crate) fn believes_clients(&self) -> bool {
        self.0.believes_clients()
    }
}

impl Default for SharedAuthenticator {
    fn default() -> Self {
        Self::new(Open)
    }
}

impl fmt::Debug for SharedAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("believes_clients", &self.believes_clients())
            .finish_non_exhaustive()
    }
}
