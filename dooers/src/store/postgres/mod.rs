//! A store in a PostgreSQL database.
//!
//! One task writes ([`writer`]), on a connection of its own ([`link`]): it puts what waits into a batch ([`session`]), reads what
//! it must know ([`load`]), does the operations in memory by the rules that all stores share ([`batch`]), and writes what
//! has changed ([`difference`]) in one statement ([`commit`]). A [`pool`] of connections reads beside it ([`readers`]). Each step that talks
//! to the server has a [`limit`].

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
