//! The server that a program creates.

use super::callback::Callback;
use super::config::WorkerConfig;
use super::dispatch::Dispatch;
use super::error::ServerError;
use super::listener;
use super::repository::{Broadcast, Repository};
use super::routes;
use super::server_spec::ServerSpec;
use super::server_state::ServerState;
use super::signals::StopSignals;
use super::stopping::Stopped;
use crate::handler::{Agent, AgentDefinition};
use crate::history::WorkerMemory;
use crate::settings::{Settings, SettingsSchema, SettingsUpdate, WorkerSettings};
use crate::store::{CancelTarget, FeedbackUpdate, Scope, WorkerKey};
use axum::Router;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
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
///     let config = WorkerConfig::new().bind(([127, 0, 0, 1], 8000).into());
///     WorkerServer::new(config).agent::<echo>().serve().await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct WorkerServer {
    program: ServerSpec,
    server: Arc<OnceCell<Arc<ServerState>>>,
    closed: CancellationToken,
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
    /// An agent in a library must be named if the program refers to nothing else in it.
    #[must_use]
    pub fn agent<A: Agent>(mut self) -> Self {
        self.program.chosen.push(A::DEFINITION);
        self
    }

    /// Adds a value for the handlers, which take it as [`State<S>`](crate::State). There is one value of each type.
    #[must_use]
    pub fn state<S: Clone + Send + Sync + 'static>(mut self, state: S) -> Self {
        self.program.states.insert(state);
        self
    }

    /// Sets the settings schema of an agent whose fields are known only at run time. Its handler takes
    /// [`SettingsValues`](crate::settings::SettingsValues).
    #[must_use]
    pub fn settings_schema<A: Agent>(mut self, schema: SettingsSchema) -> Self {
        let agent = A::DEFINITION.name();
        self.program.schemas.insert(agent, Arc::new(schema));
        self
    }

    /// Sets a callback for changes of settings.
    ///
    /// It is called for one change at a time. Changes of the same field that occur while it is running are combined
    /// into one. It may change settings itself. An error of the callback is logged, and the change stays. Values of
    /// secrets are `null`.
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
    /// the later `updated_at` is the stored feedback. [`Repository::feedback`] lists everything that is stored.
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
        let server = self.start().await?;
        let agent = A::DEFINITION.name();
        if !server.settings.agents_of::<T>().contains(&agent) {
            return Err(ServerError::SettingsOwner {
                of: std::any::type_name::<T>(),
                found: 0,
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
        Dispatch::new(self.clone(), A::DEFINITION)
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

    /// Listens on the configured address and serves until the program receives SIGINT or SIGTERM, or until
    /// [`close`](Self::close) is called.
    ///
    /// It prints the address. At the signal, sessions are closed, running turns may finish, and the store is closed.
    /// All of this takes at most 3 s more than the [drain time](WorkerConfig::drain_timeout), whatever clients and the
    /// database do. A second signal ends the process at once, with the exit code 130.
    ///
    /// A handler that blocks its thread cannot be dropped and would keep the process alive. Such a process is ended
    /// with the exit code 1 when the time is over.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents, the store or the address cannot be used.
    pub async fn serve(self) -> Result<(), ServerError> {
        // The address is bound first, so that the store is not opened in vain if it is taken.
        let address = self.program.config.bind;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| ServerError::bind(address, error))?;
        let server = match self.start().await {
            Err(ServerError::Closed) => return Ok(()),
            started => started?,
        };
        let address = listener.local_addr().map_err(ServerError::Listen)?;
        // Signals are handled before the address is printed, because a reader of the output may send one.
        let drain_timeout = self.program.config.drain_timeout;
        let mut signals = StopSignals::new(drain_timeout).map_err(ServerError::Signals)?;
        announce(&server, address);
        let (served, ()) = tokio::join!(self.serve_on(listener), async {
            tokio::select! {
                () = signals.first() => {}
                // Another part of the program closed the server.
                () = server.stopping.cancelled() => return self.close().await,
            }
            tokio::select! {
                stopped = self.close_and_count(say_turns) => if stopped == Stopped::Whole {
                    signals.has_stopped();
                },
                () = signals.second() => {}
            }
        });
        served
    }

    /// Serves on this listener until [`close`](Self::close) is called, which may also happen before.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents or the store cannot be used, or the listener fails.
    pub async fn serve_on(&self, listener: TcpListener) -> Result<(), ServerError> {
        match self.start().await {
            Err(ServerError::Closed) => Ok(()),
            Err(error) => Err(error),
            Ok(server) => listener::serve(listener, server).await,
        }
    }

    /// The server as a router, to nest in the program's own router.
    ///
    /// The program must call [`close`](Self::close) at the end, so that turns finish and the store is closed. It should
    /// set `TCP_NODELAY` on its connections (`listener.tap_io(..)` of axum). Otherwise answers take 40 ms longer.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents or the store cannot be used.
    pub async fn router(&self) -> Result<Router, ServerError> {
        Ok(routes::router(self.start().await?, None))
    }

    /// Closes all sessions, lets turns finish, and closes the store.
    ///
    /// It returns at most 3 s after the [drain time](WorkerConfig::drain_timeout), whatever clients and the database
    /// do. Work that is not done by then is dropped. A turn that could not be recorded as interrupted is taken over
    /// when its lease ends, or at the next start.
    ///
    /// If the server is starting, the start is aborted. If it has not started yet, it never starts.
    pub async fn close(&self) {
        self.close_and_count(|_| {}).await;
    }

    /// Closes the server as [`close`](Self::close) does. `turns_left` is called with the number of turns that are still
    /// running.
    async fn close_and_count(&self, turns_left: impl FnOnce(usize)) -> Stopped {
        self.closed.cancel();
        let never = || async { Err(ServerError::Closed) };
        match self.server.get_or_try_init(never).await {
            Ok(server) => server.stop(turns_left).await,
            Err(_) => Stopped::Whole,
        }
    }

    /// Creates a new server of the same program, which has not started yet.
    #[cfg(feature = "testing")]
    pub(crate) fn anew(self) -> Self {
        Self {
            program: self.program,
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

/// Prints the addresses to connect to.
fn announce(server: &ServerState, address: SocketAddr) {
    let names: Vec<_> = server.agents.iter().map(AgentDefinition::name).collect();
    let mut text = format!("dooers serves {} on\n", names.join(", "));
    for path in routes::paths(server) {
        text += &format!("  ws://{address}{path}\n");
    }
    text += "Ctrl-C stops it.\n";
    say(&text);
}

/// Prints the number of turns that a stopping server waits for.
fn say_turns(turns: usize) {
    if turns > 0 {
        say(&format!(
            "Stopping once {turns} running turns have ended; Ctrl-C again stops at once.\n"
        ));
    }
}

/// Writes to the standard output. An error is ignored, because the server also works without a terminal.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
