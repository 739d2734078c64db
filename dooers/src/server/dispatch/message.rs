//! Messages that the program sends.

use super::error::DispatchError;

use super::stream::{DispatchStream, StreamEnd, TurnReader};
use super::turn_filter::TurnFilter;
use crate::handler::AgentDefinition;
use crate::protocol::{ContentPart, EventType, UploadNotFound, User, clean_id, new_id, timestamp};
use crate::server::identity::Identity;
use crate::server::local_session::LocalSession;
use crate::server::server_state::ServerState;
use crate::server::session::Session;
use crate::server::submit_message::submit_message;
use crate::server::{ServerError, WorkerServer};
use crate::store::{
    Admitted, BeginOutcome, NewMessage, NewThread, Participant, Scope, ThreadTarget, TurnState,
    Viewer,
};
use serde_json::Value;
use std::sync::Arc;

/// A message that the program sends to one of its agents: made by
/// [`WorkerServer::dispatch`](crate::WorkerServer::dispatch).
///
/// It is stored and answered as one that comes over a socket: by the same handler, by the same rules of order, and shown
/// to the same subscribers.
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
#[must_use = "nothing is sent before `send`"]
pub struct Dispatch {
    server: WorkerServer,
    agent: AgentDefinition,
    scope: Scope,
    user: User,
    thread_id: Option<String>,
    title: Option<String>,
    metadata: Option<Value>,
    content: Vec<ContentPart>,
    data: Option<Value>,
    idempotency_key: Option<String>,
}

impl Dispatch {
    pub(in crate::server) fn new(server: WorkerServer, agent: AgentDefinition) -> Self {
        Self {
            server,
            scope: Scope::of(&agent, String::new(), Viewer::Everyone),
            agent,
            user: User::new(""),
            thread_id: None,
            title: None,
            metadata: None,
            content: Vec::new(),
            data: None,
            idempotency_key: None,
        }
    }

    /// The worker, which must be told.
    pub fn worker(mut self, worker_id: impl Into<String>) -> Self {
        self.scope.worker_id = worker_id.into();
        self
    }

    /// The organization; the one without a name, unless told.
    pub fn organization(mut self, organization_id: impl Into<String>) -> Self {
        self.scope = self.scope.organization(organization_id);
        self
    }

    /// The workspace; the one without a name, unless told.
    pub fn workspace(mut self, workspace_id: impl Into<String>) -> Self {
        self.scope = self.scope.workspace(workspace_id);
        self
    }

    /// In whose name the message is sent; nobody's, unless told. Where threads are private, it is also whose threads it can
    /// go to: as nobody those that the program began as nobody, which no client sees.
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.user = user.into();
        self
    }

    /// The thread that the message goes to. It is made if there is none of this id. Without one the message begins a new
    /// thread.
    pub fn thread(mut self, thread_id: impl Into<String>) -> Self {
        self.thread_id = Some(thread_id.into());
        self
    }

    /// The title of the thread, if that is new: at most [`MAX_TITLE_BYTES`](crate::protocol::MAX_TITLE_BYTES).
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What is kept with the thread, if that is new: JSON of at most
    /// [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH) levels and
    /// [`MAX_METADATA_BYTES`](crate::protocol::MAX_METADATA_BYTES).
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// Adds a text to the message. A message without any visible text and without an image, audio or document is refused
    /// by [`send`](Self::send).
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.content.push(ContentPart::text(text));
        self
    }

    /// Adds these parts to the message.
    pub fn content(mut self, parts: impl IntoIterator<Item = impl Into<ContentPart>>) -> Self {
        self.content.extend(parts.into_iter().map(Into::into));
        self
    }

    /// What comes with the message, the handler's [`request.data`](crate::WorkerRequest): JSON of at most
    /// [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH) levels.
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// A name of this message by which it is known again. Sent again with the same name by the same user of the same
    /// workspace it is the same message: it is stored and answered once, and the [`DispatchStream`] is of that turn.
    ///
    /// The agents of a worker share these names: what goes to two of them takes two. A name that was used for another
    /// message, or with another agent, is [`DispatchError::Conflict`].
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Stores the message and starts the turn that answers it, or lets it wait for its turn. From here on the turn runs
    /// by itself.
    ///
    /// The store is opened, if nothing has done so before.
    ///
    /// # Errors
    ///
    /// [`DispatchError`]; nothing was stored then, unless it says so.
    pub async fn send(self) -> Result<DispatchStream, DispatchError> {
        let running = self.server.start().await?;
        self.check(&running)?;
        // What is stored is also told and started, though nobody may wait for it any more.
        let sent = self.send_on(Arc::clone(&running));
        running.run_detached(sent).await
    }

    fn check(&self, running: &ServerState) -> Result<(), DispatchError> {
        let name = self.agent.name();
        if running.agent(name).is_none() {
            return Err(DispatchError::NotServed(name));
        }
        if running.stopping.is_cancelled() {
            return Err(ServerError::Closed.into());
        }
        let invalid = |text: &str| Err(DispatchError::Invalid(text.to_owned()));
        if self.scope.worker_id.is_empty() {
            return invalid("a dispatch needs a worker: say which with `.worker(\"…\")`");
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
        Ok(())
    }

    async fn send_on(self, running: Arc<ServerState>) -> Result<DispatchStream, DispatchError> {
        let identity = self.identity(&running);
        let scope = identity.scope.clone();
        let agent = self.agent;
        let message = Admitted::new(self.into_message(&identity))?;
        let until = &running.stopped;
        let local = LocalSession::of(Arc::clone(&running), agent, until, identity);
        // Before the storing, so that no end is missed.
        let ending = running
            .runner
            .publisher()
            .ending_of(&message.get().event_id);
        let mut is_new_thread = false;
        let stored = |begun: &BeginOutcome| is_new_thread = begun.makes_thread();
        let begun = submit_message(local.session(), &scope, message, stored).await?;
        let end = if begun.is_repeated {
            read_again(local.session(), &scope, &begun).await?
        } else {
            StreamEnd::Awaited(ending)
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

    fn identity(&self, running: &ServerState) -> Identity {
        // Also for nobody: a connection of nobody is another one each time, and the program is always the same.
        let participant = Participant::user(&self.user);
        let private_threads = running.config.private_threads;
        let (scope, user) = (self.scope.clone(), self.user.clone());
        Identity::within(scope, user, participant, private_threads)
    }

    fn into_message(self, identity: &Identity) -> NewMessage {
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
            client_event_id: self.idempotency_key,
            user: identity.user.clone(),
            participant: identity.participant.clone(),
            at: timestamp::now(),
        }
    }
}

/// Subscribes to the turn of a message that was stored before. The turn may have ended, or end at this moment.
async fn read_again(
    session: &Session,
    scope: &Scope,
    begun: &BeginOutcome,
) -> Result<StreamEnd, DispatchError> {
    let running = &session.running;
    let (thread_id, event_id) = (&begun.event.thread_id, &begun.event.id);
    // Before the question, so that an end after the answer is not missed.
    let ending = running.runner.publisher().ending_of(event_id);
    let state = running.store.turn_state(scope, thread_id, event_id).await?;
    let join = running.hub.subscribe(&session.connection, thread_id);
    join.activate_lagging([], begun.position());
    Ok(match state {
        TurnState::Queued | TurnState::Running => StreamEnd::Awaited(ending),
        TurnState::Ended => StreamEnd::Past,
    })
}
