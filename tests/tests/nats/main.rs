//! The broker that uses a NATS server, with PostgreSQL.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

#[path = "../postgres/authority.rs"]
mod authority;
mod engine;
#[allow(dead_code, reason = "the suite `postgres` uses the rest")]
#[path = "../postgres/history.rs"]
mod history;

/// Tests that need a PostgreSQL server. `tests/run` selects them by this name.
mod on_postgres {
    mod exchange;
    mod login;
    #[path = "../../postgres/on_postgres/nodes.rs"]
    mod nodes;
}
