//! The webhook: sends the analytics events of the outbox to an address of the operator.
//!
//! [`Sender`] claims batches from the store and confirms them. [`Client`](client::Client) makes one HTTP request per
//! batch.

mod batch;
mod client;
mod invalid;
mod options;
mod sender;
#[cfg(test)]
mod tests;

pub use invalid::InvalidWebhook;
pub use options::{AnalyticsWebhook, AnalyticsWebhookBuilder};
pub(super) use sender::Sender;
