//! The processes that share the database, in a [`Repository`].

use super::{Repository, RepositoryError};
use crate::store::NodeInfo;

/// Methods for processes.
impl Repository {
    /// Lists the processes that use the database, in the order of their starts.
    ///
    /// This process is in the list, also if it serves no clients. It then runs turns that it takes over from dead processes, so
    /// it needs the same agents.
    ///
    /// A process that stops is removed from the list. A process that died stays in the list for a day, with
    /// [`is_alive`](NodeInfo::is_alive) `false` when its [lease](crate::WorkerConfig::lease) has ended. A store in memory or in
    /// a SQLite file has one process.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::repository::Repository;
    /// # async fn f(repository: Repository) -> Result<()> {
    /// for node in repository.nodes().await? {
    ///     let broker = if node.broker.is_connected { "hears the others" } else { "is alone" };
    ///     println!("{} {:?} {broker}, {} connections", node.host, node.state, node.connections);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OutsideTurn`](RepositoryError::OutsideTurn) if the repository belongs to a turn, because processes serve all workers:
    /// call [`everywhere`](Self::everywhere) first. Otherwise an error of the store.
    pub async fn nodes(&self) -> Result<Vec<NodeInfo>, RepositoryError> {
        Ok(self.whole_server()?.store.nodes().await?)
    }
}
