//! The announcement of what users have spent of their quotas.

use super::place::hash;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A hash of the owner of an account: a user or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct AccountKey(u64);

impl AccountKey {
    /// The account of the owner with these ids.
    pub(crate) fn of(ids: &[&str]) -> Self {
        Self(hash(ids))
    }
}

/// A rate that a user spends on all nodes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum SharedRate {
    #[serde(rename = "m")]
    Messages,
    #[serde(rename = "t")]
    Threads,
    #[serde(rename = "s")]
    SettingsPatches,
    #[serde(rename = "u")]
    ThreadUpdates,
    #[serde(rename = "f")]
    FailedAuthentications,
}

/// The announcement that the owner of an account has spent a part of a rate.
///
/// The amount is the time in which it is earned, because only the node of the connection knows the rate of its identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpentNotice {
    #[serde(rename = "a")]
    pub(crate) account: AccountKey,
    #[serde(rename = "k")]
    pub(crate) rate: SharedRate,
    /// Unique among all notices. A notice that arrives again is ignored.
    #[serde(rename = "i")]
    pub(crate) id: u64,
    #[serde(rename = "t")]
    nanos: u64,
}

impl SpentNotice {
    pub(crate) fn new(account: AccountKey, rate: SharedRate, id: u64, time: Duration) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            account,
            rate,
            id,
            nanos,
        }
    }

    /// The time in which the spent amount is earned.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// Adds a later notice of the same account and rate.
    pub(super) fn merge(&mut self, later: &Self) {
        self.nanos = self.nanos.saturating_add(later.nanos);
    }
}
