//! One client: who it is, what it asks, and what it gets.

use super::identity::Identity;
use super::pace::Pace;
use super::running::Running;
use super::socket::{self, End, Ending, Liveness, Timing};
use super::upgrade::Socket;
use super::verbs;
use crate::agent::AgentDefinition;
use crate::hub::{Connection, Frame, OutboundTotal};
use crate::protocol::{ErrorBody, ErrorCode, ServerFrame, ServerInfo};
use futures::StreamExt;
use futures::stream::SplitStream;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

/// One client, at the other end of a WebSocket or in the same process.
pub(super) struct Session {
    pub(super) running: Arc<Running>,
    pub(super) agent: AgentDefinition,
    pub(super) connection: Arc<Connection>,
    identity: Mutex<Option<Arc<Identity>>>,
    pub(super) ending: Ending,
    liveness: Liveness,
}

/// Serves one WebSocket until it ends.
///
/// What is made before the first wait is made here and not in the task, which would hold its memory all the time.
pub(super) fn run(
    socket: Socket,
    running: Arc<Running>,
    agent: AgentDefinition,
) -> impl Future<Output = ()> + Send {
    let limits = &running.config.limits;
    let timing = Timing {
        ping_interval: limits.ping_interval,
        pong_timeout: limits.pong_timeout,
    };
    let pace = Pace::new(socket.get_ref().taken(), limits.stall_timeout);
    let connect_deadline = Instant::now() + limits.connect_timeout;
    let until = running.stopping.clone();
    let total = Arc::clone(&running.outbound);
    let session = Session::new(running, agent, &until, Some(total));
    let (sink, mut stream) = socket.split();
    async move {
        // However the session ends, nothing keeps its frames.
        let leaving = Leaving(&session);
        let mut overdue = pin!(session.ending.overdue());
        let mut is_overdue = false;
        // One task for all three: an idle connection costs one.
        tokio::join!(
            session.read(&mut stream, connect_deadline),
            async {
                tokio::select! {
                    () = socket::write(
                        sink,
                        &session.connection,
                        &session.ending,
                        &session.liveness,
                        &pace,
                        timing,
                    ) => {}
                    () = overdue.as_mut() => is_overdue = true,
                }
            },
            session.catch_up(),
        );
        drop(leaving);
        if !is_overdue {
            tokio::select! {
                () = socket::linger(&mut stream) => {}
                () = overdue => {}
            }
        }
    }
}

/// A session that leaves the hub when this is dropped, and returns what waits for it.
struct Leaving<'a>(&'a Session);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.running.hub.leave(&self.0.connection);
        self.0.connection.outbound().close();
    }
}

impl Session {
    /// A session of nobody yet, which ends when this fires, if not before. Its frames count towards this total.
    pub(super) fn new(
        running: Arc<Running>,
        agent: AgentDefinition,
        until: &CancellationToken,
        total: Option<Arc<OutboundTotal>>,
    ) -> Self {
        let connection = Connection::new(running.outbound_limits(), total);
        Self {
            connection: Arc::new(connection),
            ending: Ending::new(until),
            identity: Mutex::default(),
            liveness: Liveness::default(),
            agent,
            running,
        }
    }

    /// Who is at the other end.
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

    /// Another `connect` replaces the first, and ends its subscriptions.
    pub(super) fn become_known(&self, identity: Identity) {
        self.running
            .hub
            .enter(&self.connection, identity.scope.clone());
        self.act_as(identity);
    }

    /// Takes part as somebody, without hearing of other threads than those it subscribes to.
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

    /// Takes the client's frames one after the other. A frame that has begun to be answered is answered whole,
    /// even if the socket breaks meanwhile: what is stored is also published.
    async fn read(&self, stream: &mut SplitStream<Socket>, connect_deadline: Instant) {
        loop {
            let next = tokio::select! {
                // First: nothing is begun any more.
                biased;
                () = self.ending.ended() => return,
                next = self.next(stream) => next,
                () = sleep_until(connect_deadline), if self.identity().is_none() => {
                    Err(End::NeverConnected)
                }
            };
            match next {
                Ok(Some(text)) => {
                    if !self.has_room().await {
                        return;
                    }
                    // Boxed, so that a connection that waits does not hold the memory of one that works.
                    Box::pin(verbs::answer(self, &text)).await;
                }
                Ok(None) => {
                    let error =
                        ErrorBody::new(ErrorCode::InvalidFrame, "a frame is text, not binary");
                    self.refuse("", &error);
                }
                Err(end) => return self.ending.end(end),
            }
        }
    }

    /// The next request. The socket is read up to it, so that pings and pongs pass, and the end of the connection is noticed.
    async fn next(&self, stream: &mut SplitStream<Socket>) -> Result<Option<Utf8Bytes>, End> {
        self.liveness.look();
        let request = socket::read(stream, &self.liveness).await?;
        self.liveness.look_away();
        Ok(request)
    }

    /// Waits until there is room for an answer: a client that does not read its answers is not read either. `false` if the
    /// session has ended in the meantime.
    ///
    /// The time limit of `connect` does not apply here, because the client has sent its request.
    async fn has_room(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ending.ended() => false,
            () = self.connection.outbound().has_room() => true,
        }
    }

    /// Waits until an answer may be made that takes much memory. Keep the result until the answer is queued. `None` if the
    /// session has ended meanwhile, and nobody would get the answer.
    pub(super) async fn may_answer(&self) -> Option<impl Sized> {
        tokio::select! {
            () = self.ending.ended() => None,
            permit = self.connection.outbound().may_answer() => Some(permit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of the future that an async function returns, in bytes.
    fn size_of_future<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn session_holds_little_memory() {
        let size = size_of_future(run);
        let hint = "box what a session that waits does not need, as `Session::read` does";
        assert!(size <= 3072, "a session takes {size} bytes: {hint}");
        let size = size_of::<Connection>() + size_of::<Identity>();
        assert!(size <= 1024, "a connection takes {size} bytes");
    }
}
