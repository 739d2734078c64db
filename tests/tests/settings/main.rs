//! Settings: changed by operators over real WebSockets, and used by programs.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod agents;
mod asserts;

mod concurrent_updates;
mod defaults;
mod env;
mod formats;
mod live_settings;
mod manual_schema;
mod null_edge_cases;
mod renewal;
mod sealed_secrets;
mod secret_updates;
mod slider_steps;
mod startup;
mod subscribe;
mod validation;
mod visibility;
