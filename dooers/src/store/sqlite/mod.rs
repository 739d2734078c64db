//! A store in a SQLite file.
//!
//! One thread writes, and puts what waits into one commit ([`writer`], [`batch`]); a pool of connections reads
//! beside it ([`readers`]). What an operation does to a thread is in [`thread`] and [`turns`], in which
//! order in [`operations`] and [`edits`]. Which file it is, and whether it can be used, is in [`place`], [`lock`] and
//! [`watch`].

mod away;
mod batch;
mod database;
mod edits;
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
mod texts;
mod thread;
mod turns;
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
