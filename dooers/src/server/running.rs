//! What all sessions of a server share.

use super::config::WorkerConfig;
use super::error::ServerError;
use super::program::Program;
use super::stopping;
use crate::agent::AgentDefinition;
use crate::hub::{Hub, OutboundLimits, OutboundTotal};
use crate::protocol::{new_id, timestamp};
use crate::settings::{Field, LiveSettings, Schemas};
use crate::store::{Cancel, CancelTarget, Cancelled, Scope, Store, StoreError};
use crate::turn::{AnswerKeys, Runner};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A server whose store is open: what all sessions share.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) agents: Vec<AgentDefinition>,
    pub(super) config: WorkerConfig,
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Hub,
    /// The unsent bytes of all connections.
    pub(super) outbound: Arc<OutboundTotal>,
    pub(super) settings: Arc<LiveSettings>,
    pub(super) runner: Arc<Runner>,
    /// The work of sessions, and changes of the program.
    pub(super) sessions: TaskTracker,
    pub(super) stopping: CancellationToken,
    /// Fires when all turns are over, or given up.
    pub(super) stopped: CancellationToken,
    /// What the server does by itself: calling the program after changes of settings, and keeping leases.
    pub(super) tasks: TaskTracker,
    /// Fires when these are given up.
    pub(super) abandoned: CancellationToken,
}

impl Running {
    /// Opens the store, ends what a dead process left, and starts the turns that wait. If `closed` fires before that is
    /// done, everything is stopped again.
    pub(super) async fn start(
        program: Program,
        closed: &CancellationToken,
    ) -> Result<Arc<Self>, ServerError> {
        let agents = program.agents()?;
        let schemas = program.schemas_of(&agents)?;
        let Program {
            config,
            on_settings_updated,
            states,
            ..
        } = program;
        let opening = async { Ok(config.database.open().await?) };
        let opened = closed.run_until_cancelled(opening).await;
        let store = opened.unwrap_or(Err(ServerError::Closed))?;
        let checking = check_secrets(&*store, &config, &schemas);
        let checked = closed.run_until_cancelled(checking).await;
        if let Err(error) = checked.unwrap_or(Err(ServerError::Closed)) {
            stopping::close(&*store).await;
            return Err(error);
        }
        let (hub, changes) = Hub::new();
        let (tasks, abandoned) = (TaskTracker::new(), CancellationToken::new());
        let settings = Arc::new(LiveSettings::new(
            Arc::clone(&store),
            hub.clone(),
            config.secret_keys.clone(),
            schemas,
        ));
        if let Some(callback) = on_settings_updated {
            let telling = callback.tell_all(settings.watch_all());
            tasks.spawn(abandoned.clone().run_until_cancelled_owned(telling));
        }
        let runner = Arc::new(Runner::new(
            Arc::clone(&store),
            (hub.clone(), changes),
            Arc::clone(&settings),
            AnswerKeys::new(config.secret_keys.clone()),
            Arc::new(states),
            config.assistant_name.clone(),
            config.lease,
        ));
        let limits = &config.limits;
        let outbound = OutboundTotal::new(limits.outbound_total, limits.answer_bytes);
        let running = Arc::new(Self {
            agents,
            outbound: Arc::new(outbound),
            config,
            store,
            hub,
            settings,
            runner,
            tasks,
            abandoned,
            sessions: TaskTracker::new(),
            stopping: CancellationToken::new(),
            stopped: CancellationToken::new(),
        });
        match closed.run_until_cancelled(running.recover()).await {
            Some(recovered) => recovered?,
            None => {
                // Turns may run already.
                running.stop(|_| {}).await;
                return Err(ServerError::Closed);
            }
        }
        let keeper = Arc::clone(&running);
        running.tasks.spawn(keeper.keep_leases());
        running
            .tasks
            .spawn(Arc::clone(&running).settle_lost_answers());
        running.tasks.spawn(Arc::clone(&running).forget_sent());
        Ok(running)
    }

    pub(super) fn agent(&self, name: &str) -> Option<AgentDefinition> {
        self.agents
            .iter()
            .find(|agent| agent.name() == name)
            .copied()
    }

    /// The agent that `/ws` leads to: the only one, or the one that is marked.
    pub(super) fn default_agent(&self) -> Option<AgentDefinition> {
        match self.agents.as_slice() {
            [only] => Some(*only),
            several => several.iter().find(|agent| agent.is_default()).copied(),
        }
    }

    pub(super) fn outbound_limits(&self) -> OutboundLimits {
        OutboundLimits {
            frames: self.config.limits.outbound_frames,
            bytes: self.config.limits.outbound_bytes,
        }
    }

    /// Cancels a turn, for somebody or, without a scope, for the program itself. Once that is stored it is told.
    pub(super) async fn cancel(
        &self,
        scope: Option<&Scope>,
        target: CancelTarget,
        stored: impl FnOnce(),
    ) -> Result<(), StoreError> {
        let cancel = Cancel {
            target,
            run_id: new_id(),
            at: timestamp::now(),
        };
        let publisher = self.runner.publisher();
        let cancel = self.store.cancel_turn(scope, &cancel);
        let acknowledge = |cancelled: &mut Cancelled| {
            stored();
            if let Cancelled::Withdrawn { changes, .. } = cancelled {
                publisher.report_withdrawn(changes);
            }
        };
        match publisher.commit_anywhere(cancel, acknowledge).await? {
            Cancelled::Withdrawn { waiting, .. } => self.go_on(waiting).await?,
            Cancelled::Running { event_id, .. } => self.runner.cancel(&event_id),
            Cancelled::Ended => {}
        }
        Ok(())
    }

    /// Runs a session, or a change of the program. A server that stops waits for it, and drops it at the end of its time.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let stopped = self.stopped.clone();
        // Boxed: what wraps it would hold its memory twice.
        let work = Box::pin(work);
        self.sessions.spawn(stopped.run_until_cancelled_owned(work))
    }
}

/// Whether every sealed secret can be opened, and new ones be sealed.
async fn check_secrets(
    store: &dyn Store,
    config: &WorkerConfig,
    schemas: &Schemas,
) -> Result<(), ServerError> {
    let keys = config.secret_keys.as_ref();
    let is_missing = |key: &String| keys.is_none_or(|keys| !keys.has(key));
    if let Some(key) = store.setting_keys().await?.into_iter().find(is_missing) {
        return Err(ServerError::SecretKey(key));
    }
    if let Some(key) = store.turn_keys().await?.into_iter().find(is_missing) {
        return Err(ServerError::AnswerKey(key));
    }
    let mut fields = schemas
        .values()
        .flat_map(|settings| settings.schema.fields());
    if keys.is_none() && fields.any(Field::is_secret) {
        tracing::warn!(target: "dooers::settings", "secret settings are stored as they are; set WORKER_SECRET_KEY to seal them");
    }
    Ok(())
}
