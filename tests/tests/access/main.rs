//! Access to threads, settings and analytics.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod calls;
mod fixtures;
mod foreign_ids;
mod frames;
mod matrix;
mod names;
mod own_costs;
mod pending;
mod relations;
mod verbs;
