//! The answers of the receiver.

use super::error::AskError;
use crate::auth::{Identity, Refusal};
use hyper::header::{CACHE_CONTROL, HeaderMap};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// The longest time for which an identity is kept.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);

/// The time for which a refusal is kept, so that repeated attempts with one token are one request.
pub(super) const REFUSED: Duration = Duration::from_secs(5);

/// Maximum length of the text of a refusal, in characters.
const TEXT: usize = 500;

/// The members of an identity. An unknown one is an error: a misspelled `workers` would otherwise allow every worker.
const MEMBERS: &[&str] = &[
    "user",
    "organization_id",
    "workspace_id",
    "workers",
    "rights",
    "expires_at",
    "claims",
];

/// Reads the identity in the body of an answer.
pub(super) fn identity(body: &[u8]) -> Result<Identity, AskError> {
    let members: Map<String, Value> = serde_json::from_slice(body).map_err(AskError::NotJson)?;
    if let Some(unknown) = members
        .keys()
        .find(|name| !MEMBERS.contains(&name.as_str()))
    {
        return Err(AskError::UnknownMember(unknown.clone()));
    }
    let mut identity: Identity =
        serde_json::from_value(Value::Object(members)).map_err(AskError::NotJson)?;
    if identity.user.user_id.is_empty() {
        return Err(AskError::NoUser);
    }
    identity.admit_proven().map_err(AskError::NotAdmitted)?;
    Ok(identity)
}

/// Reads the refusal in the body of an answer.
pub(super) fn refusal(body: &[u8]) -> Refusal {
    #[derive(Deserialize)]
    struct Body {
        message: String,
    }
    let text = match serde_json::from_slice::<Body>(body) {
        Ok(body) if !body.message.trim().is_empty() => body.message.chars().take(TEXT).collect(),
        _ => "the token was refused; log in again".to_owned(),
    };
    Refusal::unauthorized(text)
}

/// Returns the time for which the header `Cache-Control` allows keeping the answer. Without the header, it is not kept.
pub(super) fn max_age(headers: &HeaderMap) -> Duration {
    let mut age = Duration::ZERO;
    let values = headers.get_all(CACHE_CONTROL).iter();
    for directive in values
        .filter_map(|value| value.to_str().ok()?.into())
        .flat_map(|value: &str| value.split(','))
    {
        let directive = directive.trim().to_ascii_lowercase();
        if directive == "no-store" || directive == "no-cache" {
            return Duration::ZERO;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            age = Duration::from_secs(seconds.parse().unwrap_or_default());
        }
    }
    age.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::AllowedWorkers;

    #[test]
    fn every_member_of_an_identity_is_known() {
        let identity = Identity::new("ana")
            .workers(AllowedWorkers::only(["w"]))
            .expires_at("2030-01-01T00:00:00Z".parse().unwrap())
            .claim("plan", "gold");
        let json = serde_json::to_value(&identity).unwrap();
        let members: Vec<_> = json.as_object().unwrap().keys().collect();
        assert_eq!(members, MEMBERS);
        assert_eq!(
            super::identity(json.to_string().as_bytes()).unwrap(),
            identity
        );
    }

    #[test]
    fn max_age_is_read_from_the_header() {
        for (values, seconds) in [
            (vec![], 0),
            (vec!["max-age=60"], 60),
            (vec!["private, Max-Age=60"], 60),
            (vec!["private", "max-age=60"], 60),
            (vec!["max-age=60, no-store"], 0),
            (vec!["no-cache"], 0),
            (vec!["max-age=-1"], 0),
            (vec!["max-age=soon"], 0),
            (vec!["s-maxage=60"], 0),
            (vec!["max-age=86400"], 3600),
        ] {
            let mut headers = HeaderMap::new();
            for value in &values {
                headers.append(CACHE_CONTROL, value.parse().unwrap());
            }
            assert_eq!(max_age(&headers).as_secs(), seconds, "{values:?}");
        }
    }
}
