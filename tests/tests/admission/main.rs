//! The rules about JSON and text that may enter a store, from clients, handlers and programs.
//!
//! Each case runs on a server of its own with each database.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod given;

mod blank;
mod depth;
mod integers;
mod many_users;
mod nul;
mod random;
mod size;
