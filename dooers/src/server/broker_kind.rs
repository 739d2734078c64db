//! The choice of the broker between the nodes of one database.

use super::config_error::ConfigError;
use super::env::Environment;
use super::error::ServerError;
#[cfg(feature = "postgres")]
use crate::broker::PostgresBroker;
use crate::broker::{Broker, NoBroker};
use crate::store::Store;
use std::sync::Arc;

const VARIABLE: &str = "WORKER_BROKER";

/// The way in which the processes that share a database tell each other about their changes.
///
/// A message between processes contains ids and numbers, and never contents. It may be lost, because each process also
/// compares the threads that its clients read with the database every few seconds.
///
/// ```
/// use dooers::{BrokerKind, WorkerConfig};
///
/// // The only process that uses its PostgreSQL database.
/// let config = WorkerConfig::new().broker(BrokerKind::None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrokerKind {
    /// No broker. Clients of a process receive the changes of other processes when they connect or subscribe again.
    None,
    /// `NOTIFY` and `LISTEN` of the PostgreSQL database, on a connection of its own. The default of a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Postgres,
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
            Self::Kind(BrokerKind::Postgres) => of_database(store).ok_or(ServerError::Broker),
            #[cfg(all(test, feature = "testing"))]
            Self::Given(broker) => Ok(Arc::clone(broker)),
        }
    }
}

#[cfg(feature = "postgres")]
fn of_database(store: &dyn Store) -> Option<Arc<dyn Broker>> {
    Some(Arc::new(PostgresBroker::start(store.postgres()?)))
}

#[cfg(not(feature = "postgres"))]
fn of_database(_store: &dyn Store) -> Option<Arc<dyn Broker>> {
    None
}

impl Environment<'_> {
    /// Reads the kind of the broker.
    pub(super) fn broker(&self, target: &mut BrokerChoice) -> Result<(), ConfigError> {
        // Hidden, because the URL of a broker may contain a password.
        let Some(value) = self.hidden(VARIABLE)? else {
            return Ok(());
        };
        let value = value.trim();
        if value.contains("://") {
            let scheme = if value.starts_with("nats://") {
                "NATS is not supported yet"
            } else {
                "a URL is not supported yet"
            };
            return Err(Self::hide(VARIABLE, format!("{scheme}; {}", allowed())));
        }
        let kind = match value.to_ascii_lowercase().as_str() {
            "none" => BrokerKind::None,
            #[cfg(feature = "postgres")]
            "postgres" => BrokerKind::Postgres,
            _ => return Err(self.refuse(VARIABLE, allowed())),
        };
        *target = BrokerChoice::Kind(kind);
        Ok(())
    }
}

fn allowed() -> String {
    if cfg!(feature = "postgres") {
        "it must be none or postgres".to_owned()
    } else {
        "it must be none; for postgres, build the program with dooers' feature `postgres`"
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    fn read(value: &'static str) -> Result<BrokerChoice, String> {
        let mut choice = BrokerChoice::default();
        let get = |variable: &str| (variable == VARIABLE).then(|| value.into());
        let read = Environment::new(&get).broker(&mut choice);
        read.map(|()| choice).map_err(|error| error.to_string())
    }

    #[test]
    fn variable_chooses_the_broker() {
        assert!(matches!(read(""), Ok(BrokerChoice::OfStore)));
        let none = read(" None ");
        assert!(matches!(none, Ok(BrokerChoice::Kind(BrokerKind::None))));
        assert_eq!(
            read("postgers").unwrap_err(),
            format!("WORKER_BROKER is `postgers`; {}", allowed())
        );
    }

    #[test]
    fn url_is_refused_without_showing_it() {
        let nats = read("nats://ada:hunter2@bus:4222").unwrap_err();
        assert!(
            nats.contains("NATS is not supported yet; it must be none"),
            "{nats}"
        );
        let other = read("redis://ada:hunter2@bus").unwrap_err();
        assert!(other.contains("a URL is not supported yet"), "{other}");
        for text in [nats, other] {
            assert!(!text.contains("hunter"), "{text}");
        }
    }

    #[tokio::test]
    async fn store_of_one_process_has_no_broker() {
        let store = MemoryStore::new();
        let broker = BrokerChoice::OfStore.start(&store).unwrap();
        assert!(broker.subscribe().is_none());
    }

    #[cfg(feature = "postgres")]
    #[tokio::test]
    async fn postgres_broker_needs_a_postgres_store() {
        assert!(matches!(
            read("Postgres"),
            Ok(BrokerChoice::Kind(BrokerKind::Postgres))
        ));
        let choice = BrokerChoice::Kind(BrokerKind::Postgres);
        let refused = choice.start(&MemoryStore::new());
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("set WORKER_BROKER=none"), "{text}");
    }
}
