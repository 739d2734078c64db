//! The task that serves one WebSocket: it reads requests, answers them, and writes the frames of the session.

use super::client_origin::ClientOrigin;
use super::connection_limit::ConnectionSlot;
use super::pace::Pace;
use super::quota::Verdict;
use super::read_ahead::MessageBytes;
use super::server_state::ServerState;
use super::session::Session;
use super::socket::{self, CloseReason, Incoming, Timing};
use super::upgrade::Socket;
use super::verbs;
use crate::handler::AgentDefinition;
use crate::protocol::{ErrorBody, ErrorCode};
use futures::StreamExt;
use futures::stream::SplitStream;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// Serves one WebSocket until it ends, or until it has to make room for another connection before its client has
/// connected.
///
/// Everything that is needed before the first `.await` is created outside of the returned future, which would otherwise
/// hold its memory all the time.
pub(super) fn run(
    socket: Socket,
    server: Arc<ServerState>,
    agent: AgentDefinition,
    origin: ClientOrigin,
    slot: Option<ConnectionSlot>,
) -> impl Future<Output = ()> + Send {
    let limits = &server.config.limits;
    let timing = Timing {
        ping_interval: limits.ping_interval,
        pong_timeout: limits.pong_timeout,
    };
    let pace = Pace::new(socket.get_ref().taken(), limits.stall_timeout);
    let bytes = socket.get_ref().inner().message_bytes();
    let connect_deadline = Instant::now() + limits.connect_timeout;
    let until = server.stopping.clone();
    let total = Arc::clone(&server.outbound);
    let session = Session::new(server, agent, &until, Some(total), origin).with_quotas();
    let (sink, mut stream) = socket.split();
    async move {
        let serving = async {
            // Removes the connection from the hub and drops its frames, however the session ends.
            let leaving = Leaving(&session);
            let _counted = session.server.node.count_socket();
            let mut overdue = pin!(session.ending.overdue());
            let mut is_overdue = false;
            // One task does all three, so that an idle connection costs only one.
            tokio::join!(
                session.read(&mut stream, &bytes, connect_deadline, slot.as_ref()),
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
            // A client that floods would go on while it is being closed.
            if !is_overdue && !session.ending.is_by(CloseReason::Flooding) {
                tokio::select! {
                    () = socket::linger(&mut stream, &bytes) => {}
                    () = overdue => {}
                }
            }
        };
        tokio::select! {
            // Nothing is stored before the client has connected, so the session can be dropped at any point.
            () = evicted(slot.as_ref()) => {}
            () = serving => {}
        }
    }
}

/// Waits until the connection has to make room for another one.
async fn evicted(slot: Option<&ConnectionSlot>) {
    match slot {
        Some(slot) => slot.pending().evicted().await,
        None => pending().await,
    }
}

/// A guard that removes the session from the hub when it is dropped, and releases the frames in its queue.
struct Leaving<'a>(&'a Session);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave();
        self.0.connection.outbound().close();
    }
}

impl Session {
    /// Answers the client's frames one by one. An answer that has begun is completed even if the socket breaks in the
    /// meantime, because stored changes must be published.
    ///
    /// The connection is pending in its slot until the client has connected.
    async fn read(
        &self,
        stream: &mut SplitStream<Socket>,
        bytes: &MessageBytes,
        connect_deadline: Instant,
        mut slot: Option<&ConnectionSlot>,
    ) {
        loop {
            let next = tokio::select! {
                // Checked first, so that no answer is begun after the end.
                biased;
                () = self.ending.ended() => return,
                end = self.deadline(connect_deadline) => Err(end),
                next = self.next(stream) => next,
            };
            let next = match next {
                Ok(next) => next,
                Err(end) => return self.ending.end(end),
            };
            let size = bytes.of_message(next.len());
            if !self.admit(&next, size).await {
                continue;
            }
            match next {
                Incoming::Text(text) => {
                    if !self.has_room().await {
                        return;
                    }
                    // Boxed, so that an idle connection does not hold the memory of a busy one.
                    Box::pin(self.work(size, verbs::handle_frame(self, &text))).await;
                    if let Some(pending) = slot
                        && self.identity().is_some()
                    {
                        slot = None;
                        if !pending.pending().has_connected() {
                            // The session is dropped, and no further request begins.
                            return;
                        }
                    }
                }
                Incoming::Binary(_) => {
                    let error =
                        ErrorBody::new(ErrorCode::InvalidFrame, "a frame must be text, not binary");
                    self.refuse("", &error);
                }
                Incoming::Control => {}
            }
        }
    }

    /// Waits until the quota of frames admits a message that counts as this many bytes. Returns `false` if it was refused, or
    /// the session has ended.
    ///
    /// The socket is not read in the meantime, so the system stops a client that sends too much.
    async fn admit(&self, message: &Incoming, size: usize) -> bool {
        let Some(meter) = &self.meter else {
            return true;
        };
        match meter.frame(size) {
            Verdict::Admitted => true,
            Verdict::Refused(error) => {
                let refusing = async { verbs::refuse_frame(self, message.text(), &error) };
                Box::pin(self.work(size, refusing)).await;
                false
            }
            Verdict::Held(until) => self.hold(until).await,
            Verdict::Flooding(until) => {
                if self.hold(until).await {
                    self.ending.end(CloseReason::Flooding);
                }
                false
            }
        }
    }

    /// Does the work of a frame of this size. Without quotas, any number of large frames is worked on at the same time.
    async fn work(&self, size: usize, work: impl Future<Output = ()>) {
        match &self.meter {
            Some(meter) => meter.in_lane(size, work).await,
            None => work.await,
        }
    }

    /// Waits until this time. Returns `false` if the session has ended in the meantime.
    async fn hold(&self, until: Instant) -> bool {
        // Boxed, because only few sessions ever wait here.
        let waiting = Box::pin(sleep_until(until));
        tokio::select! {
            () = self.ending.ended() => false,
            () = waiting => true,
        }
    }

    /// Reads the next message. The end of the connection is noticed. The time until the next call counts as one in which the
    /// server does not read.
    async fn next(&self, stream: &mut SplitStream<Socket>) -> Result<Incoming, CloseReason> {
        self.liveness.look();
        let request = socket::read(stream, &self.liveness).await?;
        self.liveness.look_away();
        Ok(request)
    }

    /// Waits until there is room for an answer, because no request is read from a client that does not read its
    /// answers. Returns `false` if the session has ended in the meantime.
    ///
    /// The time limit of `connect` does not apply here, because the client has sent its request.
    async fn has_room(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ending.ended() => false,
            () = self.connection.outbound().has_room() => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::identity::SessionIdentity;
    use super::*;
    use crate::hub::Connection;

    /// The size of the future that an async function returns, in bytes.
    fn size_of_future<A, B, C, D, E, F>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn session_holds_little_memory() {
        let size = size_of_future(run);
        let hint = "box what an idle session does not need, as `Session::read` does";
        assert!(size <= 3072, "a session takes {size} bytes: {hint}");
        let size = size_of::<Connection>() + size_of::<SessionIdentity>();
        assert!(size <= 1024, "a connection takes {size} bytes");
    }
}
