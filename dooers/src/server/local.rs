//! A client in the same process: a session without a socket.

use super::identity::Identity;
use super::running::Running;
use super::session::Session;
use super::socket::End;
use crate::handler::AgentDefinition;
use crate::hub::Frame;
use futures::future::BoxFuture;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// About how many bytes are taken from the queue at once.
const BATCH_BYTES: usize = 64 * 1024;

/// A session without a socket. It gets what a client gets, in the same order and by the same rules: who does not read
/// falls behind, and goes on from the store.
pub(super) struct LocalSession {
    session: Arc<Session>,
    frames: VecDeque<Frame>,
    /// Reads from the store what did not fit into the queue.
    catching_up: BoxFuture<'static, ()>,
}

impl LocalSession {
    /// A session that ends when this fires, if not before.
    pub(super) fn new(
        running: Arc<Running>,
        agent: AgentDefinition,
        until: &CancellationToken,
    ) -> Self {
        let session = Arc::new(Session::new(running, agent, until, None));
        let reading = Arc::clone(&session);
        Self {
            session,
            frames: VecDeque::new(),
            catching_up: Box::pin(async move { reading.catch_up().await }),
        }
    }

    /// The same, of somebody who hears of no other threads than those it subscribes to.
    pub(super) fn of(
        running: Arc<Running>,
        agent: AgentDefinition,
        until: &CancellationToken,
        identity: Identity,
    ) -> Self {
        let local = Self::new(running, agent, until);
        local.session.act_as(identity);
        local
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The next frame. None once the session has ended.
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

    /// Whether no frame waits.
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
        self.session.ending.end(End::Left);
        self.session.running.hub.leave(&self.session.connection);
    }
}
