//! The conformance suite of all stores.
//!
//! A case is an async function with an empty store as its argument. Each file lists its cases in
//! [`backends::cases`], which generates one test per store. The compiler reports a case that is not listed as dead
//! code.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod asserts;
mod backends;
mod fixtures;
mod model;

mod begin_turn;
mod busy_policies;
mod cancellation;
mod clock_rollback;
mod form_reopen;
mod forms;
mod idempotency;
mod passwords;
mod questions;
mod recovery;
mod retry;
mod streaming_text;
mod turn_keys;
mod turn_states;
mod write_turn;

mod concurrency;
mod create_thread;
mod deletion;
mod edits;
mod ids;
mod random_ops;
mod round_trip;
mod scopes;

mod byte_limits;
mod catch_up;
mod changed_threads;
mod find_events;
mod find_runs;
mod find_threads;
mod list_threads;
mod page_runs;
mod pagination;
mod search_threads;
mod snapshots;

mod feedback;
mod nodes;
mod outbox;
mod settings;
mod usage;
