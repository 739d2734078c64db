//! Tools of agents on a server.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod abuse;
mod agents;

mod approvals;
mod bad_input;
mod endings;
