//! One WebSocket: who is at its other end, what they ask, and what they get.

use super::identity::Identity;
use super::running::Running;
use super::socket::{self, End, Ending, Liveness, Timing};
use super::verbs;
use crate::agent::AgentDefinition;
use crate::hub::{Backlog, Connection, Frame, frame_of};
use crate::protocol::{ErrorBody, ErrorCode, ServerFrame, ServerInfo};
use crate::store::{Change, Position, StoreError};
use axum::extract::ws::WebSocket;
use futures::StreamExt;
use futures::stream::SplitStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How many events are read at once for a connection that fell behind.
const CATCH_UP_EVENTS: usize = 50;

/// How long to wait before the store is asked again that did not answer.
const CATCH_UP_RETRY: Duration = Duration::from_secs(1);

/// One WebSocket.
pub(super) struct Session {
    pub(super) running: Arc<Running>,
    pub(super) agent: AgentDefinition,
    pub(super) connection: Arc<Connection>,
    identity: Mutex<Option<Arc<Identity>>>,
    ending: Ending,
    liveness: Liveness,
}

/// Serves one WebSocket until it ends.
pub(super) async fn run(socket: WebSocket, running: Arc<Running>, agent: AgentDefinition) {
    let limits = running.config.limits.clone();
    let session = Session {
        connection: Arc::new(Connection::new(running.outbound_limits())),
        ending: Ending::new(&running.stopping),
        identity: Mutex::default(),
        liveness: Liveness::default(),
        agent,
        running,
    };
    let timing = Timing {
        ping_interval: limits.ping_interval,
        pong_timeout: limits.pong_timeout,
        stall_timeout: limits.stall_timeout,
    };
    let (sink, mut stream) = socket.split();
    // One task for all three: an idle connection costs one.
    tokio::join!(
        session.read(&mut stream, Instant::now() + limits.connect_timeout),
        socket::write(
            sink,
            &session.connection,
            &session.ending,
            &session.liveness,
            timing
        ),
        session.catch_up(),
    );
    session.running.hub.leave(&session.connection);
    socket::linger(&mut stream).await;
}

impl Session {
    /// Who is at the other end.
    pub(super) fn identity(&self) -> Option<Arc<Identity>> {
        // Nothing panics while the lock is held.
        self.identity
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn is_still(&self, identity: &Arc<Identity>) -> bool {
        self.identity()
            .is_some_and(|now| Arc::ptr_eq(&now, identity))
    }

    /// Another `connect` replaces the first, and ends its subscriptions.
    pub(super) fn become_known(&self, identity: Identity) {
        self.running
            .hub
            .enter(&self.connection, identity.scope.clone());
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
    async fn read(&self, stream: &mut SplitStream<WebSocket>, connect_deadline: Instant) {
        loop {
            let next = tokio::select! {
                () = self.ending.ended() => return,
                next = self.next(stream) => next,
                () = sleep_until(connect_deadline), if self.identity().is_none() => {
                    Err(End::NeverConnected)
                }
            };
            match next {
                // Boxed, so that a connection that waits does not hold the memory of one that works.
                Ok(Some(text)) => Box::pin(verbs::answer(self, &text)).await,
                Ok(None) => {
                    let error =
                        ErrorBody::new(ErrorCode::InvalidFrame, "a frame is text, not binary");
                    self.refuse("", &error);
                }
                Err(end) => return self.ending.end(end),
            }
        }
    }

    /// A client that does not read its answers is not read either.
    async fn next(&self, stream: &mut SplitStream<WebSocket>) -> Result<Option<Frame>, End> {
        self.connection.outbound().has_room().await;
        socket::read(stream, &self.liveness).await
    }

    /// Reads from the store what did not fit into the connection's queue, as that drains.
    async fn catch_up(&self) {
        loop {
            let (thread_id, backlog) = tokio::select! {
                () = self.ending.ended() => return,
                next = self.connection.next_backlog() => next,
            };
            let subscription = self.connection.subscription(&thread_id);
            tokio::select! {
                () = self.ending.ended() => return,
                () = self.connection.outbound().has_room() => {}
            }
            Box::pin(self.catch_up_with(&thread_id, subscription, backlog)).await;
        }
    }

    async fn catch_up_with(&self, thread_id: &str, subscription: Option<u64>, backlog: Backlog) {
        let Some(identity) = self.identity() else {
            return;
        };
        // A subscription that began anew meanwhile stands elsewhere, and has a backlog of its own if it is behind.
        let is_over = || self.connection.subscription(thread_id) != subscription;
        let is_of_thread = matches!(backlog, Backlog::Thread(_));
        let store = &self.running.store;
        let outcome = match backlog {
            Backlog::Row => match store.thread(&identity.scope, thread_id).await {
                // Another `connect` came while the store was read.
                Ok(_) if !self.is_still(&identity) => Ok(()),
                Ok(record) => {
                    self.push(&ServerFrame::ThreadUpsert {
                        thread: &record.thread,
                    });
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Backlog::Thread(_) if is_over() => Ok(()),
            Backlog::Thread(position) => {
                self.read_on(&identity, thread_id, &position, is_over).await
            }
        };
        match outcome {
            Ok(()) => {}
            Err(_) if !self.is_still(&identity) || (is_of_thread && is_over()) => {}
            Err(StoreError::NotFound(_)) => {
                self.running.hub.unsubscribe(&self.connection, thread_id);
                self.push(&ServerFrame::ThreadDeleted { thread_id });
            }
            Err(error) => {
                tracing::error!(target: "dooers::server", error = &error as &dyn std::error::Error, thread_id, "a reader that fell behind must wait");
                tokio::select! {
                    () = self.ending.ended() => return,
                    () = sleep(CATCH_UP_RETRY) => {}
                }
                if !(is_of_thread && is_over()) {
                    self.connection.put_back(thread_id);
                }
            }
        }
    }

    async fn read_on(
        &self,
        identity: &Identity,
        thread_id: &str,
        position: &Position,
        is_over: impl Fn() -> bool,
    ) -> Result<(), StoreError> {
        let join = self.running.hub.join(&self.connection, thread_id);
        let page = self
            .running
            .store
            .catch_up(&identity.scope, thread_id, position, CATCH_UP_EVENTS)
            .await?;
        if is_over() {
            // Unsubscribed, or subscribed or connected anew, while the store was read.
            return Ok(());
        }
        if self.connection.behind(thread_id).as_ref() != Some(position) {
            // It has been sent older events meanwhile, whose edits concern it, too.
            self.connection.put_back(thread_id);
            return Ok(());
        }
        let frames = page.changes.iter().map(|change: &Change| frame_of(change));
        if page.is_complete {
            join.settle(frames, page.position);
        } else {
            join.settle_behind(frames, page.position);
        }
        Ok(())
    }
}
