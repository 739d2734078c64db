//! The session of one client: its identity, its requests, and its frames.

use super::client_origin::ClientOrigin;
use super::identity::SessionIdentity;
use super::quota::Meter;
use super::server_state::ServerState;
use super::socket::{CloseSignal, Liveness};
use crate::auth::access::Action;
use crate::handler::AgentDefinition;
use crate::hub::{Connection, Frame, OutboundTotal};
use crate::protocol::{ErrorBody, ServerFrame, ServerInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The session of a client, which is connected by a WebSocket or is in the same process.
pub(super) struct Session {
    pub(super) server: Arc<ServerState>,
    pub(super) agent: AgentDefinition,
    pub(super) connection: Arc<Connection>,
    /// How the client reached the server.
    pub(super) origin: ClientOrigin,
    /// The quotas of the client. `None` without quotas, and for a client in the same process.
    pub(super) meter: Option<Box<Meter>>,
    identity: Mutex<Option<Arc<SessionIdentity>>>,
    /// True if the authenticator has refused the client.
    was_refused: AtomicBool,
    pub(super) ending: Arc<CloseSignal>,
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
        origin: ClientOrigin,
    ) -> Self {
        let connection = Connection::new(server.outbound_limits(), total);
        Self {
            connection: Arc::new(connection),
            ending: Arc::new(CloseSignal::new(until)),
            origin,
            meter: None,
            identity: Mutex::default(),
            was_refused: AtomicBool::new(false),
            liveness: Liveness::default(),
            agent,
            server,
        }
    }

    /// Applies the quotas of the server to the session.
    pub(super) fn with_quotas(self) -> Self {
        let accounts = self.server.accounts.as_ref();
        let meter = accounts.map(|accounts| Box::new(Meter::new(accounts, self.origin.peer)));
        Self { meter, ..self }
    }

    /// The identity since the last `connect`. `None` before the first.
    pub(super) fn identity(&self) -> Option<Arc<SessionIdentity>> {
        // Nothing panics while the lock is held.
        self.identity
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Records that the authenticator has refused the client.
    pub(super) fn record_refusal(&self) {
        self.was_refused.store(true, Ordering::Relaxed);
    }

    /// Returns true if the authenticator has refused the client.
    pub(super) fn was_refused(&self) -> bool {
        self.was_refused.load(Ordering::Relaxed)
    }

    /// Returns true if the subscriptions that the session had under this identity continue.
    pub(super) fn is_still(&self, identity: &SessionIdentity) -> bool {
        self.identity().is_some_and(|now| now.continues(identity))
    }

    /// Sets the identity and enters the connection into the hub. This replaces an earlier identity and ends its
    /// subscriptions.
    pub(super) fn set_identity(&self, identity: SessionIdentity) {
        self.server
            .hub
            .enter(&self.connection, identity.scope.clone());
        self.act_as(identity);
    }

    /// Replaces the identity by one that continues it. The subscriptions that it still allows continue.
    pub(super) fn renew_identity(&self, identity: SessionIdentity) {
        let hub = &self.server.hub;
        let audience = self.connection.subscribed_audience();
        if audience.is_some_and(|audience| !identity.can_read_settings(audience)) {
            hub.unsubscribe_settings(&self.connection);
        }
        if identity.can(Action::ReadAnalytics, None).is_err() {
            hub.unsubscribe_analytics(&self.connection);
        }
        self.act_as(identity);
    }

    /// Removes the session from the hub, from the sessions of its user, and from the connections that count for the user.
    pub(super) fn leave(&self) {
        if let Some(meter) = &self.meter {
            meter.leave();
        }
        self.server.hub.leave(&self.connection);
        if let Some(identity) = self.identity() {
            let user_id = &identity.user().user_id;
            self.server.open.remove(user_id, self.connection.id());
        }
    }

    /// Sets the identity without entering it into the hub: the session is notified only of the threads that it
    /// subscribes to.
    pub(super) fn act_as(&self, identity: SessionIdentity) {
        self.connection.set_takes_deltas(identity.takes_deltas);
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(identity));
        // An identity that has expired receives no live frames.
        self.connection.outbound().resume();
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

    /// Checks that the session may be subscribed to this thread.
    pub(super) fn may_subscribe(&self, thread_id: &str) -> Result<(), ErrorBody> {
        match &self.meter {
            Some(meter) if !self.connection.is_subscribed(thread_id) => {
                meter.subscription(self.connection.subscribed_threads())
            }
            Some(_) | None => Ok(()),
        }
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
