//! The server protocol over real WebSockets.
//!
//! Each file covers one promise of the protocol. A client reads only when a test waits for a frame, and that frame
//! must be the next one. An unexpected frame therefore fails the test.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod agents;
mod asserts;
mod http;
mod leaks;
mod log;

mod auth_webhook;
mod authentication;
mod authors;
mod byte_quotas;
mod connect;
mod ordering;
mod replies;
mod reports;
mod turns;

mod analytics;
mod asking;
mod audience;
mod cancellation;
mod clock_rollback;
mod deletion;
mod feedback;
mod form_edge_cases;
mod form_retry;
mod forms;
mod history;
mod idempotency;
mod identity;
mod json_key_order;
mod leases;
mod lost_responses;
mod pagination;
mod private_agents;
mod private_threads;
mod response_size;
mod resume;
mod titles;

mod backpressure;
mod invalid_frames;
mod invalid_replies;
mod quotas;
mod random_frames;
mod reordering;
mod slow_readers;
mod streaming;
mod typed_data;
mod usage;
mod websocket_errors;

mod close;
mod connection_limits;
mod cors;
mod jwt;
mod origins;
mod pending_connections;
mod playground;
mod proxies;
mod routing;
mod security_headers;
mod serving;
mod shutdown;
mod static_tokens;
mod webhook;
