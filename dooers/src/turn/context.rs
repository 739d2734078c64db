//! The parts of the process that its turns share.

use super::active::{ActiveTurn, ActiveTurns};
use super::publisher::Publisher;
use crate::handler::AgentDefinition;
use crate::hub::Hub;
use crate::protocol::{new_id, timestamp};
use crate::store::{Claim, ClaimOptions, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Delay before the database is tried again after a failure.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The parts of the process that its turns share.
#[derive(Debug)]
pub(super) struct TurnContext {
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Hub,
    pub(super) publisher: Publisher,
    /// The id of the process.
    pub(super) node: String,
    pub(super) assistant_name: String,
    /// The duration of a lease: the time for which a turn belongs to this process if the lease is not renewed.
    pub(super) lease: Duration,
    /// Fires when queued turns must stay queued.
    pub(super) draining: CancellationToken,
    /// Fires when all remaining work must be dropped.
    pub(super) stopped: CancellationToken,
    pub(super) active: ActiveTurns,
}

impl TurnContext {
    /// The parameters with which this process starts a turn of this agent.
    pub(super) fn claim_options(&self, agent: &AgentDefinition) -> ClaimOptions {
        let at = timestamp::now();
        ClaimOptions {
            node: self.node.clone(),
            run_id: (!agent.has_manual_runs()).then(new_id),
            at,
            lease: self.lease,
            retries: agent.policy().retries(),
            on_busy: agent.policy().on_busy(),
        }
    }

    pub(super) fn begin(&self, claim: &Claim) -> ActiveTurn {
        self.active.begin(&claim.key, &self.stopped)
    }
}
