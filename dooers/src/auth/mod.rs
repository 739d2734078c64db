//! Access: who may connect, and what they may do.
//!
//! An [`Authenticator`] decides who a client is. The server asks it at every `connect`, and believes only the [`Identity`] that
//! it returns. Without one, the server uses [`Open`], which believes the client, and serves loopback addresses only.

pub(crate) mod access;
mod allowed_workers;
mod authenticator;
mod bearer;
mod connect_request;
mod identity;
mod identity_limits;
#[cfg(feature = "jwt")]
mod jwt;
mod open;
pub(crate) mod organization_role;
mod protected_file;
mod refusal;
mod shared_authenticator;
mod token_hash;
mod tokens;
#[cfg(feature = "auth-webhook")]
mod webhook;

pub use allowed_workers::AllowedWorkers;
pub use authenticator::Authenticator;
pub(crate) use bearer::{SUBPROTOCOL, offers_subprotocol};
pub use connect_request::ConnectRequest;
pub use identity::{Identity, Rights};
pub use identity_limits::IdentityLimits;
#[cfg(feature = "jwt")]
pub use jwt::{InvalidJwt, Jwt, JwtBuilder, JwtKey};
pub use open::Open;
#[cfg(feature = "jwt")]
pub(crate) use protected_file::check_writers;
pub use refusal::Refusal;
pub(crate) use shared_authenticator::SharedAuthenticator;
pub use tokens::{InvalidTokens, StaticTokens};
#[cfg(feature = "auth-webhook")]
pub use webhook::{InvalidAuthWebhook, WebhookAuthenticator, WebhookAuthenticatorBuilder};
