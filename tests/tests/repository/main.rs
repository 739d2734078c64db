//! Conversations in the hands of the program: what it reads and writes without a socket, and what clients see of it.
//!
//! A call that has returned is told: a client that then asks for a `pong` has got the frames before it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod fixtures;

mod broadcast;
mod convergence;
mod events;
mod forms;
mod memory;
mod pagination;
mod restart;
mod runs;
mod scopes;
mod settings;
mod shutdown;
mod threads;
mod turns;
