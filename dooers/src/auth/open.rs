//! The authenticator that believes clients.

use super::{Authenticator, ConnectRequest, Identity, Refusal, Rights};
use async_trait::async_trait;

/// The authenticator that believes what clients state about themselves. It is the default, for development and for servers
/// that only trusted programs reach.
///
/// A server with it does not start on an address that other machines can reach, unless
/// [`WorkerConfig::allow_open_on_any_address`](crate::WorkerConfig::allow_open_on_any_address) or `WORKER_ALLOW_OPEN=true`
/// allows it. Every client may then read and write the conversations of every user.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Open;

impl Open {
    /// Returns the identity that the client states.
    ///
    /// Everybody may change the settings of the audience `user` and read analytics. The audience `creator` requires the role
    /// `owner` or `manager`, as the client states it. A claim to own the agent has no effect.
    pub(crate) fn identity(request: &ConnectRequest) -> Identity {
        let identity = Identity::new(request.user())
            .organization(request.organization_id())
            .workspace(request.workspace_id());
        let creator_settings = identity.manages_organization();
        identity.rights(|rights| {
            *rights = Rights {
                settings: true,
                creator_settings,
                analytics: true,
            }
        })
    }
}

#[async_trait]
impl Authenticator for Open {
    async fn authenticate(&self, request: ConnectRequest) -> Result<Identity, Refusal> {
        Ok(Self::identity(&request))
    }

    fn believes_clients(&self) -> bool {
        true
    }
}
