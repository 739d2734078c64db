//! PostgreSQL to test against.
//!
//! `tests/run pg` starts one database for all tests, and PgBouncer before it; [`shared`] and [`pooled`] are places in it. A
//! test that has to stop the database, or to set it up in its own way, starts a [`Cluster`] of its own. A test that needs
//! either has `on_postgres` in its path, by which `tests/run` finds it.

mod cluster;
mod daemon;
mod os_user;
mod pooler;
mod shared;

pub use cluster::{Cluster, ClusterOptions};
pub use pooler::Pooler;
pub use shared::{
    POOLER_URL, URL, connect, connections, dedicated, fresh_prefix, kill_connections, pooled,
    pooled_only, shared, url,
};
