//! A client in the same process: a session without a socket.

use super::client_origin::ClientOrigin;
use super::identity::SessionIdentity;
use super::server_state::ServerState;
use super::session::Session;
use super::socket::CloseReason;
use crate::handler::AgentDefinition;
use crate::hub::Frame;
use futures::future::BoxFuture;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Approximate number of bytes that are taken from the queue at once.
const BATCH_BYTES: usize = 64 * 1024;

/// A session without a socket. It receives the same frames as a client, in the same order and by the same rules. A
/// session whose frames are not read falls behind, and continues from the store.
pub(super) struct LocalSession {
    session: Arc<Session>,
    frames: VecDeque<Frame>,
    /// The future that reads missed changes from the store.
    catching_up: BoxFuture<'static, ()>,
}

impl LocalSession {
    /// Creates a session without an identity. It ends at the latest when `until` fires.
    pub(super) fn new(
        server: Arc<ServerState>,
        agent: AgentDefinition,
        until: &CancellationToken,
    ) -> Self {
        let session = Arc::new(Session::new(
            server,
            agent,
            until,
            None,
            ClientOrigin::default(),
        ));
        let reading = Arc::clone(&session);
        Self {
            session,
            frames: VecDeque::new(),
            catching_up: Box::pin(async move { reading.catch_up().await }),
        }
    }

    /// Creates a session with this identity, which is notified only of the threads that it subscribes to.
    pub(super) fn of(
        server: Arc<ServerState>,
        agent: AgentDefinition,
        until: &CancellationToken,
        identity: SessionIdentity,
    ) -> Self {
        let local = Self::new(server, agent, until);
        local.session.act_as(identity);
        local
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The next frame, or `None` if the session has ended.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                () = self.session.connection.outbound().take(BATCH_BYTES, &mut batch) => {
                    self.session.connection.outbound().sent();
                }
                () = self.session.ending.ended() => return None,
                () = &mut self.catching_up => return None,
            }
            self.frames.extend(batch);
        }
    }

    /// Returns true if no frame waits.
    pub(super) fn is_idle(&self) -> bool {
        self.frames.is_empty() && self.session.connection.outbound().is_empty()
    }
}

impl fmt::Debug for LocalSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSession")
            .field("frames", &self.frames.len())
            .finish_non_exhaustive()
    }
}

impl Drop for LocalSession {
    fn drop(&mut self) {
        self.session.ending.end(CloseReason::Left);
        self.session.leave();
    }
}
