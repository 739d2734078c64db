//! Conversations in the hands of the program: what it reads and writes without a socket, and what clients see of it.
//!
//! A call that has returned is told: a client that then asks for a `pong` has got the frames before it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod given;

mod broadcast;
mod events;
mod forms;
mod paging;
mod readers;
mod restarting;
mod runs;
mod scopes;
mod settings;
mod stopping;
mod threads;
mod turns;
