use super::fixtures::{AUDIENCE, ISSUER, fixture};
use super::{InvalidJwt, Jwt, JwtBuilder, JwtKey};
use crate::auth::{Authenticator, ConnectRequest, Identity, Refusal};
use crate::protocol::{ConnectPayload, ErrorCode};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::executor::block_on;
use jsonwebtoken::crypto::{CryptoProvider, rust_crypto};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

const EXPIRED: &str = "the token has expired; log in again";
pub(super) const NOT_VALID: &str = "the token is not valid for this server; log in again";

fn built(builder: JwtBuilder) -> Jwt {
    builder.issuer(ISSUER).audience(AUDIENCE).build().unwrap()
}

pub(super) fn request(token: Option<&str>) -> Result<ConnectRequest, Refusal> {
    let mut payload = json!({"worker_id": "w", "user_id": "someone else"});
    if let Some(token) = token {
        payload["auth_token"] = token.into();
    }
    let payload: ConnectPayload = serde_json::from_value(payload).unwrap();
    ConnectRequest::new("echo", payload, Arc::default(), None)
}

fn ask(jwt: &Jwt, token: &str) -> Result<Identity, String> {
    let request = request(Some(token)).map_err(|refusal| refusal.to_string())?;
    block_on(jwt.authenticate(request)).map_err(|refusal| {
        assert_eq!(refusal.clone().into_answer().code, ErrorCode::Unauthorized);
        refusal.to_string()
    })
}

/// The time in this many seconds.
fn at(seconds: i64) -> u64 {
    get_current_timestamp().saturating_add_signed(seconds)
}

/// The claims of a token that is accepted, changed.
fn claims(change: &Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ana", "exp": at(600)});
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    claims
}

fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes()).unwrap();
    encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

/// A token with this header, signed with the secret.
fn signed_with(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
    format!("{message}.{}", signature.unwrap())
}

#[test]
fn each_type_of_key_checks_its_tokens() {
    let of = |name| match name {
        "RS256" => Jwt::rs256_pem(fixture(name).pem),
        "ES256" => Jwt::es256_pem(fixture(name).pem),
        "EdDSA" => Jwt::eddsa_pem(fixture(name).pem),
        _ => Jwt::pem(fixture(name).pem),
    };
    let names = ["RS256", "ES256", "ES384", "EdDSA"];
    for name in names {
        let jwt = built(of(name));
        for other in names {
            let answer = ask(&jwt, &fixture(other).token).map(|identity| identity.user.user_id);
            let expected = if other == name {
                Ok("ana")
            } else {
                Err(NOT_VALID)
            };
            assert_eq!(
                answer.as_deref().map_err(String::as_str),
                expected,
                "{name} {other}"
            );
        }
        // The key decides the algorithm, also among those of one type.
        assert_eq!(ask(&jwt, &fixture("PS256").token).unwrap_err(), NOT_VALID);
        // A signature of another message.
        let token = fixture(name).token;
        let (message, signature) = token.rsplit_once('.').unwrap();
        let changed = format!("{}.{signature}", message.replacen("RS", "RT", 1) + "x");
        assert_eq!(ask(&jwt, &changed).unwrap_err(), NOT_VALID, "{name}");
    }
}

#[test]
fn each_bad_token_has_its_answer() {
    let jwt = built(Jwt::hs256(SECRET));
    let rows = [
        ("expired 2 min ago", json!({"exp": at(-120)}), Err(EXPIRED)),
        ("clock 30 s ahead", json!({"exp": at(-30)}), Ok(())),
        ("clock 1 h ahead", json!({"exp": at(-3600)}), Err(EXPIRED)),
        ("clock 30 s behind", json!({"nbf": at(30)}), Ok(())),
        ("clock 1 h behind", json!({"nbf": at(3600)}), Err(NOT_VALID)),
        ("text as nbf", json!({"nbf": "0"}), Err(NOT_VALID)),
        ("fraction", json!({"exp": 4e9 + 0.5}), Ok(())),
        ("no exp", json!({"exp": null}), Err(NOT_VALID)),
        ("text as exp", json!({"exp": "4000000000"}), Err(NOT_VALID)),
        ("negative exp", json!({"exp": -1}), Err(NOT_VALID)),
        (
            "milliseconds",
            json!({"exp": 4_000_000_000_000_u64}),
            Err(NOT_VALID),
        ),
        ("huge exp", json!({"exp": u64::MAX}), Err(NOT_VALID)),
        ("larger exp", json!({"exp": 1e300}), Err(NOT_VALID)),
        (
            "other issuer",
            json!({"iss": "https://login.example.com"}),
            Err(NOT_VALID),
        ),
        ("no issuer", json!({"iss": null}), Err(NOT_VALID)),
        ("other audience", json!({"aud": "Chat"}), Err(NOT_VALID)),
        (
            "other audiences",
            json!({"aud": ["a", "b"]}),
            Err(NOT_VALID),
        ),
        (
            "one of the audiences",
            json!({"aud": ["a", "chat"]}),
            Ok(()),
        ),
        ("no audience", json!({"aud": null}), Err(NOT_VALID)),
        ("empty audiences", json!({"aud": []}), Err(NOT_VALID)),
        ("no user", json!({"sub": null}), Err(NOT_VALID)),
        ("number as user", json!({"sub": 7}), Err(NOT_VALID)),
        ("empty user", json!({"sub": ""}), Err(NOT_VALID)),
        ("blank user", json!({"sub": " \u{200b}"}), Err(NOT_VALID)),
        ("blank organization", json!({"org_id": " "}), Err(NOT_VALID)),
        (
            "blank workspace",
            json!({"workspace_id": "\t"}),
            Err(NOT_VALID),
        ),
        (
            "blank worker",
            json!({"workers": ["w", " "]}),
            Err(NOT_VALID),
        ),
        ("empty worker", json!({"workers": [""]}), Err(NOT_VALID)),
        ("blank name", json!({"name": " ", "email": ""}), Ok(())),
        ("list of issuers", json!({"iss": [ISSUER]}), Err(NOT_VALID)),
        (
            "two issuers",
            json!({"iss": ["https://other.example", ISSUER]}),
            Err(NOT_VALID),
        ),
        (
            "object as issuer",
            json!({"iss": {"0": ISSUER}}),
            Err(NOT_VALID),
        ),
        (
            "object as audience",
            json!({"aud": {"0": AUDIENCE}}),
            Err(NOT_VALID),
        ),
        (
            "number in audiences",
            json!({"aud": [AUDIENCE, 7]}),
            Err(NOT_VALID),
        ),
        (
            "list in audiences",
            json!({"aud": [[AUDIENCE]]}),
            Err(NOT_VALID),
        ),
        ("boolean as exp", json!({"exp": true}), Err(NOT_VALID)),
        ("list as exp", json!({"exp": [at(600)]}), Err(NOT_VALID)),
        ("negative nbf", json!({"nbf": -1}), Err(NOT_VALID)),
        ("list of users", json!({"sub": ["ana"]}), Err(NOT_VALID)),
        ("long user", json!({"sub": "a".repeat(200)}), Err(NOT_VALID)),
    ];
    for (name, change, expected) in rows {
        let answer = ask(&jwt, &signed(&claims(&change)));
        let answer = answer.as_ref().map(|_| ()).map_err(String::as_str);
        assert_eq!(answer, expected, "{name}");
    }
}

#[test]
fn each_malformed_token_has_its_answer() {
    let jwt = built(Jwt::hs256(SECRET));
    let claims = claims(&json!({}));
    let good = signed(&claims);
    assert!(ask(&jwt, &good).is_ok());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let with = |header: Value| signed_with(&header, &claims);
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let deep = URL_SAFE_NO_PAD.encode(deep);
    for token in [
        "a".to_owned(),
        "..".to_owned(),
        "\0.\n.é".to_owned(),
        format!("{message}."),
        format!("{message}.{signature}="),
        format!("{message}.{signature}.x"),
        format!(" {good}"),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{header}.{deep}.{signature}"),
        format!("{deep}.{payload}.{signature}"),
        with(json!({"alg": "None"})),
        with(json!({"alg": "HS512"})),
        with(json!({"alg": "RS256"})),
        with(json!({"alg": ["HS256"]})),
        with(json!({"typ": "JWT"})),
        with(json!({"alg": "HS256", "crit": ["exp"]})),
        with(json!({"alg": "HS256", "crit": []})),
        with(json!({"alg": "HS256", "b64": false, "crit": ["b64"]})),
        with(json!([])),
        signed_with(&json!({"alg": "HS256"}), &json!("ana")),
        signed_with(&json!({"alg": "HS256"}), &json!([claims])),
    ] {
        assert_eq!(ask(&jwt, &token).unwrap_err(), NOT_VALID, "{token:.80}");
    }
    // An id that no key has is not looked at, because the only key has none.
    assert!(ask(&jwt, &with(json!({"alg": "HS256", "kid": "\u{1}\n"}))).is_ok());
}

#[test]
fn public_key_as_secret_is_refused() {
    let pem = fixture("RS256").pem;
    let jwt = built(Jwt::rs256_pem(&pem));
    for secret in [pem.as_str(), pem.trim_end()] {
        let key = EncodingKey::from_secret(secret.as_bytes()).unwrap();
        let token = encode(&Header::new(Algorithm::HS256), &claims(&json!({})), &key).unwrap();
        assert_eq!(ask(&jwt, &token).unwrap_err(), NOT_VALID);
    }
}

#[test]
fn key_is_selected_by_its_id() {
    let other = "another secret of thirty-two bytes";
    let keys = [JwtKey::hs256(SECRET), JwtKey::hs256(other)].map(Result::unwrap);
    let [first, second] = keys;
    let jwt = built(Jwt::keys([first.clone().kid("a"), second.clone().kid("b")]));
    let with_id =
        |kid: &str| signed_with(&json!({"alg": "HS256", "kid": kid}), &claims(&json!({})));
    assert!(ask(&jwt, &with_id("a")).is_ok());
    for kid in ["b", "c", "", "A", "a\0", "a\r\n", "../a"] {
        assert_eq!(ask(&jwt, &with_id(kid)).unwrap_err(), NOT_VALID, "{kid:?}");
    }
    // A token without an id is checked with each key of its algorithm.
    assert!(ask(&jwt, &signed(&claims(&json!({})))).is_ok());
    let jwt = built(Jwt::keys([second, first]));
    assert!(ask(&jwt, &with_id("c")).is_ok());
}

#[test]
fn identity_holds_until_the_end_of_the_leeway() {
    let jwt = Jwt::hs256(SECRET).leeway(Duration::from_secs(5));
    let jwt = built(jwt.organization_claim("app.org"));
    let exp = at(600);
    let token = signed(&claims(&json!({"exp": exp, "app": {"org": "acme"}})));
    let identity = ask(&jwt, &token).unwrap();
    assert_eq!(identity.user.user_id, "ana");
    assert_eq!(identity.organization_id, "acme");
    let expires_at = identity.expires_at.unwrap().timestamp();
    assert_eq!(expires_at.unsigned_abs(), exp + 5);
    assert_eq!(identity.claims["app"], json!({"org": "acme"}));
    assert_eq!(
        ask(&jwt, &signed(&claims(&json!({"app": {}})))).unwrap_err(),
        NOT_VALID
    );
}

#[test]
fn token_is_required_and_at_most_16_kib() {
    let jwt = built(Jwt::hs256(SECRET));
    let refusal = block_on(jwt.authenticate(request(None).unwrap())).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "this server requires a token; log in, and send the token as `auth_token` in `connect`"
    );
    assert_eq!(ask(&jwt, &"a".repeat(16 * 1024)).unwrap_err(), NOT_VALID);
    let too_long = "the token is longer than 16384 bytes; log in for one with fewer claims";
    assert_eq!(ask(&jwt, &"a".repeat(16 * 1024 + 1)).unwrap_err(), too_long);
    let mut headers = HeaderMap::new();
    let value = format!("Bearer {}", "a".repeat(16 * 1024 + 1));
    headers.insert(header::AUTHORIZATION, value.parse().unwrap());
    let payload = serde_json::from_value(json!({"worker_id": "w"})).unwrap();
    let refused = ConnectRequest::new("echo", payload, Arc::new(headers), None);
    assert_eq!(refused.unwrap_err().to_string(), too_long);
}

#[test]
fn configuration_that_cannot_hold_is_refused() {
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let certificate = fixture("RS256").pem.replace("PUBLIC KEY", "CERTIFICATE");
    let key = || JwtKey::hs256(SECRET).unwrap();
    for (builder, expected) in [
        (Jwt::hs256(&SECRET[1..]), InvalidJwt::Secret),
        (
            Jwt::hs256(format!("\n-----BEGIN PUBLIC KEY-----{SECRET}")),
            InvalidJwt::SecretIsKey,
        ),
        (Jwt::pem(""), InvalidJwt::Pem),
        (
            Jwt::pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
            InvalidJwt::Pem,
        ),
        (Jwt::pem(private), InvalidJwt::PrivateKey),
        (Jwt::pem(certificate), InvalidJwt::Pem),
        (
            Jwt::rs256_pem(fixture("ES256").pem),
            InvalidJwt::KeyType("RS256 (RSA)"),
        ),
        (
            Jwt::es256_pem(fixture("ES384").pem),
            InvalidJwt::KeyType("ES256 (EC, P-256)"),
        ),
        (
            Jwt::eddsa_pem(fixture("RS256").pem),
            InvalidJwt::KeyType("EdDSA (Ed25519)"),
        ),
        (Jwt::rs256_pem(fixture("short").pem), InvalidJwt::RsaSize),
        (Jwt::keys([]), InvalidJwt::NoKey),
        (
            Jwt::keys([key().kid("a"), key().kid("a")]),
            InvalidJwt::DuplicateKeyId,
        ),
        (
            Jwt::hs256(SECRET).leeway(Duration::from_secs(301)),
            InvalidJwt::Leeway,
        ),
        (Jwt::hs256(SECRET).user_claim(""), InvalidJwt::ClaimName),
    ] {
        let refused = builder.issuer(ISSUER).audience(AUDIENCE).build();
        assert_eq!(refused.unwrap_err(), expected);
    }
    let without_issuer = Jwt::hs256(SECRET).audience(AUDIENCE).build();
    assert_eq!(without_issuer.unwrap_err(), InvalidJwt::Issuer);
    for builder in [Jwt::hs256(SECRET), Jwt::hs256(SECRET).audience(" ")] {
        assert_eq!(
            builder.issuer(ISSUER).build().unwrap_err(),
            InvalidJwt::Audience
        );
    }
}

#[test]
fn debug_shows_no_secret() {
    let builder = Jwt::hs256(SECRET);
    let shown = format!("{builder:?} {:?}", built(builder.clone()));
    assert!(!shown.contains("0123"), "{shown}");
    let bytes = format!("{:?}", SECRET.as_bytes());
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
}

/// Other tests install it, too, unless each test has its own process, as with `cargo nextest`.
#[test]
fn provider_is_installed_with_the_first_jwt() {
    drop(built(Jwt::hs256(SECRET)));
    // A second installation fails, even if no token was checked in the meantime.
    assert!(CryptoProvider::install_default(&rust_crypto::DEFAULT_PROVIDER).is_err());
}
