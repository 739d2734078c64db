//! The server that a program creates.

use super::analytics::ServerAnalytics;
use super::callback::Callback;
use super::config::WorkerConfig;
use super::dispatch::Dispatch;
use super::error::ServerError;
use super::repository::{Broadcast, Repository};
use super::server_spec::ServerSpec;
use super::server_state::ServerState;
use crate::auth::{Authenticator, SharedAuthenticator};
use crate::handler::{Agent, AgentDefinition, TurnMiddleware, WorkerAnalytics};
use crate::history::WorkerMemory;
use crate::settings::{Settings, SettingsSchema, SettingsUpdate, WorkerSettings};
use crate::store::{CancelTarget, FeedbackUpdate, Scope, WorkerKey};
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// A server for the agents of a program.
///
/// A clone refers to the same server, so one part of a program can [`close`](Self::close) the server that another part
/// serves.
///
/// ```no_run
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn echo(request: WorkerRequest) -> String {
///     request.message
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<()> {
///     let config = WorkerConfig::new().bind("localhost:8000");
///     WorkerServer::new(config).agent::<echo>().serve().await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct WorkerServer {
    pub(super) program: ServerSpec,
    pub(super) server: Arc<OnceCell<Arc<ServerState>>>,
    pub(super) closed: CancellationToken,
}

impl WorkerServer {
    /// Creates a server for all annotated agents of the program.
    #[must_use]
    pub fn new(config: WorkerConfig) -> Self {
        Self {
            program: ServerSpec::new(config),
            server: Arc::default(),
            closed: CancellationToken::new(),
        }
    }

    /// Serves this agent. If this is called, only the agents that are named in this way are served.
    ///
    /// The agent is named by its type, as in `.agent::<support>()`. See also the
    /// [errors of the compiler](macro@crate::agent#errors-of-the-compiler).
    ///
    /// An agent in a library must be named if the program refers to nothing else in it.
    #[must_use]
    pub fn agent<A: Agent>(mut self) -> Self {
        self.program.chosen.push(AgentDefinition::of::<A>());
        self
    }

    /// Serves this agent with other options than those of its attribute, for example with another timeout. Like
    /// [`agent`](Self::agent), this names the agents to serve.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[dooers::agent(timeout = "30s")]
    /// async fn support() {}
    ///
    /// let server = WorkerServer::new(WorkerConfig::new())
    ///     .agent_with::<support>(|agent| agent.with_timeout(Duration::from_secs(300)).with_retries(2));
    /// ```
    #[must_use]
    pub fn agent_with<A: Agent>(
        self,
        change: impl FnOnce(AgentDefinition) -> AgentDefinition,
    ) -> Self {
        self.add_agent(change(AgentDefinition::of::<A>()))
    }

    /// Serves an agent that was made at run time: see [`AgentDefinition::from_fn`]. Like [`agent`](Self::agent), this
    /// names the agents to serve. Add [`annotated_agents`](Self::annotated_agents) to serve those as well.
    #[must_use]
    pub fn add_agent(mut self, agent: AgentDefinition) -> Self {
        self.program.chosen.push(agent);
        self
    }

    /// Serves all annotated agents of the program beside the agents that are named. A server for which no agent is named
    /// serves them anyway. An agent that is also named by [`agent_with`](Self::agent_with) has the changed options.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use dooers::AgentDefinition;
    ///
    /// #[dooers::agent]
    /// async fn support() {}
    ///
    /// let server = WorkerServer::new(WorkerConfig::new())
    ///     .annotated_agents()
    ///     .agent_with::<support>(|agent| agent.with_retries(2))
    ///     .add_agent(AgentDefinition::from_fn("made", async || "Hello!"));
    /// ```
    #[must_use]
    pub fn annotated_agents(mut self) -> Self {
        self.program.with_annotated = true;
        self
    }

    /// Adds a value for the handlers, which take it as [`State<S>`](crate::State). There is at most one
    /// value of each type: a server that is given two does not start.
    #[must_use]
    pub fn state<S: Clone + Send + Sync + 'static>(mut self, state: S) -> Self {
        self.program.add_state(state);
        self
    }

    /// Adds middleware, which is called before and after each attempt of each turn: see [`TurnMiddleware`]. The first one
    /// that is added is the outermost.
    #[must_use]
    pub fn middleware(mut self, middleware: impl TurnMiddleware) -> Self {
        self.program.middlewares.add(middleware);
        self
    }

    /// Sets the authenticator, which decides who a client is. A server for which a variable such as `WORKER_TOKENS_FILE` selects
    /// another one does not start. Without one, the server believes what clients state, and serves
    /// loopback addresses only: see [`Open`](crate::auth::Open).
    ///
    /// ```
    /// use dooers::auth::{ConnectRequest, Identity, Refusal};
    /// use dooers::prelude::*;
    ///
    /// # #[dooers::agent]
    /// # async fn echo() {}
    /// let server = WorkerServer::new(WorkerConfig::new()).authenticator(async |request: ConnectRequest| {
    ///     let user = request.token().and_then(|token| token.strip_prefix("session-of-"));
    ///     user.map(Identity::new).ok_or_else(|| Refusal::unauthorized("log in first"))
    /// });
    /// ```
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        let config = &mut self.program.config;
        self.program.two_authenticators |= config.authenticator_is_by_variable;
        config.authenticator = SharedAuthenticator::new(authenticator);
        self
    }

    /// Sets the settings schema of an agent whose fields are known only at run time. Its handler takes
    /// [`SettingsValues`](crate::settings::SettingsValues). An agent has at most one schema.
    #[must_use]
    pub fn settings_schema<A: Agent>(mut self, schema: SettingsSchema) -> Self {
        self.program.add_schema(A::DEFINITION.name(), schema);
        self
    }

    /// Sets a callback for changes of settings.
    ///
    /// It is called for changes that this process makes, and not for those of other processes that share the database. It is
    /// called for one change at a time. Changes of the same field that occur while it is running are combined
    /// into one. It may change settings itself. An error of the callback is logged, and the change stays. Values of
    /// secrets are `null`. A second call replaces the callback.
    #[must_use]
    pub fn on_settings_updated<F, R>(mut self, callback: F) -> Self
    where
        F: Fn(SettingsUpdate) -> R + Send + Sync + 'static,
        R: Future<Output = crate::Result<()>> + Send + 'static,
    {
        self.program.on_settings_updated = Some(Callback::new(callback));
        self
    }

    /// Sets a callback for feedback of users: likes and dislikes of events, runs and threads.
    ///
    /// It is called once for each feedback that is new or has changed, after it was stored, for one feedback at a time. The
    /// user does not wait for it. An error of the callback is logged, and the feedback stays. Only the process that received
    /// the feedback calls it. If 1,024 updates wait for the callback, it is not called for further ones until it has caught
    /// up. It is not called either if the process ends, or the database does not answer, right after the feedback was
    /// stored. If a user changes a feedback on two connections at the same moment, the calls may come in either order;
    /// the later `updated_at` is the stored feedback. [`Repository::feedback`] lists everything that is stored. A second
    /// call replaces the callback.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// # fn f(server: WorkerServer) -> WorkerServer {
    /// server.on_feedback(async |update| {
    ///     println!("{:?}: {:?}", update.feedback.target, update.feedback.value);
    ///     Ok(())
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn on_feedback<F, R>(mut self, callback: F) -> Self
    where
        F: Fn(FeedbackUpdate) -> R + Send + Sync + 'static,
        R: Future<Output = crate::Result<()>> + Send + 'static,
    {
        self.program.on_feedback = Some(Callback::new(callback));
        self
    }

    /// The settings of a worker, for use outside of a handler. They belong to the one agent that has settings of this
    /// type.
    ///
    /// This starts the server if it has not started yet.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start, or if none or several of its agents have settings of this type.
    pub async fn settings<T: WorkerSettings>(
        &self,
        worker_id: impl Into<String>,
    ) -> Result<Settings<T>, ServerError> {
        let server = self.start().await?;
        let agents = server.settings.agents_of::<T>();
        let [agent] = agents[..] else {
            return Err(ServerError::SettingsOwner {
                of: std::any::type_name::<T>(),
                found: agents.len(),
            });
        };
        Ok(settings_of(&server, agent, worker_id.into()))
    }

    /// The settings of a worker of this agent, if several agents have settings of the same type.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start, or if this agent has no settings of this type.
    pub async fn settings_of<A: Agent, T: WorkerSettings>(
        &self,
        worker_id: impl Into<String>,
    ) -> Result<Settings<T>, ServerError> {
        self.settings_of_named(A::DEFINITION.name(), worker_id)
            .await
    }

    /// The same as [`settings_of`](Self::settings_of), for the agent with this name. Agents that are made at run time often
    /// share a type of settings.
    ///
    /// # Errors
    ///
    /// The same as [`settings_of`](Self::settings_of).
    pub async fn settings_of_named<T: WorkerSettings>(
        &self,
        agent: &str,
        worker_id: impl Into<String>,
    ) -> Result<Settings<T>, ServerError> {
        let server = self.start().await?;
        if !server.settings.agents_of::<T>().contains(&agent) {
            return Err(ServerError::SettingsOfAgent {
                agent: agent.to_owned(),
                of: std::any::type_name::<T>(),
            });
        }
        Ok(settings_of(&server, agent, worker_id.into()))
    }

    /// The conversations and settings, to be read and changed outside of a turn.
    ///
    /// This starts the server if it has not started yet.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start.
    pub async fn repository(&self) -> Result<Repository, ServerError> {
        Ok(Repository::new(self.start().await?))
    }

    /// The memory of a whole thread, for use outside of a handler. The thread is read later, by the memory's own
    /// methods. They return an error if the thread is outside the scope.
    ///
    /// This starts the server if it has not started yet.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start.
    pub async fn memory(
        &self,
        scope: &Scope,
        thread_id: impl Into<String>,
    ) -> Result<WorkerMemory, ServerError> {
        let store = Arc::clone(&self.start().await?.store);
        let memory = WorkerMemory::of_thread(store, scope.clone(), thread_id.into());
        Ok(memory)
    }

    /// The analytics of a scope, to track events and to give feedback outside of a turn.
    ///
    /// A scope of one user acts on behalf of this user, and [`WorkerAnalytics::user`] sets another one.
    ///
    /// This starts the server if it has not started yet.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use dooers::repository::Scope;
    ///
    /// #[dooers::agent]
    /// async fn shop() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let config = WorkerConfig::new().database(dooers::Database::Memory);
    /// # let server = WorkerServer::new(config).agent::<shop>();
    /// let scope = Scope::everyone::<shop>("w1").organization("o1");
    /// let analytics = server.analytics(&scope).await?.user("ada");
    /// analytics.track("parcel.delivered", serde_json::json!({"days": 2})).await?;
    /// # server.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start.
    pub async fn analytics(&self, scope: &Scope) -> Result<WorkerAnalytics, ServerError> {
        let server = self.start().await?;
        let sink = Arc::new(ServerAnalytics::new(Arc::downgrade(&server)));
        Ok(WorkerAnalytics::of_server(sink, scope.clone()))
    }

    /// A [`Broadcast`], which publishes events in a thread without a turn.
    ///
    /// This starts the server if it has not started yet.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start.
    pub async fn broadcast(&self) -> Result<Broadcast, ServerError> {
        Ok(Broadcast::new(self.repository().await?))
    }

    /// Creates a message from the program to one of its agents, for example from a webhook or a timer.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// /// Says what you said.
    /// #[dooers::agent]
    /// async fn echo(request: WorkerRequest) -> String {
    ///     format!("You said: {}", request.message)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let config = WorkerConfig::new().database(dooers::Database::Memory);
    /// let server = WorkerServer::new(config).agent::<echo>();
    /// let turn = server
    ///     .dispatch::<echo>()
    ///     .worker("w1")
    ///     .user("ada")
    ///     .message("hello")
    ///     .send()
    ///     .await?;
    /// assert_eq!(turn.text().await?, "You said: hello");
    /// # server.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn dispatch<A: Agent>(&self) -> Dispatch {
        self.dispatch_to(A::DEFINITION.name())
    }

    /// Creates a message like [`dispatch`](Self::dispatch), to the agent with this name.
    pub fn dispatch_to(&self, agent: impl Into<String>) -> Dispatch {
        Dispatch::new(self.clone(), agent.into())
    }

    /// Cancels the turn of a run: its handler is dropped, and the run ends `canceled`. A run that has ended stays as it is.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start, the database fails, or there is no such run.
    pub async fn cancel_run(&self, run_id: impl Into<String>) -> Result<(), ServerError> {
        let target = CancelTarget::Run(run_id.into());
        let server = self.start().await?;
        Ok(server.cancel(None, target, || {}).await?)
    }

    /// Closes all connections of a user. Returns the number of connections to this process.
    ///
    /// To revoke the access of a user, first make the authenticator refuse the user. A client that is closed connects again.
    ///
    /// The other processes that share the database are notified, and close the connections of the user to them a moment
    /// later. A process that cannot be notified, because its `/readyz` reports that the other processes cannot be reached,
    /// keeps these connections until the identity of the client ends.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start.
    pub async fn disconnect(&self, user_id: &str) -> Result<usize, ServerError> {
        Ok(self.start().await?.disconnect(user_id))
    }

    /// Creates a new server of the same program, which has not started yet.
    #[cfg(feature = "testing")]
    pub(crate) fn anew(self) -> Self {
        Self {
            program: self.program.replaceable(),
            server: Arc::default(),
            closed: CancellationToken::new(),
        }
    }

    /// Changes the configuration of a server that has not started yet.
    #[cfg(feature = "testing")]
    pub(crate) fn configure(mut self, change: impl FnOnce(WorkerConfig) -> WorkerConfig) -> Self {
        self.program.config = change(self.program.config);
        self
    }

    pub(super) async fn start(&self) -> Result<Arc<ServerState>, ServerError> {
        let start = || async {
            if self.closed.is_cancelled() {
                return Err(ServerError::Closed);
            }
            ServerState::start(self.program.clone(), &self.closed).await
        };
        self.server.get_or_try_init(start).await.cloned()
    }
}

fn settings_of<T: WorkerSettings>(
    server: &ServerState,
    agent: &str,
    worker_id: String,
) -> Settings<T> {
    let worker = WorkerKey {
        agent: agent.to_owned(),
        worker_id,
    };
    Settings::new(Arc::clone(&server.settings), worker)
}
