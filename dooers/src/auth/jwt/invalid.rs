//! The reasons why tokens cannot be checked as configured.

use std::time::Duration;

/// Minimum length of a secret, in bytes: the length of the hash, as RFC 7518 requires.
pub(super) const MIN_SECRET_BYTES: usize = 32;

/// Minimum and maximum size of an RSA key, in bits.
pub(super) const MIN_RSA_BITS: usize = 2048;
pub(super) const MAX_RSA_BITS: usize = 8192;

/// Maximum leeway.
pub(super) const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// The reason why a [`Jwt`](super::Jwt) cannot be created. No text contains a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJwt {
    /// No issuer is set.
    #[error(
        "the issuer is required, because the key may also sign tokens of others; set it to the claim `iss` of your tokens, such as https://login.example.com/ (`issuer`, or WORKER_JWT_ISSUER)"
    )]
    Issuer,
    /// No audience is set.
    #[error(
        "the audience is required, because a token for another service must not open this one; set it to the claim `aud` of your tokens (`audience`, or WORKER_JWT_AUDIENCE)"
    )]
    Audience,
    /// The secret is too short.
    #[error(
        "the secret must have at least {MIN_SECRET_BYTES} bytes, because a shorter one can be guessed from a single token; create one with `openssl rand -base64 32`"
    )]
    Secret,
    /// The secret is a key in PEM.
    #[error(
        "the secret is a key in PEM, which others may have; set it as the public key (WORKER_JWT_PUBLIC_KEY), or create a secret with `openssl rand -base64 32`"
    )]
    SecretIsKey,
    /// The text is not a public key.
    #[error(
        "the key must be a public key in PEM that begins with `-----BEGIN PUBLIC KEY-----`, of the type RSA, EC (P-256 or P-384) or Ed25519"
    )]
    Pem,
    /// The text is a private key.
    #[error(
        "the key is a private key, but the server only checks tokens; extract the public key with `openssl pkey -pubout`, and keep the private one where tokens are signed"
    )]
    PrivateKey,
    /// The key has another type than the algorithm.
    #[error("the key is not a key of {0}; use the key that signs the tokens, or another algorithm")]
    KeyType(&'static str),
    /// The RSA key is too short or too long.
    #[error(
        "an RSA key must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, because shorter ones can be broken and longer ones are slow; create a key with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`"
    )]
    RsaSize,
    /// The list of keys is empty.
    #[error("at least one key is required, because every token is refused otherwise")]
    NoKey,
    /// Two keys have the same id.
    #[error(
        "two keys have the same id, so a token cannot name its key; give each key its own `kid`"
    )]
    DuplicateKeyId,
    /// The URL of the keys is not one of HTTP.
    #[error(
        "the URL of the keys must be a URL such as https://login.example.com/.well-known/jwks.json"
    )]
    Url,
    /// The URL of the keys contains a user or a password.
    #[error(
        "the URL of the keys must not contain a user or a password, because published keys need none; remove the part before the `@`"
    )]
    UrlPassword,
    /// The URL of the keys leaves this machine without encryption.
    #[error(
        "the URL of the keys must start with https://, because anyone who can change the answer on its way could sign tokens; http:// is accepted only for localhost and loopback addresses"
    )]
    UrlNotEncrypted,
    /// The name of a claim is empty.
    #[error(
        "the name of a claim must not be empty; write a name such as `sub`, or a path such as `app_metadata.org.id`"
    )]
    ClaimName,
    /// The leeway is too long.
    #[error(
        "the leeway must be at most {MAX_LEEWAY:?}, because expired tokens are accepted that long; correct the clocks of the machines instead"
    )]
    Leeway,
}
