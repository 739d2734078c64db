//! The session of one client: its identity, its requests, and its frames.

use super::identity::Identity;
use super::server_state::ServerState;
use super::socket::{CloseSignal, Liveness};
use crate::handler::AgentDefinition;
use crate::hub::{Connection, Frame, OutboundTotal};
use crate::protocol::{ErrorBody, ServerFrame, ServerInfo};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The session of a client, which is connected by a WebSocket or is in the same process.
pub(super) struct Session {
    pub(super) server: Arc<ServerState>,
    pub(super) agent: AgentDefinition,
    pub(super) connection: Arc<Connection>,
    identity: Mutex<Option<Arc<Identity>>>,
    pub(super) ending: CloseSignal,
    pub(super) liveness: Liveness,
}

impl Session {
    /// Creates a session without an identity. It ends at the latest when `until` fires. Its frames count towards
    /// `total`.
    pub(super) fn new(
        server: Arc<ServerState>,
        agent: AgentDefinition,
        until: &CancellationToken,
        total: Option<Arc<OutboundTotal>>,
    ) -> Self {
        let connection = Connection::new(server.outbound_limits(), total);
        Self {
            connection: Arc::new(connection),
            ending: CloseSignal::new(until),
            identity: Mutex::default(),
            liveness: Liveness::default(),
            agent,
            server,
        }
    }

    /// The identity since the last `connect`. `None` before the first.
    pub(super) fn identity(&self) -> Option<Arc<Identity>> {
        // Nothing panics while the lock is held.
        self.identity
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn is_still(&self, identity: &Arc<Identity>) -> bool {
        self.identity()
            .is_some_and(|now| Arc::ptr_eq(&now, identity))
    }

    /// Sets the identity and enters the connection into the hub. This replaces an earlier identity and ends its
    /// subscriptions.
    pub(super) fn set_identity(&self, identity: Identity) {
        self.server
            .hub
            .enter(&self.connection, identity.scope.clone());
        self.act_as(identity);
    }

    /// Sets the identity without entering it into the hub: the session is notified only of the threads that it
    /// subscribes to.
    pub(super) fn act_as(&self, identity: Identity) {
        self.connection.set_takes_deltas(identity.takes_deltas);
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(identity));
    }

    pub(super) fn push(&self, frame: &ServerFrame<'_>) {
        self.connection.outbound().push(Frame::from(frame.encode()));
    }

    pub(super) fn ack(&self, ack_id: &str) {
        self.answer(ack_id, None, None);
    }

    pub(super) fn welcome(&self, ack_id: &str) {
        self.answer(ack_id, None, Some(ServerInfo::current()));
    }

    pub(super) fn refuse(&self, ack_id: &str, error: &ErrorBody) {
        self.answer(ack_id, Some(error), None);
    }

    fn answer(&self, ack_id: &str, error: Option<&ErrorBody>, server: Option<ServerInfo>) {
        self.push(&ServerFrame::Ack {
            ack_id,
            ok: error.is_none(),
            error,
            server,
        });
    }

    /// Waits for a permit to build a large answer. Keep the permit until the answer is queued. `None` if the session
    /// has ended in the meantime.
    pub(super) async fn may_answer(&self) -> Option<impl Sized> {
        tokio::select! {
            () = self.ending.ended() => None,
            permit = self.connection.outbound().may_answer() => Some(permit),
        }
    }
}
