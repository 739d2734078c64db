//! The parts of the process that its turns share.

use super::active::{ActiveTurn, ActiveTurns};
use super::publisher::Publisher;
use crate::handler::AgentDefinition;
use crate::hub::Hub;
use crate::protocol::{Usage, new_id, timestamp};
use crate::store::usage_limit::UsageAmount;
use crate::store::{Claim, ClaimOptions, Store, UsageLimit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Delay before the database is tried again after a failure.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The configuration of turns.
#[derive(Debug)]
pub(crate) struct TurnParameters {
    /// The author of the assistant's events.
    pub(super) assistant_name: String,
    /// The duration of a lease: the time for which a turn belongs to this process if the lease is not renewed.
    pub(super) lease: Duration,
    /// The limits of usage.
    pub(super) usage_limits: Arc<[UsageLimit]>,
    /// `true` if it was logged that a usage counts towards no limit of costs.
    has_warned: AtomicBool,
}

impl TurnParameters {
    pub(crate) fn new(
        assistant_name: String,
        lease: Duration,
        usage_limits: Arc<[UsageLimit]>,
    ) -> Self {
        Self {
            assistant_name,
            lease,
            usage_limits,
            has_warned: AtomicBool::new(false),
        }
    }

    /// Logs, once, that a usage does not count towards a limit of costs.
    pub(super) fn check_currency(&self, agent: &str, usage: &Usage) {
        let currency = usage.cost.as_ref().map(|cost| &*cost.currency);
        let misses = |limit: &UsageLimit| match &limit.amount {
            UsageAmount::Cost(limit) => currency != Some(&limit.currency),
            UsageAmount::Tokens(_) => false,
        };
        if self.usage_limits.iter().any(misses) && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(target: "dooers::turn", agent, model = usage.model, currency, "a usage does not count towards a limit of costs, because its cost is unknown or in another currency");
        }
    }
}

/// The parts of the process that its turns share.
#[derive(Debug)]
pub(super) struct TurnContext {
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Hub,
    pub(super) publisher: Publisher,
    /// The id of the process.
    pub(super) node: String,
    pub(super) parameters: TurnParameters,
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
            lease: self.parameters.lease,
            retries: agent.policy().retries(),
            on_busy: agent.policy().on_busy(),
            limits: Arc::clone(&self.parameters.usage_limits),
        }
    }

    pub(super) fn begin(&self, claim: &Claim) -> ActiveTurn {
        self.active.begin(&claim.key, &self.stopped)
    }
}
