//! The authenticator that checks tokens, and its configuration.

use super::claims::{ClaimName, ClaimNames};
use super::invalid::{InvalidJwt, MAX_LEEWAY};
use super::jwks::Jwks;
use super::key::JwtKey;
use super::key_set::KeySet;
use super::verifier::{KeySource, Verifier};
use crate::auth::{Authenticator, ConnectRequest, Identity, Refusal};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// Default leeway.
const LEEWAY: Duration = Duration::from_secs(60);

/// The authenticator that checks JSON Web Tokens (feature `jwt`).
///
/// The signature, `iss`, `aud` and `exp` are required. `nbf` is checked if the token has it. The algorithm belongs to the key,
/// so tokens with another algorithm, or with none, are refused.
///
/// The claims become the [`Identity`]: `sub` the user, `org_id` the organization, `roles` the role and so on. [`JwtBuilder`]
/// sets other names. Handlers find all claims in [`Identity::claims`]. The identity expires when the token is no longer
/// accepted: at `exp`, plus the leeway.
///
/// ```
/// use dooers::auth::Jwt;
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn echo(request: WorkerRequest) -> String {
///     request.message
/// }
///
/// # let secret = "0123456789abcdef0123456789abcdef";
/// let jwt = Jwt::hs256(secret).issuer("https://login.example.com/").audience("chat").build()?;
/// let server = WorkerServer::new(WorkerConfig::new()).authenticator(jwt);
/// # Ok::<(), dooers::auth::InvalidJwt>(())
/// ```
///
/// A program that uses the crate `jsonwebtoken` itself can install another
/// implementation of the algorithms, before it creates the first `Jwt`. Otherwise the one in Rust is installed.
#[derive(Debug, Clone)]
pub struct Jwt(Verifier);

impl Jwt {
    /// Starts the configuration for tokens that are signed with this secret, of at least 32 bytes.
    pub fn hs256(secret: impl AsRef<[u8]>) -> JwtBuilder {
        Self::key(JwtKey::hs256(secret))
    }

    /// Starts the configuration for tokens that are signed with RS256, by this public key in PEM.
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> JwtBuilder {
        Self::key(JwtKey::rs256_pem(pem))
    }

    /// Starts the configuration for tokens that are signed with ES256, by this public key in PEM.
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> JwtBuilder {
        Self::key(JwtKey::es256_pem(pem))
    }

    /// Starts the configuration for tokens that are signed with EdDSA, by this public key in PEM.
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> JwtBuilder {
        Self::key(JwtKey::eddsa_pem(pem))
    }

    /// Starts the configuration for tokens that are signed with the private key of this public one in PEM. Its type decides
    /// the algorithm, as [`JwtKey::pem`] describes.
    pub fn pem(pem: impl AsRef<[u8]>) -> JwtBuilder {
        Self::key(JwtKey::pem(pem))
    }

    /// Starts the configuration for tokens that are signed with one of several keys. A token that has a `kid` needs the key
    /// with this id, or a key without an id.
    pub fn keys(keys: impl IntoIterator<Item = JwtKey>) -> JwtBuilder {
        let keys = KeySet::new(keys.into_iter().collect());
        JwtBuilder::new(keys.map(KeySource::Local))
    }

    /// Starts the configuration for tokens that are signed with a key that the issuer publishes at this URL, as a JSON Web Key
    /// Set. The URL must start with `https://`, or name this machine.
    ///
    /// The first token fetches the keys. They are fetched again after the time that the issuer states in `Cache-Control` (from
    /// 1 minute to 1 day), and for a token with an unknown `kid`, at most once a minute. While the issuer is down, the
    /// keys that were fetched before stay in use. Before the first fetch succeeds, clients are answered with `OVERLOADED`.
    ///
    /// The server trusts the public authorities that Mozilla lists.
    pub fn jwks(url: impl AsRef<str>) -> JwtBuilder {
        let jwks = Jwks::new(url.as_ref());
        JwtBuilder::new(jwks.map(|jwks| KeySource::Published(Arc::new(jwks))))
    }

    fn key(key: Result<JwtKey, InvalidJwt>) -> JwtBuilder {
        let keys = key.and_then(|key| KeySet::new(vec![key]));
        JwtBuilder::new(keys.map(KeySource::Local))
    }
}

#[async_trait]
impl Authenticator for Jwt {
    async fn authenticate(&self, request: ConnectRequest) -> Result<Identity, Refusal> {
        match request.token() {
            Some(token) => self.0.identity(token).await,
            None => Err(Refusal::no_token()),
        }
    }
}

/// The builder of a [`Jwt`]. Issuer and audience are required.
///
/// The name of a claim may be a path with dots, such as `app_metadata.org.id`. A claim whose own name is the whole text, such
/// as `https://example.com/org`, comes first.
///
/// A token without the claim of the organization, the workspace or the workers is accepted only if the name of the claim is
/// the default. With a name of your own, the claim is required: if the name were misspelled, all users would share one
/// organization.
#[derive(Debug, Clone)]
#[must_use]
pub struct JwtBuilder {
    source: Result<KeySource, InvalidJwt>,
    issuer: String,
    audiences: Vec<String>,
    leeway: Duration,
    claims: ClaimNames,
}

impl JwtBuilder {
    fn new(source: Result<KeySource, InvalidJwt>) -> Self {
        Self {
            source,
            issuer: String::new(),
            audiences: Vec::new(),
            leeway: LEEWAY,
            claims: ClaimNames::default(),
        }
    }

    /// Sets the issuer, which the claim `iss` must equal. A final slash counts.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Adds an audience. The claim `aud` must name one of them.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Sets how far the clocks of the issuer and of this server may differ: 60 s by default, at most 5 minutes. A token is
    /// accepted that long after it has expired.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the claim of the user's id: a text. `sub` by default.
    pub fn user_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.user = ClaimName::chosen(name);
        self
    }

    /// Sets the claim of the user's name. `name` by default.
    pub fn name_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.name = ClaimName::chosen(name);
        self
    }

    /// Sets the claim of the user's email address. `email` by default.
    pub fn email_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.email = ClaimName::chosen(name);
        self
    }

    /// Sets the claim of the organization: a text. `org_id` by default. Users without an organization are in the organization
    /// `""`, all together.
    pub fn organization_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.organization = ClaimName::chosen(name);
        self
    }

    /// Sets the claim of the workspace: a text. `workspace_id` by default.
    pub fn workspace_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.workspace = ClaimName::chosen(name);
        self
    }

    /// Sets the claim of the role in the organization: a text or a list. `roles` by default. Of a list, `owner` or `manager`
    /// counts, or else the first role.
    pub fn role_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.role = ClaimName::chosen(name);
        self
    }

    /// Sets the claim of the workers that the user may use: a list of ids, or `"*"` for every worker. `workers` by default.
    pub fn workers_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.workers = ClaimName::chosen(name);
        self
    }

    /// Sets the claim of the [rights](crate::auth::Rights): a list of `settings`, `creator_settings` and `analytics`. `rights`
    /// by default.
    pub fn rights_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.rights = ClaimName::chosen(name);
        self
    }

    /// Checks the values.
    ///
    /// # Errors
    ///
    /// [`InvalidJwt`] for a key that cannot be used, without an issuer or an audience, and for a leeway that is too long.
    pub fn build(self) -> Result<Jwt, InvalidJwt> {
        let source = self.source?;
        if self.issuer.trim().is_empty() {
            return Err(InvalidJwt::Issuer);
        }
        if self.audiences.is_empty() || self.audiences.iter().any(|name| name.trim().is_empty()) {
            return Err(InvalidJwt::Audience);
        }
        if self.leeway > MAX_LEEWAY {
            return Err(InvalidJwt::Leeway);
        }
        self.claims.check()?;
        Ok(Jwt(Verifier::new(
            source,
            self.issuer,
            &self.audiences,
            self.leeway,
            self.claims,
        )))
    }
}
