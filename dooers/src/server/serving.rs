//! Serving and closing a [`WorkerServer`].

use super::announce;
use super::binding;
use super::error::ServerError;
use super::listener;
use super::open_address;
use super::routes;
use super::server_state::ServerState;
use super::signals::StopSignals;
use super::stopping::Stopped;
use super::worker::WorkerServer;
use axum::Router;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::TcpListener;

impl WorkerServer {
    /// Listens on the configured address and serves until the program receives SIGINT or SIGTERM, or until
    /// [`close`](Self::close) is called.
    ///
    /// It prints the addresses. At the signal, sessions are closed, running turns may finish, and the store is closed.
    /// All of this takes at most 3 s more than the [drain delay](crate::WorkerConfig::drain_delay) and the
    /// [drain time](crate::WorkerConfig::drain_timeout) together, whatever clients and the database do. A second signal ends the process at once, with the exit code 130.
    ///
    /// A handler that blocks its thread cannot be dropped and would keep the process alive. Such a process is ended
    /// with the exit code 1 when the time is over.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents, the store or the address cannot be used.
    pub async fn serve(self) -> Result<(), ServerError> {
        let (listener, server) = match self.listen().await {
            Err(ServerError::Closed) => return Ok(()),
            listening => listening?,
        };
        // Signals are handled before the address is printed, because a reader of the output may send one.
        let longest_drain = self.program.config.longest_drain();
        let mut signals = StopSignals::new(longest_drain).map_err(ServerError::Signals)?;
        announce::serving(&server, &listener, "Ctrl-C stops it.\n")?;
        let (served, ()) = tokio::join!(self.serve_on(listener), async {
            tokio::select! {
                () = signals.first() => {}
                // Another part of the program closed the server.
                () = server.stopping.cancelled() => return self.close().await,
            }
            tokio::select! {
                stopped = self.close_and_count(|turns| announce::running_turns(turns, "; Ctrl-C again stops at once")) => if stopped == Stopped::Whole {
                    signals.has_stopped();
                },
                () = signals.second() => {}
            }
        });
        served
    }

    /// Listens on the configured address and serves until `shutdown` completes, or until [`close`](Self::close) is
    /// called.
    ///
    /// It prints the address and stops like [`serve`](Self::serve), but leaves signals to the program. It also stops if
    /// `shutdown` completes while the server is starting. A handler that blocks its thread is left behind when the time
    /// is over, and may keep the process alive.
    ///
    /// ```no_run
    /// use dooers::prelude::*;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<()> {
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// // Another part of the program keeps `stop`, and stops the server by `stop.send(())`.
    /// # let _keep = stop;
    /// let shutdown = async {
    ///     let _ = stopped.await;
    /// };
    /// WorkerServer::new(WorkerConfig::from_env()?).serve_with_shutdown(shutdown).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents, the store or the address cannot be used.
    pub async fn serve_with_shutdown(
        self,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServerError> {
        let mut serving = pin!(async {
            let (listener, server) = self.listen().await?;
            announce::serving(&server, &listener, "")?;
            self.serve_on(listener).await
        });
        let served = tokio::select! {
            served = &mut serving => {
                if matches!(served, Ok(()) | Err(ServerError::Closed | ServerError::Overtaken(_))) {
                    // Another part of the program closed the server, which may still be stopping.
                    self.close().await;
                }
                served
            }
            () = shutdown => {
                let stop = self.close_and_count(|turns| announce::running_turns(turns, ""));
                tokio::join!(serving, stop).0
            }
        };
        match served {
            Err(ServerError::Closed) => Ok(()),
            served => served,
        }
    }

    /// Opens a listener on the configured address, and starts the server. [`close`](Self::close) aborts both.
    async fn listen(&self) -> Result<(TcpListener, Arc<ServerState>), ServerError> {
        // The address is bound first, so that the store is not opened in vain if it is taken.
        let listening = binding::listen(&self.program.config.bind);
        let listener = self.closed.run_until_cancelled(listening).await;
        let listener = listener.unwrap_or(Err(ServerError::Closed))?;
        self.check_open(&listener)?;
        Ok((listener, self.start().await?))
    }

    /// Serves on this listener until [`close`](Self::close) is called, which may also happen before.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents or the store cannot be used, or the listener fails.
    pub async fn serve_on(&self, listener: TcpListener) -> Result<(), ServerError> {
        self.check_open(&listener)?;
        match self.start().await {
            Err(ServerError::Closed) => Ok(()),
            Err(error) => Err(error),
            Ok(server) => {
                listener::serve(listener, Arc::clone(&server)).await?;
                match server.node.overtaken() {
                    Some(reason) => Err(ServerError::Overtaken(reason.to_owned())),
                    None => Ok(()),
                }
            }
        }
    }

    /// Refuses an address that other machines can reach if the server believes its clients.
    fn check_open(&self, listener: &TcpListener) -> Result<(), ServerError> {
        let address = listener.local_addr().map_err(ServerError::Listen)?;
        open_address::check(address, &self.program.config)
    }

    /// The server as a router, to nest in the program's own router, which may have a state of any type.
    ///
    /// ```
    /// use axum::{Router, extract::State, routing::get};
    /// use dooers::prelude::{Result, WorkerRequest, WorkerServer};
    /// use dooers::{Database, WorkerConfig};
    ///
    /// /// Says what you said.
    /// #[dooers::agent]
    /// async fn echo(request: WorkerRequest) -> String {
    ///     request.message
    /// }
    ///
    /// /// The state of the program's own routes.
    /// #[derive(Clone)]
    /// struct App {
    ///     name: &'static str,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let server = WorkerServer::new(WorkerConfig::new().database(Database::Memory)).agent::<echo>();
    /// let app: Router = Router::new()
    ///     .route("/", get(async |State(app): State<App>| app.name))
    ///     .nest("/chat", server.router().await?) // or `.merge(..)`, for the paths `/ws`, `/agents` and so on
    ///     .with_state(App { name: "shop" });
    /// # server.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The address of a client is known only if the program serves with axum's
    /// `into_make_service_with_connect_info::<SocketAddr>()`. The program's own routes get no headers from this server.
    ///
    /// The program must call [`close`](Self::close) at the end, so that turns finish and the store is closed. It should
    /// set `TCP_NODELAY` on its connections (`listener.tap_io(..)` of axum). Otherwise answers take 40 ms longer.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents or the store cannot be used.
    pub async fn router<S>(&self) -> Result<Router<S>, ServerError>
    where
        S: Clone + Send + Sync + 'static,
    {
        Ok(routes::router(self.start().await?))
    }

    /// The same as [`router`](Self::router), with the playground at `/`: a page for conversations with the agents.
    ///
    /// The page works at any path, because all its addresses are relative. If the router is nested at `/playground`, a browser
    /// that opens this path is redirected to `/playground/index.html`. If it is merged, the program cannot have its own route
    /// for `GET /`. [`WorkerConfig::playground(false)`](crate::WorkerConfig::playground), or `WORKER_PLAYGROUND=off`, leaves the
    /// page out. The page is public, even if an authenticator decides who may connect.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use dooers::prelude::{Result, WorkerRequest, WorkerServer};
    /// use dooers::{Database, WorkerConfig};
    ///
    /// /// Says what you said.
    /// #[dooers::agent]
    /// async fn echo(request: WorkerRequest) -> String {
    ///     request.message
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let server = WorkerServer::new(WorkerConfig::new().database(Database::Memory)).agent::<echo>();
    /// let app: Router = Router::new()
    ///     .route("/", get(async || "shop"))
    ///     .nest("/playground", server.playground_router().await?);
    /// # server.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the agents or the store cannot be used.
    #[cfg(feature = "playground")]
    pub async fn playground_router<S>(&self) -> Result<Router<S>, ServerError>
    where
        S: Clone + Send + Sync + 'static,
    {
        Ok(routes::playground_router(self.start().await?))
    }

    /// Closes all sessions, lets turns finish, and closes the store.
    ///
    /// It first waits for the [drain delay](crate::WorkerConfig::drain_delay), and returns at most 3 s after the
    /// [drain time](crate::WorkerConfig::drain_timeout) that follows, whatever clients and the database do. Work that is not done by then is dropped. A turn that could not be recorded as interrupted is taken over
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
}
