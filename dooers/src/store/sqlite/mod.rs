//! A store in a SQLite file.
//!
//! One thread writes, and commits waiting operations together ([`writer`], [`batch`]). A pool of connections reads
//! beside it ([`readers`]). The [`rules`](super::rules) of a thread work row by row on the writer's connection
//! ([`threads`], [`thread`]). [`place`] identifies the database's file, [`lock`] reserves it, and [`watch`] checks
//! whether it can be used.

mod away;
mod batch;
mod database;
mod file_identity;
mod lock;
mod log;
mod migrate;
mod nodes;
mod open;
mod open_error;
mod operations;
mod options;
mod outbox;
mod readers;
mod rows;
mod statements;
mod store;
#[cfg(test)]
mod tests;
mod thread;
mod threads;
mod watch;
mod writer;

#[cfg(all(test, feature = "postgres"))]
pub(super) use migrate::versions_and_names;
pub use options::SqliteOptions;
pub use store::SqliteStore;
