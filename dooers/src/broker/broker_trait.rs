//! The interface of the brokers.

use super::{BrokerEvents, News};
use async_trait::async_trait;
use std::fmt;

/// A broker: it carries news between the nodes of one database. It may lose, repeat and reorder them.
#[async_trait]
pub(crate) trait Broker: fmt::Debug + Send + Sync {
    /// Sends news to the other nodes. Never waits.
    fn publish(&self, news: News);

    /// Returns the news of the other nodes. `None` if there are none to expect, or if this was called before.
    fn subscribe(&self) -> Option<BrokerEvents>;

    /// Waits a short time for the first connection. Clients connect to this node afterwards.
    async fn ready(&self);

    /// Returns `true` if news reach the other nodes now.
    fn is_connected(&self) -> bool;

    /// Sends what waits, and ends the connection.
    async fn close(&self);
}
