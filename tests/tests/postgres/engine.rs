//! The broker of the tests in `nodes.rs`: the one of the database.

use dooers::WorkerConfig;

pub(crate) use dooers_tests::postgres::shared;

/// Adds the broker to the configuration of a node.
pub(crate) fn with_broker(config: WorkerConfig) -> WorkerConfig {
    config
}
