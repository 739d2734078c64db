//! What is special about PostgreSQL: how it is reached, how it is lost, and that several processes share it.
//!
//! What every store does is in the suite `store`, which runs over this one, too.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod fixtures;
mod history;

/// Every test here needs a database, which its path says to `tests/run`.
mod on_postgres {
    mod connect_errors;
    mod connection_loss;
    mod failover;
    mod harness;
    mod multi_process;
    mod readme;
    mod shutdown;
    mod ssl;
    mod unresponsive_server;
    mod unresponsive_store;
}
