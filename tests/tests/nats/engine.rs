//! The broker of the tests in `nodes.rs`: the shared NATS server.

use dooers::store::PostgresOptions;
use dooers::{BrokerKind, NatsOptions, WorkerConfig};
use dooers_tests::{nats, postgres};

/// Options for an empty store in the shared database. Returns `None`, and prints a line, if there is no database or no NATS
/// server.
pub(crate) fn shared() -> Option<PostgresOptions> {
    nats::url()?;
    postgres::shared()
}

/// Adds the broker to the configuration of a node.
pub(crate) fn with_broker(config: WorkerConfig) -> WorkerConfig {
    let url = nats::url().expect("`shared` has returned options");
    config.broker(at(&url))
}

/// The broker at these URLs.
pub(crate) fn at(urls: &str) -> BrokerKind {
    BrokerKind::Nats(NatsOptions::from_urls(urls).unwrap())
}
