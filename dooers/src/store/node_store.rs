//! The interface to the reports of processes.

use super::{NodeInfo, NodeReport, StoreError};
use async_trait::async_trait;
use std::time::Duration;

/// The part of a [`Store`](super::Store) that keeps the reports of the processes that use the database.
#[async_trait]
pub trait NodeStore: Send + Sync {
    /// Stores the report of a process, and replaces its earlier one. The process counts as alive for the time of its lease from
    /// now, by the clock of the database.
    ///
    /// # Errors
    ///
    /// `Open` if a newer program has migrated the database in the meantime, and this program cannot use its tables any more.
    /// The report is not stored then. `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn report_node(&self, report: &NodeReport, lease: Duration) -> Result<(), StoreError>;

    /// Lists the processes, the one that started first before the others. Dead processes are included.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError>;

    /// Removes a process that stops. Nothing happens if it is not listed.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn remove_node(&self, id: &str) -> Result<(), StoreError>;

    /// Removes the processes that have been dead for longer than this.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn remove_dead_nodes(&self, dead_for: Duration) -> Result<(), StoreError>;
}
