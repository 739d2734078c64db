//! The keys that check signatures.

use super::invalid::{InvalidJwt, MAX_RSA_BITS, MIN_RSA_BITS, MIN_SECRET_BYTES};
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};

/// The length of an Ed25519 key, in bytes.
const ED25519_BYTES: usize = 32;

/// A key that checks the signatures of tokens, by one algorithm. `Debug` does not show it.
///
/// ```
/// use dooers::auth::{Jwt, JwtKey};
///
/// # let (old, new) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
/// // While secrets are rotated, both are accepted.
/// let keys = [JwtKey::hs256(old)?.kid("2026-01"), JwtKey::hs256(new)?.kid("2026-07")];
/// let jwt = Jwt::keys(keys).issuer("https://login.example.com/").audience("chat").build()?;
/// # Ok::<(), dooers::auth::InvalidJwt>(())
/// ```
#[derive(Debug, Clone)]
pub struct JwtKey {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl JwtKey {
    /// Creates a secret of HS256, which signs and checks tokens: at least 32 bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidJwt::Secret`] if it is shorter.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, InvalidJwt> {
        let secret = secret.as_ref();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(InvalidJwt::Secret);
        }
        // With a public key as the secret, everybody could sign tokens.
        if secret.trim_ascii_start().starts_with(b"-----BEGIN") {
            return Err(InvalidJwt::SecretIsKey);
        }
        let key = DecodingKey::from_secret(secret).map_err(|_| InvalidJwt::Secret)?;
        Self::checked(Algorithm::HS256, key)
    }

    /// Reads a public key of RS256 in PEM.
    ///
    /// # Errors
    ///
    /// [`InvalidJwt`] if the text is not an RSA key of 2048 to 8192 bits.
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> Result<Self, InvalidJwt> {
        Self::pem(pem)?.only(Algorithm::RS256, "RS256 (RSA)")
    }

    /// Reads a public key of ES256 in PEM.
    ///
    /// # Errors
    ///
    /// [`InvalidJwt`] if the text is not an EC key of the curve P-256.
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self, InvalidJwt> {
        Self::pem(pem)?.only(Algorithm::ES256, "ES256 (EC, P-256)")
    }

    /// Reads a public key of EdDSA in PEM.
    ///
    /// # Errors
    ///
    /// [`InvalidJwt`] if the text is not an Ed25519 key.
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> Result<Self, InvalidJwt> {
        Self::pem(pem)?.only(Algorithm::EdDSA, "EdDSA (Ed25519)")
    }

    /// Reads a public key in PEM. Its type decides the algorithm: RS256 for RSA, ES256 for P-256, ES384 for P-384, and EdDSA
    /// for Ed25519.
    ///
    /// # Errors
    ///
    /// [`InvalidJwt`] if the text is not a public key of one of these types.
    pub fn pem(pem: impl AsRef<[u8]>) -> Result<Self, InvalidJwt> {
        let pem = pem.as_ref();
        let text = String::from_utf8_lossy(pem);
        if text.contains("PRIVATE KEY-----") {
            return Err(InvalidJwt::PrivateKey);
        }
        // A certificate contains other keys and signatures, too.
        if !text.contains("PUBLIC KEY-----") {
            return Err(InvalidJwt::Pem);
        }
        if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            return Self::checked(Algorithm::EdDSA, key);
        }
        if let Ok(key) = DecodingKey::from_ec_pem(pem) {
            return Self::checked(Algorithm::ES256, key.clone())
                .or_else(|_| Self::checked(Algorithm::ES384, key));
        }
        let key = DecodingKey::from_rsa_pem(pem).map_err(|_| InvalidJwt::Pem)?;
        Self::checked(Algorithm::RS256, key)
    }

    /// Sets the id of the key, which tokens name as `kid`.
    #[must_use]
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    fn only(self, algorithm: Algorithm, name: &'static str) -> Result<Self, InvalidJwt> {
        if self.algorithm == algorithm {
            Ok(self)
        } else {
            Err(InvalidJwt::KeyType(name))
        }
    }

    /// Creates a key of this algorithm, if it can check signatures.
    pub(super) fn checked(algorithm: Algorithm, key: DecodingKey) -> Result<Self, InvalidJwt> {
        if key.family() != algorithm.family() {
            return Err(InvalidJwt::Pem);
        }
        match key.family() {
            AlgorithmFamily::Rsa => check_rsa(&key)?,
            // The provider reads 32 bytes without a check.
            AlgorithmFamily::Ed => {
                let bytes = key.try_get_as_bytes().map_err(|_| InvalidJwt::Pem)?;
                if bytes.len() != ED25519_BYTES {
                    return Err(InvalidJwt::Pem);
                }
            }
            AlgorithmFamily::Hmac | AlgorithmFamily::Ec => {}
        }
        (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key).map_err(|_| InvalidJwt::Pem)?;
        Ok(Self {
            kid: None,
            algorithm,
            key,
        })
    }
}

fn check_rsa(key: &DecodingKey) -> Result<(), InvalidJwt> {
    let (modulus, exponent) = match key.kind() {
        DecodingKeyKind::SecretOrDer(der) => {
            (DEFAULT_PROVIDER
                .key_utils
                .rsa_pub_components_from_public_key)(der)
            .map_err(|_| {
                // The provider refuses keys under 1024 and over 8192 bits, too.
                InvalidJwt::RsaSize
            })?
        }
        DecodingKeyKind::RsaModulusExponent { n, e } => (n.clone(), e.clone()),
    };
    let modulus = without_zeros(&modulus);
    let unused = modulus.first().map_or(0, |first| first.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(unused as usize);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(InvalidJwt::RsaSize);
    }
    // With the exponent 1, the signature is the message.
    let exponent = without_zeros(&exponent);
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if exponent == [1] || !is_odd(exponent) || !is_odd(modulus) {
        return Err(InvalidJwt::Pem);
    }
    Ok(())
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|byte| *byte != 0);
    &number[first.unwrap_or(number.len())..]
}
