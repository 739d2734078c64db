//! A client in the same process that speaks the protocol, for [`testing`](crate::testing).

use super::WorkerServer;
use super::error::ServerError;
use super::local::LocalSession;
use super::running::Running;
use super::session::Session;
use super::verbs;
use crate::agent::AgentDefinition;
use crate::turn::EndedTurns;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// So many frames may wait to be answered, as in the buffers of a socket.
const WAITING_FRAMES: usize = 16;

/// The client's end of a session without a socket. JSON goes in and JSON comes out, as over a WebSocket: the same code
/// takes the frames apart, answers them in their order, and queues what there is to tell.
#[derive(Debug)]
pub(crate) struct LocalClient {
    local: LocalSession,
    frames: mpsc::Sender<String>,
}

impl LocalClient {
    /// A client of this agent that has not said `connect` yet.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start or was closed.
    pub(crate) async fn open(
        server: &WorkerServer,
        agent: AgentDefinition,
    ) -> Result<Self, ServerError> {
        let running = server.start().await?;
        if running.stopping.is_cancelled() {
            return Err(ServerError::Closed);
        }
        let until = running.stopping.clone();
        let local = LocalSession::new(Arc::clone(&running), agent, &until);
        let (frames, waiting) = mpsc::channel(WAITING_FRAMES);
        let session = Arc::clone(local.session());
        running.spawn(read(session, waiting));
        Ok(Self { local, frames })
    }

    /// Sends a frame. `false` if the session has ended.
    pub(crate) async fn send(&self, frame: String) -> bool {
        self.frames.send(frame).await.is_ok()
    }

    /// The next frame. None once the session has ended.
    pub(crate) async fn next(&mut self) -> Option<Utf8Bytes> {
        Some(self.local.next().await?.into_json())
    }

    /// Whether some of a thread is still to be read from the store, as it did not fit into the queue.
    pub(crate) fn is_behind(&self, thread_id: &str) -> bool {
        let connection = &self.local.session().connection;
        connection.behind(thread_id).is_some()
    }

    /// Whether every change of a thread up to this one was taken, as far as it is told to this client.
    pub(crate) fn has_read(&self, thread_id: &str, rev: u64) -> bool {
        let session = self.local.session();
        let hub = &session.running.hub;
        // In this order: what the hub sends in between waits in the queue when that is asked.
        hub.has_told(&session.connection, thread_id, rev) && self.local.is_idle()
    }
}

/// Answers a client's frames one after the other, until it has left or the server stops. A frame that has begun to be
/// answered is answered whole.
async fn read(session: Arc<Session>, mut frames: mpsc::Receiver<String>) {
    loop {
        let next = async {
            // A client that does not read its answers is not read either.
            session.connection.outbound().has_room().await;
            frames.recv().await
        };
        let frame = tokio::select! {
            () = session.ending.ended() => break,
            frame = next => frame,
        };
        match frame {
            Some(frame) => Box::pin(verbs::answer(&session, &frame)).await,
            None => break,
        }
    }
    // What was being answered while the client left may have subscribed it again.
    session.running.hub.leave(&session.connection);
}

impl WorkerServer {
    /// Starts, if nothing has done so before: the agents that are served, and the one to which `/ws` leads. From now on
    /// the record is kept of the turns that end.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents or the store cannot be used.
    pub(crate) async fn start_recording(&self, record: &EndedTurns) -> Result<Served, ServerError> {
        let running: Arc<Running> = self.start().await?;
        running.runner.publisher().record_endings(record);
        Ok(Served {
            agents: running.agents.clone(),
            default: running.default_agent(),
        })
    }
}

/// What a server serves.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) agents: Vec<AgentDefinition>,
    /// The agent to which `/ws` leads.
    pub(crate) default: Option<AgentDefinition>,
}
