//! The start of a server.

use super::analytics::ServerAnalytics;
use super::config::WorkerConfig;
use super::error::ServerError;
use super::feedback_updates::FeedbackUpdates;
use super::node_status::NodeStatus;
use super::open_address::{self, OpenWarning};
use super::open_sessions::OpenSessions;
use super::quota::Accounts;
use super::server_spec::ServerSpec;
use super::server_state::ServerState;
use super::settings_frames;
use super::settings_updates;
use super::silent_nodes::SilentNodes;
use super::stopping;
use super::turn_server::WeakServer;
use super::unknown_roles::UnknownRoles;
#[cfg(feature = "webhook")]
use super::webhook::Sender;
use crate::handler::AnswerKeys;
use crate::hub::{Hub, LiveAnalytics, OutboundTotal};
use crate::settings::{Field, LiveSettings, Schemas};
use crate::store::{NodeState, Store};
use crate::turn::{Outlets, Runner, TurnParameters};
use std::sync::{Arc, Weak};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

impl ServerState {
    /// Opens the store, takes over the turns of dead processes, and starts the queued turns. If `closed` fires before
    /// that is done, everything is stopped again.
    pub(super) async fn start(
        program: ServerSpec,
        closed: &CancellationToken,
    ) -> Result<Arc<Self>, ServerError> {
        if program.two_authenticators {
            return Err(ServerError::TwoAuthenticators);
        }
        open_address::check_origins(&program.config)?;
        program.config.misspelled.log();
        let agents = program.agents()?;
        let schemas = program.schemas_of(&agents)?;
        let ServerSpec {
            config,
            on_settings_updated,
            on_feedback,
            mut states,
            middlewares,
            ..
        } = program;
        let opening = async { Ok(config.database.open(config.database_is_chosen).await?) };
        let opened = closed.run_until_cancelled(opening).await;
        let store = opened.unwrap_or(Err(ServerError::Closed))?;
        let checking = check_secrets(&*store, &config, &schemas);
        let checked = closed.run_until_cancelled(checking).await;
        if let Err(error) = checked.unwrap_or(Err(ServerError::Closed)) {
            stopping::close(&*store).await;
            return Err(error);
        }
        let broker = match config.broker.start(&*store) {
            Ok(broker) => broker,
            Err(error) => {
                stopping::close(&*store).await;
                return Err(error);
            }
        };
        // A start that is cancelled here ends below.
        closed.run_until_cancelled(broker.ready()).await;
        store.keep_outbox(config.outbox());
        let (hub, changes) = Hub::new(broker.watched());
        let (tasks, abandoned) = (TaskTracker::new(), CancellationToken::new());
        let settings = LiveSettings::new(
            Arc::clone(&store),
            config.secret_keys.clone(),
            schemas,
            Box::new({
                let hub = hub.clone();
                move |changed| settings_frames::publish(&hub, changed, None)
            }),
        );
        let settings = Arc::new(settings.among_nodes(Arc::clone(&broker), {
            let hub = hub.clone();
            move |worker| hub.has_settings_subscribers(worker)
        }));
        if let Some(callback) = on_settings_updated {
            let notifying = settings_updates::notify_all(callback, settings.watch_all());
            tasks.spawn(abandoned.clone().run_until_cancelled_owned(notifying));
        }
        let (feedback, notifying) = FeedbackUpdates::new(on_feedback);
        if let Some(notifying) = notifying {
            tasks.spawn(abandoned.clone().run_until_cancelled_owned(notifying));
        }
        let limits = &config.limits;
        let outbound = OutboundTotal::new(limits.outbound_total, limits.answer_bytes);
        let quotas = config
            .quotas
            .quotas(config.authenticator.believes_clients());
        let accounts = quotas.map(|quotas| Arc::new(Accounts::new(quotas, Arc::clone(&broker))));
        let server = Arc::new_cyclic(|server| {
            // Handlers find their server among the states.
            states.insert(WeakServer(Weak::clone(server)));
            let outlets = Outlets {
                live: LiveAnalytics::new(hub.clone(), config.analytics.clone())
                    .among_nodes(Arc::clone(&broker)),
                analytics: Arc::new(ServerAnalytics::new(server.clone())),
                hub: hub.clone(),
                changes,
                broker: Arc::clone(&broker),
            };
            let runner = Runner::new(
                Arc::clone(&store),
                outlets,
                Arc::clone(&settings),
                AnswerKeys::new(config.secret_keys.clone()),
                Arc::new(states),
                TurnParameters::new(
                    config.assistant_name.clone(),
                    config.lease,
                    config.usage_limits.clone().into(),
                ),
            )
            .with_middlewares(middlewares);
            Self {
                agents,
                outbound: Arc::new(outbound),
                accounts,
                config,
                store,
                hub,
                open: OpenSessions::default(),
                open_warning: OpenWarning::default(),
                unknown_roles: UnknownRoles::default(),
                settings,
                feedback,
                runner: Arc::new(runner),
                node: NodeStatus::new(),
                broker,
                silent: SilentNodes::default(),
                renew_soon: Notify::new(),
                compare_soon: Notify::new(),
                tasks,
                abandoned,
                sessions: TaskTracker::new(),
                stopping: CancellationToken::new(),
                stopped: CancellationToken::new(),
            }
        });
        let recovering = async {
            server.begin_reports().await?;
            server.recover().await
        };
        match closed.run_until_cancelled(recovering).await {
            Some(recovered) => recovered?,
            None => {
                // Turns may be running already.
                server.stop(|_| {}).await;
                return Err(ServerError::Closed);
            }
        }
        let keeper = Arc::clone(&server);
        server.tasks.spawn(keeper.keep_leases());
        server
            .tasks
            .spawn(Arc::clone(&server).settle_lost_answers());
        server.tasks.spawn(Arc::clone(&server).forget_sent());
        server.watch_nodes();
        server.node.set(NodeState::Serving);
        server.tasks.spawn(Arc::clone(&server).keep_reporting());
        #[cfg(feature = "webhook")]
        server.send_analytics();
        Ok(server)
    }

    /// Sends analytics events to the webhook, if one is configured, until the server has stopped. Events that are not sent
    /// by then stay in the store.
    #[cfg(feature = "webhook")]
    fn send_analytics(&self) {
        if let Some(webhook) = &self.config.webhook {
            let sender = Sender::new(Arc::clone(&self.store), webhook.clone(), self.config.lease);
            let sending = sender.run(self.stopped.clone());
            let abandoned = self.abandoned.clone();
            self.tasks
                .spawn(abandoned.run_until_cancelled_owned(sending));
        }
    }
}

/// Checks that every sealed secret can be opened. Logs a warning if secrets are stored without a key.
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
        tracing::warn!(target: "dooers::settings", "secret settings are stored in plain text; set WORKER_SECRET_KEY to seal them");
    }
    Ok(())
}
