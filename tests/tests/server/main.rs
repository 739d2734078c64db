//! The server, spoken to by clients over real WebSockets.
//!
//! Each file is about one thing that the protocol promises. A client reads only when a test waits for a frame, and
//! then the *next* frame must be the one that the test names: what should not come would stand in its way.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod agents;
mod seen;

mod authors;
mod connecting;
mod ordering;
mod replies;
mod turns;

mod answers;
mod audience;
mod cancelling;
mod deleting;
mod form_again;
mod form_edges;
mod forms;
mod leases;
mod listing;
mod lost_answers;
mod member_order;
mod private;
mod remembering;
mod repeating;
mod resuming;
mod set_back;

mod bad_frames;
mod bad_replies;
mod broken_sockets;
mod overtaking;
mod random_frames;
mod slow_readers;
mod streaming;
mod unread;

mod closing;
mod connections;
mod origins;
mod served_agents;
mod stopping;
