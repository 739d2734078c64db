//! Secrets that are planted in every place, and searched for in everything that a server shows, stores and logs.
//!
//! To search for a further secret, plant it in `plan.rs` or where a client sends it. If a rule permits that it occurs
//! somewhere, add the place to `exceptions.rs`.

mod clients;
mod exceptions;
mod http;
mod on_postgres;
mod plan;
mod receiver;
mod start;
mod stores;
mod trial;
