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
mod signature;
#[cfg(test)]
mod tests;
mod url;

pub(crate) use client::HttpClient;
pub(crate) use error::HttpError;
pub(crate) use invalid_url::InvalidUrl;
pub(crate) use signature::{SIGNATURE, signature};
pub(crate) use url::HttpUrl;
