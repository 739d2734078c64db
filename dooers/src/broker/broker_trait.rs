//! The interface of the brokers.

use super::BrokerEvents;
use crate::store::Change;
use async_trait::async_trait;
use std::fmt;

/// A broker: it carries messages between the nodes of one database. It may lose, repeat and reorder them.
#[async_trait]
pub(crate) trait Broker: fmt::Debug + Send + Sync {
    /// Announces committed changes of one thread to the other nodes. Never waits.
    fn publish(&self, changes: &[Change]);

    /// Asks the node that runs the turn of this message to look the turn up in the store. Never waits.
    fn signal(&self, event_id: &str);

    /// Returns the messages of the other nodes. `None` if there are none to expect, or if this was called before.
    fn subscribe(&self) -> Option<BrokerEvents>;

    /// Waits a short time for the first connection. Clients connect to this node afterwards.
    async fn ready(&self);

    /// Returns `true` if messages reach the other nodes now.
    fn is_connected(&self) -> bool;

    /// Sends what waits, and ends the connection.
    async fn close(&self);
}
