//! The choice of the broker between the nodes of one database.

use super::error::ServerError;
#[cfg(feature = "postgres")]
use crate::broker::start_postgres;
use crate::broker::{Broker, NoBroker};
#[cfg(feature = "nats")]
use crate::broker::{NatsOptions, start_nats};
use crate::store::Store;
use std::sync::Arc;

/// The way in which the processes that share a database notify each other of their changes.
///
/// A message between processes contains ids and numbers, pieces of streamed texts, and analytics events for subscribers. It is
/// sealed with a key in the database. A lost message does little harm, because each process also compares the threads that its
/// clients read with the database every few seconds.
///
/// ```
/// use dooers::{BrokerKind, WorkerConfig};
///
/// // The only process that uses its PostgreSQL database.
/// let config = WorkerConfig::new().broker(BrokerKind::None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrokerKind {
    /// No broker. Clients of a process receive the changes of other processes when they connect or subscribe again.
    None,
    /// `NOTIFY` and `LISTEN` of the PostgreSQL database, on a connection of its own. The default of a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Postgres,
    /// A NATS server, with a PostgreSQL database. A process receives only what its clients need.
    #[cfg(feature = "nats")]
    Nats(NatsOptions),
}

/// The broker of a server.
#[derive(Debug, Clone, Default)]
pub(super) enum BrokerChoice {
    /// The one that belongs to the store.
    #[default]
    OfStore,
    Kind(BrokerKind),
    #[cfg(all(test, feature = "testing"))]
    Given(Arc<dyn Broker>),
}

impl BrokerChoice {
    /// Starts the broker.
    ///
    /// # Errors
    ///
    /// [`ServerError::Broker`] if the broker does not fit the store.
    pub(super) fn start(&self, store: &dyn Store) -> Result<Arc<dyn Broker>, ServerError> {
        match self {
            Self::OfStore => Ok(of_database(store).unwrap_or_else(|| Arc::new(NoBroker))),
            Self::Kind(BrokerKind::None) => Ok(Arc::new(NoBroker)),
            #[cfg(feature = "postgres")]
            Self::Kind(BrokerKind::Postgres) => {
                of_database(store).ok_or(ServerError::Broker("postgres"))
            }
            #[cfg(feature = "nats")]
            Self::Kind(BrokerKind::Nats(options)) => {
                let database = store.shared_database().ok_or(ServerError::Broker("nats"))?;
                Ok(Arc::new(start_nats(options.prepare()?, database)))
            }
            #[cfg(all(test, feature = "testing"))]
            Self::Given(broker) => Ok(Arc::clone(broker)),
        }
    }
}

#[cfg(feature = "postgres")]
fn of_database(store: &dyn Store) -> Option<Arc<dyn Broker>> {
    Some(Arc::new(start_postgres(store.shared_database()?)))
}

#[cfg(not(feature = "postgres"))]
fn of_database(_store: &dyn Store) -> Option<Arc<dyn Broker>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn store_of_one_process_has_no_broker() {
        let store = MemoryStore::new();
        let broker = BrokerChoice::OfStore.start(&store).unwrap();
        assert!(broker.subscribe().is_none());
    }

    #[cfg(feature = "postgres")]
    #[tokio::test]
    async fn postgres_broker_needs_a_postgres_store() {
        let choice = BrokerChoice::Kind(BrokerKind::Postgres);
        let refused = choice.start(&MemoryStore::new());
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("set WORKER_BROKER=none"), "{text}");
    }

    #[cfg(feature = "nats")]
    #[tokio::test]
    async fn nats_broker_needs_a_postgres_store() {
        let options = NatsOptions::from_urls("nats://127.0.0.1").unwrap();
        let choice = BrokerChoice::Kind(BrokerKind::Nats(options));
        let refused = choice.start(&MemoryStore::new());
        let text = refused.unwrap_err().to_string();
        assert!(
            text.contains("the broker `nats` needs a PostgreSQL"),
            "{text}"
        );
    }
}
