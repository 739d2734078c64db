//! Behavior specific to PostgreSQL: connecting, losing the connection, and sharing a database between processes.
//!
//! The suite `store` covers the common behavior of all stores, including this one.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod authority;
mod engine;
mod fixtures;
mod history;

/// Tests that need a PostgreSQL server. `tests/run` selects them by this name.
mod on_postgres {
    mod connect_errors;
    mod connection_loss;
    mod failover;
    mod harness;
    mod limits_across_nodes;
    mod live_nodes;
    mod multi_process;
    mod nodes;
    mod nodes_texts;
    mod notifications;
    mod operations;
    mod readme;
    mod shutdown;
    mod ssl;
    mod turns_across_nodes;
    mod unresponsive_server;
    mod unresponsive_store;
}
