//! Authentication by JSON Web Tokens.
//!
//! [`Jwt`] finds the key of a token, checks the signature and the times, and maps the claims to an
//! [`Identity`](super::Identity). The algorithm is a property of the key, so a token cannot choose it.

mod authenticator;
mod claims;
#[cfg(test)]
mod fixtures;
mod invalid;
mod jwks;
mod jwks_document;
#[cfg(test)]
mod jwks_tests;
mod key;
mod key_set;
#[cfg(test)]
mod tests;
mod verifier;

pub use authenticator::{Jwt, JwtBuilder};
pub use invalid::InvalidJwt;
pub use key::JwtKey;
