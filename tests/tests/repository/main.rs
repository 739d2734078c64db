//! The repository API: reads and writes of the program without a socket, and their effect on clients.
//!
//! Changes are published before a call returns. A client that sends a ping afterwards receives them before the
//! `pong`.
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
mod feedback;
mod forms;
mod memory;
mod nodes;
mod pagination;
mod restart;
mod runs;
mod scopes;
mod settings;
mod shutdown;
mod threads;
mod turns;
