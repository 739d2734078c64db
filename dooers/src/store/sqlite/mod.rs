//! A store in a SQLite file.
//!
//! One thread writes, and puts what waits into one commit ([`writer`], [`batch`]); a pool of connections reads
//! beside it ([`readers`]). The [`rules`](super::rules) of a thread work row by row on the writer's connection
//! ([`threads`], [`thread`]). [`place`], [`lock`] and [`watch`] say which file it is, and whether it can be used.

mod away;
mod batch;
mod database;
mod lock;
mod migrate;
mod open;
mod operations;
mod options;
mod place;
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

pub use options::SqliteOptions;
pub use store::SqliteStore;

/// The versions and names of the schema's steps.
#[cfg(all(test, feature = "postgres"))]
pub(super) fn migrations() -> Vec<(i64, &'static str)> {
    let steps = migrate::MIGRATIONS.iter();
    steps.map(|step| (step.version, step.name)).collect()
}
