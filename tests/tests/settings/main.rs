//! Settings: what operators see and change over real WebSockets, and what programs do with them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod agents;
mod seen;

mod audiences;
mod by_hand;
mod changing;
mod defaults;
mod from_env;
mod live;
mod null_edges;
mod rotating;
mod sealed;
mod starting;
mod steps;
mod subscribing;
mod values;
