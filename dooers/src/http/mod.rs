//! A small HTTP client for requests to servers that the operator chose.
//!
//! [`HttpClient`] resolves the name of the server itself and connects only to addresses that its [`HttpUrl`] permits, so a
//! name cannot point to another address after the check.

mod address;
mod client;
mod error;
mod invalid_url;
#[cfg(test)]
pub(crate) mod receiver;
#[cfg(any(feature = "auth-webhook", feature = "webhook"))]
mod signature;
#[cfg(test)]
mod tests;
mod url;

#[cfg(feature = "auth-webhook")]
pub(crate) use client::Answer;
pub(crate) use client::HttpClient;
pub(crate) use error::HttpError;
pub(crate) use invalid_url::InvalidUrl;
#[cfg(any(feature = "auth-webhook", feature = "webhook"))]
pub(crate) use signature::{SIGNATURE, signature};
pub(crate) use url::HttpUrl;
