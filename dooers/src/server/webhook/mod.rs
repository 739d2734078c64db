//! The webhook: sends the analytics events of the outbox to an address of the operator.
//!
//! [`Sender`] claims batches from the store and confirms them. [`Client`](client::Client) makes one HTTP request per
//! batch. It resolves the name of the receiver itself and connects only to addresses that
//! [`AnalyticsWebhook`] permits, so a name cannot point to another address after the check.

mod address;
mod back_off;
mod batch;
mod client;
mod invalid;
mod options;
mod sender;
#[cfg(test)]
mod tests;
mod url;

pub use invalid::InvalidWebhook;
pub use options::{AnalyticsWebhook, AnalyticsWebhookBuilder};
pub(super) use sender::Sender;
