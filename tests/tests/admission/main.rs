//! Admission rules for JSON and text from clients, handlers and programs.
//!
//! Each case runs on its own server, once per database.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod fixtures;

mod blank_messages;
mod depth_limit;
mod integers;
mod large_threads;
mod nul_characters;
mod random_input;
mod size_limits;
