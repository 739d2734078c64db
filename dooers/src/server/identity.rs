//! Who a connection is.

use crate::protocol::{ConnectPayload, ErrorBody, NotAdmitted, User, new_id};
use crate::store::{Admit, Participant, Scope, Viewer, WorkerKey};

/// Who a connection is, since its last `connect`.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) scope: Scope,
    pub(super) user: User,
    pub(super) participant: Participant,
    /// Whether the client keeps its list of events when it resumes.
    pub(super) keeps_its_events: bool,
    /// Whether the client takes a text that grows piece by piece.
    pub(super) takes_deltas: bool,
}

impl Identity {
    /// Who this `connect` says it is, to this agent.
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
            // Nobody owns nothing, but may go on with what was begun on this very connection.
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

    /// This user in a scope, where threads may be private.
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

    /// Whose settings it may see.
    pub(super) fn worker(&self) -> WorkerKey {
        WorkerKey {
            agent: self.scope.agent.clone(),
            worker_id: self.scope.worker_id.clone(),
        }
    }

    /// Whether it owns or manages its organization.
    ///
    /// The role is believed as the rest of a `connect` is. Owning the agent, which a frame may claim, too, is not.
    pub(super) fn is_creator(&self) -> bool {
        matches!(self.user.organization_role.as_str(), "owner" | "manager")
    }
}
