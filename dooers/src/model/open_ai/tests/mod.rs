//! Tests with a server on a real socket.

mod chat;
mod failures;
mod limits;
mod responses;
mod server;
