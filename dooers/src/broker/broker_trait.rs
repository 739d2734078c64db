//! The interface of the brokers.

use super::{BrokerEvents, News, Watched};
use async_trait::async_trait;
use std::fmt;

/// A broker: it carries news between the nodes of one database. It may lose, repeat and reorder them.
#[async_trait]
pub(crate) trait Broker: fmt::Debug + Send + Sync {
    /// Returns `false` if there are no other nodes. Callers can then skip creating news.
    fn has_others(&self) -> bool {
        true
    }

    /// Sends news to the other nodes. Never waits.
    fn publish(&self, news: News);

    /// Returns the news of the other nodes. `None` if there are none to expect, or if this was called before.
    fn subscribe(&self) -> Option<BrokerEvents>;

    /// The topics that this node's connections need. The broker may carry only the news of these topics to this node.
    fn watched(&self) -> Watched {
        Watched::default()
    }

    /// Waits a short time for the first connection. Clients connect to this node afterwards.
    async fn ready(&self);

    /// Returns `true` if news reach the other nodes now.
    fn is_connected(&self) -> bool;

    /// Returns the name of the engine, which operators see.
    fn kind(&self) -> &'static str;

    /// Returns the number of malformed messages that were ignored.
    fn malformed(&self) -> u64;

    /// Sends what waits, and ends the connection.
    async fn close(&self);
}
