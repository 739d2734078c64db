//! The broker that uses a NATS server: a subject for each topic, so that a node receives only what its connections need.

mod link;
mod options;
mod subjects;
#[cfg(test)]
mod tests;
mod unconfirmed;

pub(crate) use options::NatsPart;
pub use options::{InvalidNatsOptions, NatsOptions};

use self::link::Link;
use self::options::Prepared;
use super::lines::Lines;
use super::{LinkedBroker, Watched};
use crate::store::PostgresStore;
use std::time::Duration;

/// News of this time share a message. A message costs a NATS server much less than it costs PostgreSQL.
const WINDOW: Duration = Duration::from_millis(1);

/// Starts a broker that uses a NATS server. It connects again by itself. The database of the store identifies the nodes that
/// belong together.
pub(crate) fn start_nats(options: Prepared, store: &PostgresStore) -> LinkedBroker {
    let database = store.options().clone();
    let lines = Lines::new(store.node_key().clone(), WINDOW, Watched::by_topic());
    LinkedBroker::start("nats", lines, |lines, closed| {
        let link = Link {
            options,
            database,
            lines,
            closed,
        };
        link.run()
    })
}
