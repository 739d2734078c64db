//! The public test kit `dooers::testing`, and agent behavior that it covers as well as a socket.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod agents;

mod analytics;
mod clock;
mod failures;
mod fake_model;
mod made_agents;
mod middleware;
mod model_loop;
mod reconnect;
mod restart;
mod settings;
mod streaming;
mod threads;
mod turns;

mod policies;
mod replies;
mod schema_changes;
