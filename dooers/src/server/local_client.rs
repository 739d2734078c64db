//! A client in the same process that speaks the protocol, for [`testing`](crate::testing).

use super::WorkerServer;
use super::error::ServerError;
use super::local_session::LocalSession;
use super::server_state::ServerState;
use super::session::Session;
use super::verbs;
use crate::handler::AgentDefinition;
use crate::turn::EndedTurns;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Maximum number of frames that wait to be answered. They correspond to the frames in the buffers of a socket.
const WAITING_FRAMES: usize = 16;

/// The client's end of a session without a socket. It sends and receives JSON, as a WebSocket does. The same code
/// parses the frames, answers them in order, and queues the frames for the client.
#[derive(Debug)]
pub(crate) struct LocalClient {
    local: LocalSession,
    frames: mpsc::Sender<String>,
}

impl LocalClient {
    /// Opens a client of this agent. The client has not sent `connect` yet.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start or was closed.
    pub(crate) async fn open(
        server: &WorkerServer,
        agent: AgentDefinition,
    ) -> Result<Self, ServerError> {
        let server = server.start().await?;
        if server.stopping.is_cancelled() {
            return Err(ServerError::Closed);
        }
        let until = server.stopping.clone();
        let local = LocalSession::new(Arc::clone(&server), agent, &until);
        let (frames, waiting) = mpsc::channel(WAITING_FRAMES);
        let session = Arc::clone(local.session());
        server.spawn(read(session, waiting));
        Ok(Self { local, frames })
    }

    /// Sends a frame. Returns `false` if the session has ended.
    pub(crate) async fn send(&self, frame: String) -> bool {
        self.frames.send(frame).await.is_ok()
    }

    /// The JSON of the next frame, or `None` if the session has ended.
    pub(crate) async fn next(&mut self) -> Option<Utf8Bytes> {
        Some(self.local.next().await?.into_json())
    }

    /// Returns true if changes of the thread did not fit into the queue and must still be read from the store.
    pub(crate) fn is_behind(&self, thread_id: &str) -> bool {
        let connection = &self.local.session().connection;
        connection.behind(thread_id).is_some()
    }

    /// Returns true if the client has taken all changes of the thread up to `rev` that are published to it.
    pub(crate) fn has_read(&self, thread_id: &str, rev: u64) -> bool {
        let session = self.local.session();
        let hub = &session.server.hub;
        // The order matters: a frame that the hub sends after the first check is found in the queue by the second.
        hub.has_sent(&session.connection, thread_id, rev) && self.local.is_idle()
    }
}

/// Answers the client's frames one by one until the client leaves or the server stops. An answer that has begun is
/// completed.
async fn read(session: Arc<Session>, mut frames: mpsc::Receiver<String>) {
    loop {
        let next = async {
            // No frame is read from a client that does not read its answers.
            session.connection.outbound().has_room().await;
            frames.recv().await
        };
        let frame = tokio::select! {
            () = session.ending.ended() => break,
            frame = next => frame,
        };
        match frame {
            Some(frame) => Box::pin(verbs::handle_frame(&session, &frame)).await,
            None => break,
        }
    }
    // The frame that was being answered when the client left may have subscribed it again.
    session.leave();
}

impl WorkerServer {
    /// Starts the server unless it has started already, and records turns that end from now on. Returns the agents that
    /// are served.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents or the store cannot be used.
    pub(crate) async fn start_recording(&self, record: &EndedTurns) -> Result<Served, ServerError> {
        let server: Arc<ServerState> = self.start().await?;
        server.runner.publisher().record_endings(record);
        Ok(Served {
            agents: server.agents.clone(),
            default: server.default_agent(),
        })
    }
}

/// The agents that a server serves.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) agents: Vec<AgentDefinition>,
    /// The agent that is served at `/ws`.
    pub(crate) default: Option<AgentDefinition>,
}
