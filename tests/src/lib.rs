//! Helpers of the integration tests: a WebSocket client, a server on its own port, gates for handlers, a store
//! whose responses can be held, a fake of the APIs of model providers, and databases.
//!
//! No helper sleeps. Every wait ends after [`TIMEOUT`] and then fails the test.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod client;
pub mod fake_provider;
pub mod gate;
mod identity;
pub mod leaks;
pub mod nats;
pub mod postgres;
mod process;
mod process_tree;
mod raw;
mod relay;
mod remote_handlers;
mod server;
mod signal;
mod spy_store;
mod thread_view;
mod with;

pub use client::Client;
pub use identity::Identity;
pub use process::Process;
pub use process_tree::{FoundProcess, descendants};
pub use raw::{RawClient, frame_bytes, opcode};
pub use relay::Relay;
pub use remote_handlers::{RemoteHandler, RemoteHandlers};
pub use server::{Server, exchange, get, in_memory, post};
pub use signal::signal;
pub use spy_store::{HeldCall, SpyStore};
pub use thread_view::{AppendOutcome, ThreadView};

use std::time::Duration;

/// The timeout of every wait.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Awaits a future with a timeout. `what` describes it in the failure message.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(TIMEOUT, future).await {
        Ok(value) => value,
        Err(_) => panic!(
            "timed out after {} s while waiting for {what}",
            TIMEOUT.as_secs()
        ),
    }
}

/// The code examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
