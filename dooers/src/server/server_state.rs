//! A running server: the parts that all its sessions share.

use super::config::WorkerConfig;
use super::feedback_updates::FeedbackUpdates;
use super::node_status::NodeStatus;
use super::open_address::OpenWarning;
use super::open_sessions::OpenSessions;
use super::quota::Accounts;
use super::silent_nodes::SilentNodes;
use super::unknown_roles::UnknownRoles;
use crate::broker::{Broker, News, UserKey};
use crate::handler::AgentDefinition;
use crate::hub::{Hub, OutboundLimits, OutboundTotal};
use crate::protocol::{new_id, timestamp};
use crate::settings::LiveSettings;
use crate::store::{Cancel, CancelTarget, Cancelled, Scope, Store, StoreError};
use crate::turn::Runner;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A server whose store is open, with the parts that all its sessions share.
#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) agents: Vec<AgentDefinition>,
    pub(super) config: WorkerConfig,
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Hub,
    /// The sessions of users.
    pub(super) open: OpenSessions,
    pub(super) open_warning: OpenWarning,
    pub(super) unknown_roles: UnknownRoles,
    /// The quotas of clients, and what each user has spent. `None` without quotas.
    pub(super) accounts: Option<Arc<Accounts>>,
    /// The total of unsent bytes of all connections.
    pub(super) outbound: Arc<OutboundTotal>,
    pub(super) settings: Arc<LiveSettings>,
    pub(super) feedback: FeedbackUpdates,
    pub(super) runner: Arc<Runner>,
    /// The state of this process, which it reports in the database.
    pub(super) node: NodeStatus,
    /// The connection to the other processes that share the database.
    pub(super) broker: Arc<dyn Broker>,
    /// The other processes that this one should hear, but does not.
    pub(super) silent: SilentNodes,
    /// Notified when leases must be renewed at once, because another process has cancelled a turn or deleted a thread.
    pub(super) renew_soon: Notify,
    /// Notified when threads must be compared with the database at once, because announcements were lost.
    pub(super) compare_soon: Notify,
    /// The tasks of sessions, and of changes that the program makes.
    pub(super) sessions: TaskTracker,
    pub(super) stopping: CancellationToken,
    /// Fires when all turns have ended or were given up.
    pub(super) stopped: CancellationToken,
    /// The server's own tasks: callbacks for changed settings and for feedback, renewal of leases, and deletion of expired ids.
    pub(super) tasks: TaskTracker,
    /// Fires when `tasks` are given up.
    pub(super) abandoned: CancellationToken,
}

impl ServerState {
    pub(super) fn agent(&self, name: &str) -> Option<AgentDefinition> {
        self.agents
            .iter()
            .find(|agent| agent.name() == name)
            .cloned()
    }

    /// The agent that is served at `/ws`: the only one, or the one that is marked as the default.
    pub(super) fn default_agent(&self) -> Option<AgentDefinition> {
        match self.agents.as_slice() {
            [only] => Some(only.clone()),
            several => several.iter().find(|agent| agent.is_default()).cloned(),
        }
    }

    pub(super) fn outbound_limits(&self) -> OutboundLimits {
        OutboundLimits {
            frames: self.config.limits.outbound_frames,
            bytes: self.config.limits.outbound_bytes,
        }
    }

    /// Cancels a turn for the user of `scope`, or for the program itself if `scope` is `None`. `stored` is called after
    /// the commit, before the changes are published.
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
            Cancelled::Withdrawn { waiting, .. } => self.resume_pending(waiting).await?,
            Cancelled::Running { event_id, .. } => self.runner.cancel(&event_id),
            Cancelled::Ended => {}
        }
        Ok(())
    }

    /// Closes all connections of a user, and asks the other nodes to do so. Returns the number of connections to this node.
    pub(super) fn disconnect(&self, user_id: &str) -> usize {
        let user = UserKey::of(user_id);
        self.broker.publish(News::Disconnect(user));
        self.open.disconnect(user)
    }

    /// Runs a session, or a change that the program makes. A server that stops waits for it, and drops it at the
    /// deadline.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let stopped = self.stopped.clone();
        // Boxed, because the wrapper would hold the memory of the future twice.
        let work = Box::pin(work);
        self.sessions.spawn(stopped.run_until_cancelled_owned(work))
    }
}
