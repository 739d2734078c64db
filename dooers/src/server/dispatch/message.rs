//! Messages that the program sends.

use super::error::DispatchError;
use super::stream::{DispatchStream, StreamEnd, TurnReader};
use super::turn_filter::TurnFilter;
use crate::auth::Identity;
use crate::handler::AgentDefinition;
use crate::protocol::{ContentPart, EventType, UploadNotFound, User, clean_id, new_id, timestamp};
use crate::server::identity::SessionIdentity;
use crate::server::local_session::LocalSession;
use crate::server::server_state::ServerState;
use crate::server::session::Session;
use crate::server::submit_message::submit_message;
use crate::server::{ServerError, WorkerServer};
use crate::store::{
    Admitted, BeginOutcome, NewMessage, NewThread, Participant, Scope, ThreadTarget, TurnState,
};
use serde_json::Value;
use std::sync::{Arc, Weak};

/// A message that the program sends to one of its agents, for example from a webhook or a timer.
///
/// [`WorkerServer::dispatch`](crate::WorkerServer::dispatch) creates it. The message is handled like a message that a client
/// sends over a WebSocket: it is stored, queued by the agent's `on_busy` rule, answered by the same handler, and published
/// to the subscribers of the thread.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::Database;
///
/// #[dooers::agent]
/// async fn support(request: WorkerRequest) -> String {
///     format!("Thank you for: {}", request.message)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let config = WorkerConfig::new().database(Database::Memory);
/// let server = WorkerServer::new(config).agent::<support>();
/// let message = server.dispatch::<support>().worker("w1").user("ana").message("a letter");
/// let answer = message.idempotency_key("letter-7").send().await?.text().await?;
/// assert_eq!(answer, "Thank you for: a letter");
/// # server.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "the message is not sent until `send` is called"]
pub struct Dispatch {
    through: Through,
    scope: Scope,
    user: User,
    /// The identity of the user, if the message is sent in a turn whose author an authenticator has confirmed.
    identity: Option<Identity>,
    thread_id: Option<String>,
    title: Option<String>,
    metadata: Option<Value>,
    content: Vec<ContentPart>,
    data: Option<Value>,
    idempotency_key: Option<String>,
}

/// The server that a message is sent to.
#[derive(Debug, Clone)]
enum Through {
    /// A server of the program, which may not have started yet.
    Program(Box<WorkerServer>),
    /// The server of a turn. `None` in a unit test without a server.
    Turn(Option<Weak<ServerState>>),
}

impl Through {
    async fn start(&self) -> Result<Arc<ServerState>, ServerError> {
        match self {
            Self::Program(server) => server.start().await,
            Self::Turn(None) => Err(ServerError::Detached),
            Self::Turn(Some(server)) => server.upgrade().ok_or(ServerError::Closed),
        }
    }
}

impl Dispatch {
    /// Creates a message of the program to the agent with this name.
    pub(in crate::server) fn new(server: WorkerServer, agent: String) -> Self {
        let scope = Scope::new(agent, String::new());
        Self::of(Through::Program(Box::new(server)), scope, User::new(""))
    }

    /// Creates a message of a turn to the agent of this scope.
    pub(in crate::server) fn in_turn(
        server: Option<Weak<ServerState>>,
        scope: Scope,
        user: User,
        identity: Option<Identity>,
    ) -> Self {
        Self {
            identity,
            ..Self::of(Through::Turn(server), scope, user)
        }
    }

    fn of(through: Through, scope: Scope, user: User) -> Self {
        Self {
            through,
            scope,
            user,
            identity: None,
            thread_id: None,
            title: None,
            metadata: None,
            content: Vec::new(),
            data: None,
            idempotency_key: None,
        }
    }

    /// Sets the worker. Required, except in a dispatch by a [`TurnServer`](crate::TurnServer).
    pub fn worker(mut self, worker_id: impl Into<String>) -> Self {
        self.scope.worker_id = worker_id.into();
        self
    }

    /// Sets the organization. Default: the empty id.
    pub fn organization(mut self, organization_id: impl Into<String>) -> Self {
        self.scope = self.scope.organization(organization_id);
        self.identity = None;
        self
    }

    /// Sets the workspace. Default: the empty id.
    pub fn workspace(mut self, workspace_id: impl Into<String>) -> Self {
        self.scope = self.scope.workspace(workspace_id);
        self.identity = None;
        self
    }

    /// Sets the user on whose behalf the message is sent. Default: an anonymous user.
    ///
    /// If the agent's threads are private, the message can only be sent to threads in which this user participates. Threads
    /// that the program creates without a user are then visible to no client. Further messages without a user can continue
    /// them.
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.user = user.into();
        self.identity = None;
        self
    }

    /// Sets the thread of the message. A thread that does not exist is created with this id. Default: a new thread with a
    /// generated id.
    pub fn thread(mut self, thread_id: impl Into<String>) -> Self {
        self.thread_id = Some(thread_id.into());
        self
    }

    /// Sets the title of a new thread, at most [`MAX_TITLE_BYTES`](crate::protocol::MAX_TITLE_BYTES) long. An existing
    /// thread keeps its title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the metadata of a new thread: JSON of at most [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH) levels and
    /// [`MAX_METADATA_BYTES`](crate::protocol::MAX_METADATA_BYTES). An existing thread keeps its metadata.
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// Adds a text part to the message.
    ///
    /// A message needs visible text, an image, audio or a document. Otherwise [`send`](Self::send) returns
    /// [`DispatchError::Invalid`].
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.content.push(ContentPart::text(text));
        self
    }

    /// Adds parts to the message.
    pub fn content(mut self, parts: impl IntoIterator<Item = impl Into<ContentPart>>) -> Self {
        self.content.extend(parts.into_iter().map(Into::into));
        self
    }

    /// Sets the data of the message: JSON of at most [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH) levels. The handler
    /// reads it from [`request.data`](crate::WorkerRequest).
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Sets a key that makes it safe to send the message again, for example after an error of the database.
    ///
    /// A message that is sent again with the same key is stored and answered only once, and the [`DispatchStream`] reads the
    /// turn of the first message. A key belongs to a combination of worker, organization, workspace and user, and is shared by
    /// all agents of the worker. Sending another message with the same key, or the same message to another agent, is
    /// [`DispatchError::Conflict`]. Keys are not shared with the `client_event_id`s of clients.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Stores the message, and starts or queues the turn that answers it.
    ///
    /// The turn runs independently of the returned stream. This starts the server if it has not started yet.
    ///
    /// # Errors
    ///
    /// [`DispatchError`]. Nothing was stored, except possibly in the case of [`DispatchError::Store`].
    pub async fn send(self) -> Result<DispatchStream, DispatchError> {
        let server = self.through.start().await?;
        let agent = self.check(&server)?;
        // A message that is stored is also published and started, even if the caller stops waiting.
        let sent = self.send_on(Arc::clone(&server), agent);
        server.run_detached(sent).await
    }

    /// Checks the message. Returns the agent as the server serves it, with the policy that the server applies.
    fn check(&self, server: &ServerState) -> Result<AgentDefinition, DispatchError> {
        let name = &self.scope.agent;
        let agent = server
            .agent(name)
            .ok_or_else(|| DispatchError::NotServed(name.clone()))?;
        if server.stopping.is_cancelled() {
            return Err(ServerError::Closed.into());
        }
        let invalid = |text: &str| Err(DispatchError::Invalid(text.to_owned()));
        if self.scope.worker_id.is_empty() {
            return invalid("a dispatch needs a worker: set it with `.worker(\"…\")`");
        }
        UploadNotFound::check(&self.content)?;
        let ids = [
            ("worker", Some(&self.scope.worker_id)),
            ("organization", Some(&self.scope.organization_id)),
            ("workspace", Some(&self.scope.workspace_id)),
            ("user", Some(&self.user.user_id)),
            ("thread", self.thread_id.as_ref()),
            ("idempotency_key", self.idempotency_key.as_ref()),
        ];
        for (what, id) in ids {
            id.map_or(Ok(()), |id| clean_id(what, id))?;
        }
        Ok(agent)
    }

    async fn send_on(
        self,
        server: Arc<ServerState>,
        agent: AgentDefinition,
    ) -> Result<DispatchStream, DispatchError> {
        let identity = self.identity(server.config.is_private(&agent));
        let scope = identity.scope.clone();
        let message = Admitted::new(self.into_message(&identity))?;
        let until = &server.stopped;
        let local = LocalSession::of(Arc::clone(&server), agent.clone(), until, identity);
        // Watch before the message is stored, so that the end of the turn is not missed.
        let ending = server.runner.publisher().ending_of(&message.get().event_id);
        let mut is_new_thread = false;
        let stored = |begun: &BeginOutcome| is_new_thread = begun.makes_thread();
        let begun = submit_message(local.session(), &scope, message, stored).await?;
        let end = if begun.is_repeated {
            read_again(local.session(), &scope, &begun).await?
        } else {
            StreamEnd::Awaited(ending.stored_in(&begun.event.thread_id))
        };
        let (thread_id, event_id) = (begun.event.thread_id, begun.event.id);
        let reading = TurnReader {
            turn: TurnFilter::new(event_id.clone(), agent.has_manual_runs()),
            thread_id: thread_id.clone(),
            local,
            end,
        };
        let place = (thread_id, event_id);
        let is_repeated = begun.is_repeated;
        Ok(DispatchStream::new(
            place,
            is_new_thread,
            is_repeated,
            reading,
        ))
    }

    fn identity(&self, private_threads: bool) -> SessionIdentity {
        // Anonymous clients participate by their connection. The program has none, so it always participates as a user.
        let participant = Participant::user(&self.user);
        let scope = self.scope.clone();
        if let Some(confirmed) = self.identity.clone() {
            return SessionIdentity::within(scope, confirmed, participant, private_threads).store();
        }
        let granted = Identity::new(self.user.clone())
            .organization(&scope.organization_id)
            .workspace(&scope.workspace_id);
        SessionIdentity::within(scope, granted, participant, private_threads)
    }

    fn into_message(self, identity: &SessionIdentity) -> NewMessage {
        let thread = |id| NewThread {
            title: self.title,
            metadata: self.metadata,
            ..NewThread::new(id)
        };
        NewMessage {
            thread: match self.thread_id {
                Some(id) => ThreadTarget::ExistingOrNew(thread(id)),
                None => ThreadTarget::New(thread(new_id())),
            },
            event_id: new_id(),
            kind: EventType::Message,
            content: self.content,
            data: self.data,
            seal: None,
            identity: identity.stored(),
            client_event_id: self.idempotency_key,
            is_of_program: true,
            user: identity.user().clone(),
            participant: identity.participant.clone(),
            at: timestamp::now(),
        }
    }
}

/// Subscribes to the turn of a message that was stored before. The turn may have ended, or may end concurrently.
async fn read_again(
    session: &Session,
    scope: &Scope,
    begun: &BeginOutcome,
) -> Result<StreamEnd, DispatchError> {
    let server = &session.server;
    let (thread_id, event_id) = (&begun.event.thread_id, &begun.event.id);
    // Watch before the state is read, so that an end after the read is not missed.
    let ending = server.runner.publisher().ending_of(event_id);
    let state = server.store.turn_state(scope, thread_id, event_id).await?;
    let join = server.hub.subscribe(&session.connection, thread_id);
    join.activate_lagging([], begun.position());
    Ok(match state {
        TurnState::Queued | TurnState::Running => StreamEnd::Awaited(ending.stored_in(thread_id)),
        TurnState::Ended => StreamEnd::Recorded { rev: 0 },
    })
}
