//! Turns that the program dispatches.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod agents;
mod fixtures;

mod bad_input;
mod in_turn;
mod outcomes;
mod subscribers;
mod threads;
mod turn_events;
