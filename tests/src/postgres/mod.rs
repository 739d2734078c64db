//! PostgreSQL servers for tests.
//!
//! `tests/run pg` starts one server for all tests, with PgBouncer in front of it. [`shared`] and [`pooled`] return
//! separate tables in it. A test that stops or configures the server starts a [`Cluster`] of its own. Tests that
//! need PostgreSQL have `on_postgres` in their path, by which `tests/run` selects them.

mod cluster;
pub(crate) mod daemon;
pub(crate) mod os_user;
mod pooler;
mod shared;
mod statement_log;

pub(crate) use cluster::free_port;
pub use cluster::{Cluster, ClusterOptions};
pub use pooler::Pooler;
pub use shared::{
    POOLER_URL, URL, connect, connections, dedicated, fresh_prefix, is_installed, kill_connections,
    pooled, pooled_only, shared, url,
};
pub use statement_log::{Executed, StatementLog};
