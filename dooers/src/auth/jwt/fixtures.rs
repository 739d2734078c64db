//! Public keys of each type, with a token that each has signed. Their private keys do not exist any more.

use serde_json::Value;

/// The issuer and the audience of the tokens.
pub(super) const ISSUER: &str = "https://login.example.com/";
pub(super) const AUDIENCE: &str = "chat";

/// A key with a token for the user `ana`, which expires in 2096.
pub(super) struct Fixture {
    pub(super) pem: String,
    pub(super) token: String,
    pub(super) jwk: Value,
}

/// The fixture of an algorithm, or `short` for an RSA key of 1024 bits.
pub(super) fn fixture(name: &str) -> Fixture {
    let all: Value = serde_json::from_str(include_str!("fixtures/keys.json")).unwrap();
    let text = |member: &str| all[name][member].as_str().unwrap().to_owned();
    Fixture {
        pem: text("pem"),
        token: text("token"),
        jwk: all[name]["jwk"].clone(),
    }
}
