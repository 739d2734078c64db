//! A store in a PostgreSQL database.
//!
//! One task writes ([`write::writer`]), on its own connection ([`write::writer_connection`]). It collects waiting operations
//! into a batch ([`write::batch_writer`]), reads the rows that they need ([`write::load`]), executes them in memory by the
//! shared rules ([`write::batch`]), and writes the changes ([`write::diff`]) in one statement ([`write::commit`]). A pool of
//! connections reads beside it ([`read`]). Each step that talks to the server has a limit ([`connect::limit`]).

mod connect;
mod migrate;
mod nodes;
mod notifications;
mod outbox;
mod place;
mod read;
mod settings;
mod statements;
mod storable;
mod store;
#[cfg(test)]
mod tests;
mod time;
mod write;

pub use connect::options::PostgresOptions;
pub use connect::ssl::{InvalidSslMode, SslMode};
pub use connect::url::InvalidPostgresUrl;
pub(crate) use notifications::Notifications;
#[cfg(feature = "nats")]
pub(crate) use place::place_of_tables;
pub use store::PostgresStore;
