//! The kit by which users test their agents, `dooers::testing`, and what agents do that it shows as well as a socket.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod agents;

mod clock;
mod failing;
mod model;
mod reconnecting;
mod restarting;
mod settings;
mod streaming;
mod talking;
mod threads;

mod answers;
mod policies;
mod schemas;
