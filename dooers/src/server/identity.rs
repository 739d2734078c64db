//! The identity of a connection.

use crate::protocol::{ConnectPayload, ErrorBody, NotAdmitted, User, new_id};
use crate::store::{Admit, Participant, Scope, Viewer, WorkerKey};

/// The identity of a connection since its last `connect`.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) scope: Scope,
    pub(super) user: User,
    pub(super) participant: Participant,
    /// True if the client keeps its list of events when it resumes.
    pub(super) keeps_its_events: bool,
    /// True if the client accepts growing texts piece by piece.
    pub(super) takes_deltas: bool,
}

impl Identity {
    /// Creates the identity that a `connect` to this agent states.
    pub(super) fn of(
        payload: &ConnectPayload,
        agent: &str,
        private_threads: bool,
    ) -> Result<Self, ErrorBody> {
        let worker_id = payload.worker_id()?;
        let mut user = payload.user();
        let refusal = |refused: NotAdmitted| refused.at(&payload.place_of(refused.member));
        let mut scope = Scope {
            agent: agent.to_owned(),
            worker_id: worker_id.to_owned(),
            organization_id: payload.organization_id().to_owned(),
            workspace_id: payload.workspace_id().to_owned(),
            viewer: Viewer::Everyone,
        };
        scope.admit().map_err(refusal)?;
        user.admit().map_err(refusal)?;
        let participant = if private_threads && user.user_id.is_empty() {
            // An anonymous user owns no threads, but may continue threads that were created on the same connection.
            Participant::connection(&new_id())
        } else {
            Participant::user(&user)
        };
        Ok(Self {
            keeps_its_events: payload.keeps_its_events(),
            takes_deltas: payload.takes_deltas(),
            ..Self::within(scope, user, participant, private_threads)
        })
    }

    /// Creates the identity of this user in a scope.
    pub(super) fn within(
        scope: Scope,
        user: User,
        participant: Participant,
        private_threads: bool,
    ) -> Self {
        let viewer = if private_threads {
            Viewer::Only(participant.clone())
        } else {
            Viewer::Everyone
        };
        Self {
            scope: Scope { viewer, ..scope },
            user,
            participant,
            keeps_its_events: true,
            takes_deltas: true,
        }
    }

    /// The worker whose settings the connection may see.
    pub(super) fn worker(&self) -> WorkerKey {
        WorkerKey {
            agent: self.scope.agent.clone(),
            worker_id: self.scope.worker_id.clone(),
        }
    }

    /// Returns true if the user is an owner or manager of the organization.
    ///
    /// The role is trusted like the rest of a `connect`. A claim to own the agent is not trusted.
    pub(super) fn is_creator(&self) -> bool {
        matches!(self.user.organization_role.as_str(), "owner" | "manager")
    }
}
