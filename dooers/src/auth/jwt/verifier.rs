//! The checks of tokens.

use super::claims::ClaimNames;
use super::jwks::Jwks;
use super::key_set::KeySet;
use crate::auth::{Identity, Refusal};
use jsonwebtoken::crypto::{CryptoProvider, rust_crypto};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Header, Validation, decode, decode_header};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// The answer to a client that can help itself.
const EXPIRED: &str = "the token has expired; log in again";

/// The answer to any other token. It does not name the check that failed, because that helps only those who forge tokens. The
/// log names it.
const NOT_VALID: &str = "the token is not valid for this server; log in again";

/// Checks tokens, and turns their claims into identities.
#[derive(Debug, Clone)]
pub(super) struct Verifier {
    source: KeySource,
    /// The checks of claims. The algorithm is that of the key.
    validation: Validation,
    claims: ClaimNames,
    leeway: Duration,
}

/// The source of the keys.
#[derive(Debug, Clone)]
pub(super) enum KeySource {
    Local(KeySet),
    Published(Arc<Jwks>),
}

impl Verifier {
    pub(super) fn new(
        source: KeySource,
        issuer: String,
        audiences: &[String],
        leeway: Duration,
        claims: ClaimNames,
    ) -> Self {
        // If another crate enables a second implementation, `jsonwebtoken` selects none and panics at the first token. An
        // error means that the program has selected one.
        let _ = CryptoProvider::install_default(&rust_crypto::DEFAULT_PROVIDER);
        let mut validation = Validation {
            algorithms: Vec::new(),
            leeway: leeway.as_secs(),
            validate_nbf: true,
            ..Validation::default()
        };
        validation.set_issuer(&[issuer]);
        validation.set_audience(audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Self {
            source,
            validation,
            claims,
            leeway,
        }
    }

    /// Returns the identity in a token.
    pub(super) async fn identity(&self, token: &str) -> Result<Identity, Refusal> {
        let header = decode_header(token).map_err(|error| refused(error.kind()))?;
        let claims = match &self.source {
            KeySource::Local(keys) => self.verified(token, &header, keys),
            KeySource::Published(jwks) => {
                let keys = jwks.keys(&header).await?;
                self.verified(token, &header, &keys)
            }
        };
        let claims = claims.map_err(|error| refused(error.kind()))?;
        self.claims
            .identity(claims, self.leeway)
            .map_err(|reason| refuse(NOT_VALID, reason))
    }

    /// Returns the claims of a token that one of the keys has signed.
    fn verified(
        &self,
        token: &str,
        header: &Header,
        keys: &KeySet,
    ) -> Result<Map<String, Value>, Error> {
        let mut failed = ErrorKind::InvalidAlgorithm.into();
        for key in keys.candidates(header) {
            let validation = Validation {
                algorithms: vec![key.algorithm],
                ..self.validation.clone()
            };
            match decode(token, &key.key, &validation) {
                Ok(token) => return with_one_issuer(token.claims),
                Err(error) if *error.kind() == ErrorKind::InvalidSignature => failed = error,
                Err(error) => return Err(error),
            }
        }
        Err(failed)
    }
}

/// Refuses claims with a list of issuers, which `jsonwebtoken` accepts. RFC 7519 allows a text only: another service that
/// looks at one issuer must not see another one than this server.
fn with_one_issuer(claims: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    if claims.get("iss").is_some_and(Value::is_string) {
        Ok(claims)
    } else {
        Err(ErrorKind::InvalidIssuer.into())
    }
}

/// Refuses a token. Only an expired one is named, which happens to honest clients.
fn refused(kind: &ErrorKind) -> Refusal {
    let reason = match kind {
        ErrorKind::ExpiredSignature => return refuse(EXPIRED, "it has expired"),
        ErrorKind::ImmatureSignature => "it is not valid yet; check the clocks",
        ErrorKind::InvalidIssuer => "it has another issuer, or a list of issuers",
        ErrorKind::InvalidAudience => "it has another audience",
        ErrorKind::MissingRequiredClaim(_) => "`exp`, `iss` or `aud` is missing",
        ErrorKind::InvalidSignature => "its signature does not match",
        ErrorKind::InvalidAlgorithm => "no key has its `kid` and its algorithm",
        _ => "it is malformed",
    };
    refuse(NOT_VALID, reason)
}

/// Logs the reason, without any part of the token.
fn refuse(answer: &'static str, reason: &'static str) -> Refusal {
    tracing::debug!(target: "dooers::auth", reason, "a token was refused");
    Refusal::unauthorized(answer)
}
