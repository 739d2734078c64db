//! What the integration tests share: a client that speaks the protocol over a real WebSocket, a server on a port of
//! its own, handlers that wait for their test, a store that can be held, and databases.
//!
//! Nothing here sleeps. Every wait ends after [`PATIENCE`], with a message that tells what was seen until then.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod calls;
mod client;
pub mod gate;
mod identity;
pub mod postgres;
mod program;
mod raw;
mod server;
mod signal;
mod view;
mod watched;
mod with;

pub use calls::{Call, Calls};
pub use client::Client;
pub use identity::Identity;
pub use program::Program;
pub use raw::{RawClient, frame_bytes, opcode};
pub use server::{Server, get, in_memory, post};
pub use signal::signal;
pub use view::{Seen, View};
pub use watched::{Held, Watched};

use std::time::Duration;

/// How long a test waits for anything before it fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Waits, but not for ever; `what` says for what.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} s in vain for {what}", PATIENCE.as_secs()),
    }
}

/// The code of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
