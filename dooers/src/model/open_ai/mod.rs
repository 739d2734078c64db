//! OpenAI's API, and servers that are compatible with it.
//!
//! `async-openai` writes the requests and splits the stream into events. Both are JSON here (its feature `byot`), because compatible
//! servers leave members out and add others. Its HTTP service is replaced by [`Connection`](connection::Connection).

mod body;
mod chat;
mod client;
mod connection;
mod endpoint;
mod events;
mod exchange;
mod failure;
mod responses;
#[cfg(test)]
mod tests;
mod usage;

pub use client::OpenAi;
