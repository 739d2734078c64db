//! The server and the scope of a call.

use super::RepositoryError;
use crate::server::server_state::ServerState;
use crate::store::Scope;
use std::fmt;
use std::sync::Arc;

/// The server and the scope of a call. Its fields are private, so that no call uses a scope that was not checked.
#[derive(Clone)]
pub(super) struct Target {
    server: Arc<ServerState>,
    scope: Scope,
    /// The place of the turn that the repository is confined to.
    within: Option<Scope>,
}

impl Target {
    pub(super) fn new(server: Arc<ServerState>, scope: Scope, within: Option<Scope>) -> Self {
        Self {
            server,
            scope,
            within,
        }
    }

    /// The name of the scope's agent.
    pub(super) fn agent(&self) -> &str {
        &self.scope.agent
    }

    /// The server and the scope, if the repository may use the scope.
    pub(super) fn open(&self) -> Result<(&Arc<ServerState>, &Scope), RepositoryError> {
        match &self.within {
            Some(turn) if place_of(turn) != place_of(&self.scope) => {
                Err(RepositoryError::OutsideTurn {
                    scope: describe(&self.scope),
                    turn: describe(turn),
                })
            }
            _ => Ok((&self.server, &self.scope)),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scope.fmt(f)
    }
}

/// The worker, the organization and the workspace.
fn place_of(scope: &Scope) -> [&str; 3] {
    [
        &scope.worker_id,
        &scope.organization_id,
        &scope.workspace_id,
    ]
}

pub(super) fn describe(scope: &Scope) -> String {
    let [worker, organization, workspace] = place_of(scope);
    format!("worker `{worker}`, organization `{organization}` and workspace `{workspace}`")
}
