//! The start of the broker.

use super::link::Link;
use super::options::Prepared;
use crate::broker::lines::Lines;
use crate::broker::pending::Windows;
use crate::broker::{LinkedBroker, Watched};
use crate::store::SharedDatabase;
use std::time::Duration;

/// News of these times share a message. A message costs a NATS server much less than it costs PostgreSQL.
const WINDOWS: Windows = Windows {
    usual: Duration::from_millis(2),
    busy: Duration::from_millis(8),
};

/// Starts a broker that uses a NATS server. It connects again by itself. The database identifies the nodes that belong
/// together.
pub(crate) fn start_nats(options: Prepared, database: SharedDatabase<'_>) -> LinkedBroker {
    let lines = Lines::new(database.node_key.clone(), WINDOWS, Watched::by_topic());
    let database = database.options.clone();
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
