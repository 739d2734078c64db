//! The document with the keys of an issuer: a JSON Web Key Set (RFC 7517).

use super::key::JwtKey;
use super::key_set::KeySet;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

/// Maximum number of keys. A token without `kid` is checked with each of them.
const MAX_KEYS: usize = 64;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// Reads the keys that can check signatures. All others are skipped and logged.
pub(super) fn read(body: &[u8]) -> Result<KeySet, serde_json::Error> {
    let document: Document = serde_json::from_slice(body)?;
    let mut keys = Vec::new();
    let mut ids = HashSet::new();
    for written in &document.keys {
        match key(written) {
            Ok(_) if keys.len() == MAX_KEYS => skip(written, "there are too many keys"),
            Ok(key) if key.kid.as_ref().is_some_and(|id| !ids.insert(id.clone())) => {
                skip(written, "another key has the same id");
            }
            Ok(key) => keys.push(key),
            Err(reason) => skip(written, reason),
        }
    }
    if keys.is_empty() {
        tracing::warn!(target: "dooers::auth", "the issuer publishes no key that can check tokens, so every token is refused");
    }
    Ok(KeySet::published(keys))
}

fn skip(written: &Value, reason: &'static str) {
    let kid = written.get("kid").and_then(Value::as_str);
    let kid: Option<String> = kid.map(|kid| kid.chars().take(64).collect());
    tracing::info!(target: "dooers::auth", ?kid, reason, "a key of the issuer is skipped");
}

/// Reads a key. The error is the reason for the log.
fn key(written: &Value) -> Result<JwtKey, &'static str> {
    const UNSUPPORTED: &str = "its type is not supported";
    if written.get("d").is_some() {
        return Err("it is a private key, so everybody can sign with it");
    }
    let jwk = Jwk::deserialize(written).map_err(|_| UNSUPPORTED)?;
    let usage = jwk.common.public_key_use.as_ref();
    let operations = jwk.common.key_operations.as_ref();
    if usage.is_some_and(|usage| *usage != PublicKeyUse::Signature)
        || operations.is_some_and(|list| !list.contains(&KeyOperations::Verify))
    {
        return Err("it is not for signatures");
    }
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let of_type: &[Algorithm] = match &jwk.algorithm {
        // Without `alg`, the first one counts.
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        AlgorithmParameters::OctetKey(_) => return Err("it is a secret, which is not published"),
        _ => return Err(UNSUPPORTED),
    };
    let algorithm = match jwk.common.key_algorithm {
        None => of_type[0],
        Some(stated) => Algorithm::try_from(stated)
            .ok()
            .filter(|algorithm| of_type.contains(algorithm))
            .ok_or("its algorithm is not supported, or does not fit its type")?,
    };
    let decoding = DecodingKey::from_jwk(&jwk).map_err(|_| "its numbers are malformed")?;
    let checked = JwtKey::checked(algorithm, decoding);
    let key =
        checked.map_err(|_| "its numbers are malformed, or an RSA key is too short or too long")?;
    Ok(match jwk.common.key_id {
        Some(kid) => key.kid(kid),
        None => key,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::fixture;
    use super::*;
    use crate::log_capture::CapturedLog;
    use serde_json::json;

    /// A key of a fixture, changed.
    fn with(name: &str, changes: &Value) -> Value {
        let mut jwk = fixture(name).jwk;
        for (member, value) in changes.as_object().unwrap() {
            jwk[member] = value.clone();
        }
        jwk
    }

    #[test]
    fn algorithm_follows_from_the_key() {
        for (name, changes, algorithm) in [
            ("RS256", json!({}), Algorithm::RS256),
            (
                "RS256",
                json!({"alg": "RS512", "use": "sig"}),
                Algorithm::RS512,
            ),
            ("PS256", json!({"key_ops": ["verify"]}), Algorithm::PS256),
            ("ES256", json!({"alg": "ES256"}), Algorithm::ES256),
            ("ES384", json!({}), Algorithm::ES384),
            ("EdDSA", json!({}), Algorithm::EdDSA),
        ] {
            let key = key(&with(name, &changes)).unwrap();
            assert_eq!(key.algorithm, algorithm, "{name} {changes}");
        }
    }

    #[test]
    fn unusable_key_is_skipped_and_logged() {
        let unusable = [
            with("RS256", &json!({"use": "enc"})),
            with("RS256", &json!({"key_ops": ["encrypt"]})),
            with("RS256", &json!({"alg": "RSA-OAEP"})),
            with("RS256", &json!({"alg": "HS256"})),
            with("RS256", &json!({"alg": "none"})),
            with("RS256", &json!({"alg": "ES256"})),
            with("RS256", &json!({"e": "AQ"})),
            with("RS256", &json!({"e": ""})),
            with("RS256", &json!({"n": ""})),
            with("RS256", &json!({"n": "!"})),
            with("RS256", &json!({"d": "AQAB"})),
            with("short", &json!({})),
            with("ES256", &json!({"alg": "ES384"})),
            with("ES256", &json!({"crv": "P-521"})),
            with("ES256", &json!({"crv": "secp256k1"})),
            with("ES256", &json!({"x": "AQAB"})),
            with("ES256", &json!({"y": fixture("ES256").jwk["x"]})),
            with("EdDSA", &json!({"crv": "X25519"})),
            // The provider would panic at the first token.
            with("EdDSA", &json!({"x": "AQAB"})),
            with("EdDSA", &json!({"x": ""})),
            json!({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I", "alg": "HS256"}),
            json!({"kty": "AKP"}),
            json!({}),
            json!(null),
            json!([1]),
        ];
        for written in &unusable {
            assert!(key(written).is_err(), "{written}");
        }
        let (log, _guard) = CapturedLog::start();
        let good = with("EdDSA", &json!({"kid": "a"}));
        let twice = with("ES256", &json!({"kid": "a"}));
        let mut keys = vec![good, twice];
        keys.extend(unusable);
        let set = read(json!({ "keys": keys, "more": 1 }).to_string().as_bytes()).unwrap();
        assert_eq!(set.len(), 1);
        let lines = log.text().matches("a key of the issuer is skipped").count();
        assert_eq!(lines, keys.len() - 1, "{}", log.text());
    }

    #[test]
    fn document_is_an_object_with_keys() {
        for body in [
            "",
            "[]",
            "{}",
            "<html>",
            r#"{"keys":{}}"#,
            "{\"keys\":[]",
            "\u{0}",
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(read(br#"{"keys":[]}"#).unwrap().len(), 0);
        let many: Vec<Value> = (0..100).map(|_| with("EdDSA", &json!({}))).collect();
        let set = read(json!({ "keys": many }).to_string().as_bytes()).unwrap();
        assert_eq!(set.len(), MAX_KEYS);
    }
}
