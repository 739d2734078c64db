//! The identity of a session.

use crate::auth::access::{self, Action, Subject};
use crate::auth::{ConnectRequest, Identity};
use crate::protocol::{Audience, ErrorBody, User, new_id};
use crate::store::{Participant, Scope, Viewer, WorkerKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The identity of a session since its last `connect`: who the client is, and what it can do.
#[derive(Debug)]
pub(super) struct SessionIdentity {
    /// The identity that the authenticator returned.
    pub(super) granted: Arc<Identity>,
    pub(super) scope: Scope,
    pub(super) participant: Participant,
    /// True if handlers get the identity itself: without an authenticator, the event has everything.
    is_stored: bool,
    /// True if the client keeps its list of events when it resumes.
    pub(super) keeps_its_events: bool,
    /// True if the client accepts growing texts piece by piece.
    pub(super) takes_deltas: bool,
    /// True if the client was notified that the identity expires.
    has_been_warned: AtomicBool,
    /// The same for all identities between which the subscriptions of the session continue.
    continuity: Arc<()>,
}

impl SessionIdentity {
    /// Creates the identity of a client that sends this `connect`.
    pub(super) fn of(
        granted: Identity,
        request: &ConnectRequest,
        private_threads: bool,
        is_proven: bool,
    ) -> Self {
        let scope = Scope {
            agent: request.agent().to_owned(),
            worker_id: request.worker_id().to_owned(),
            organization_id: granted.organization_id.clone(),
            workspace_id: granted.workspace_id.clone(),
            viewer: Viewer::Everyone,
        };
        let participant = if private_threads && granted.user.user_id.is_empty() {
            // An anonymous user owns no threads, but may continue threads that were created on the same connection.
            Participant::connection(&new_id())
        } else {
            Participant::user(&granted.user)
        };
        let payload = request.payload();
        Self {
            is_stored: is_proven,
            keeps_its_events: payload.keeps_its_events(),
            takes_deltas: payload.takes_deltas(),
            ..Self::within(scope, granted, participant, private_threads)
        }
    }

    /// Creates this identity in a scope.
    pub(super) fn within(
        scope: Scope,
        granted: Identity,
        participant: Participant,
        private_threads: bool,
    ) -> Self {
        let viewer = if private_threads {
            Viewer::Only(participant.clone())
        } else {
            Viewer::Everyone
        };
        Self {
            granted: Arc::new(granted),
            scope: Scope { viewer, ..scope },
            participant,
            is_stored: false,
            keeps_its_events: true,
            takes_deltas: true,
            has_been_warned: AtomicBool::new(false),
            continuity: Arc::new(()),
        }
    }

    /// Makes this the continuation of an earlier identity of the session, if it is the same user in the same organization,
    /// workspace and worker. Returns `false` otherwise.
    pub(super) fn continue_from(&mut self, earlier: &Self) -> bool {
        let in_scope = |identity: &Self| identity.scope.of_everyone();
        let is_same = self.granted.user.user_id == earlier.granted.user.user_id
            && in_scope(self) == in_scope(earlier);
        if is_same {
            // An anonymous user participates by the connection.
            self.participant = earlier.participant.clone();
            self.scope = earlier.scope.clone();
            self.continuity = Arc::clone(&earlier.continuity);
        }
        is_same
    }

    /// Returns true if the subscriptions of one identity continue under the other.
    pub(super) fn continues(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.continuity, &other.continuity)
    }

    /// Makes handlers get the identity itself.
    pub(super) fn store(mut self) -> Self {
        self.is_stored = true;
        self
    }

    /// The JSON of the identity that is stored with a message, for its handler.
    pub(super) fn stored(&self) -> Option<String> {
        // Serialization cannot fail, because all maps have text keys.
        self.is_stored
            .then(|| serde_json::to_string(&*self.granted).unwrap_or_default())
    }

    /// The user, as stored with messages.
    pub(super) fn user(&self) -> &User {
        &self.granted.user
    }

    /// The worker whose settings the session may see.
    pub(super) fn worker(&self) -> WorkerKey {
        WorkerKey {
            agent: self.scope.agent.clone(),
            worker_id: self.scope.worker_id.clone(),
        }
    }

    /// Decides if the client may do something with a worker, which is its own if the frame names none.
    pub(super) fn can(&self, action: Action, worker: Option<&str>) -> Result<(), ErrorBody> {
        let subject = Subject {
            identity: &self.granted,
            scope: &self.scope,
        };
        access::can(subject, action, worker.unwrap_or(&self.scope.worker_id))
    }

    /// Returns true if the client may keep a subscription to settings of this audience.
    pub(super) fn can_read_settings(&self, audience: Audience) -> bool {
        self.can(Action::ReadSettings(audience), None).is_ok()
    }

    /// Records that the client was notified that the identity expires. Returns `false` if it was recorded before.
    pub(super) fn warn(&self) -> bool {
        !self.has_been_warned.swap(true, Ordering::Relaxed)
    }
}
