//! The authenticator that asks a server of the operator.
//!
//! [`Lookups`](lookups::Lookups) keeps answers and shares requests. [`Asker`](asker::Asker) makes one request.

mod answer;
mod asker;
mod authenticator;
mod cache;
mod error;
mod invalid;
mod lookups;
#[cfg(test)]
mod tests;

pub use authenticator::{WebhookAuthenticator, WebhookAuthenticatorBuilder};
pub use invalid::InvalidAuthWebhook;
