//! The broker of a server that shares its store with no other process.

use super::{Broker, BrokerEvents, News};
use async_trait::async_trait;

/// A broker that sends nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoBroker;

#[async_trait]
impl Broker for NoBroker {
    fn has_others(&self) -> bool {
        false
    }

    fn publish(&self, _news: News) {}

    fn subscribe(&self) -> Option<BrokerEvents> {
        None
    }

    async fn ready(&self) {}

    fn is_connected(&self) -> bool {
        true
    }

    fn kind(&self) -> &'static str {
        "none"
    }

    fn malformed(&self) -> u64 {
        0
    }

    async fn close(&self) {}
}
