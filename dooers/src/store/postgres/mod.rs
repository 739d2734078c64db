//! A store in a PostgreSQL database.
//!
//! One task writes ([`writer`]), on its own connection ([`link`]). It collects waiting operations into a batch
//! ([`session`]), reads the rows that they need ([`load`]), executes them in memory by the shared rules ([`batch`]),
//! and writes the changes ([`difference`]) in one statement ([`commit`]). A [`pool`] of connections reads beside it
//! ([`readers`]). Each step that talks to the server has a [`limit`].

mod advice;
mod batch;
mod cache;
mod columns;
mod commit;
mod connect;
mod difference;
mod execution;
mod known;
mod limit;
mod link;
mod load;
mod migrate;
mod operations;
mod options;
mod pool;
mod readers;
mod rows;
mod scopes;
mod session;
mod settings;
mod ssl;
mod statements;
mod steps;
mod storable;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod time;
mod url;
mod writer;
mod written;

pub use options::PostgresOptions;
pub use ssl::{NotAnSslMode, SslMode};
pub use store::PostgresStore;
pub use url::NotAPostgresUrl;
