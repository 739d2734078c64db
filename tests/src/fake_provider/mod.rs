//! A fake of the HTTP APIs of model providers, on loopback.
//!
//! [`FakeProvider`] speaks OpenAI's Chat Completions and Responses and Anthropic's Messages, always as streams. A rule of
//! the test decides the answers. Every request is checked against the published schema of its API. A request that does
//! not fit is answered with status 400, and fails the test when the provider is dropped.

mod calls;
mod chat;
mod check;
mod failure;
mod frames;
mod messages;
#[expect(
    dead_code,
    reason = "the provider does not speak the APIs of Google and Cohere"
)]
#[path = "../../../dooers/src/history/tests/order.rs"]
mod order;
mod provider;
mod reply;
mod request;
mod responses;

#[cfg(test)]
mod tests;

pub use provider::FakeProvider;
pub use reply::ProviderReply;
pub use request::{ProviderApi, ProviderRequest};
