//! The mapping of claims to an identity.

use super::invalid::InvalidJwt;
use crate::auth::{AllowedWorkers, Identity, organization_role};
use crate::protocol::User;
use chrono::{DateTime, Datelike, Utc};
use serde_json::{Map, Value};
use std::time::Duration;

/// The last year in which a token may expire. Later years do not fit into a timestamp of the protocol, and are usually
/// milliseconds by mistake.
const LAST_YEAR: i32 = 9999;

/// The value that allows every worker.
const EVERY_WORKER: &str = "*";

/// The name of a claim.
///
/// The name itself is looked up first, because it may contain dots, as in `https://example.com/org`. Otherwise it is a path
/// into objects.
#[derive(Debug, Clone)]
pub(super) struct ClaimName {
    path: String,
    /// True if the configuration names the claim. A token without it is refused then: with an error in the name, all users
    /// would otherwise share one organization, or use every worker.
    is_chosen: bool,
}

impl ClaimName {
    fn usual(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            is_chosen: false,
        }
    }

    pub(super) fn chosen(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            is_chosen: true,
        }
    }

    /// Returns the value in the claims. A value of `null` is missing.
    fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        find(claims, &self.path).filter(|value| !value.is_null())
    }
}

fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        path.match_indices('.').find_map(|(dot, _)| {
            let inner = claims.get(&path[..dot])?.as_object()?;
            find(inner, &path[dot + 1..])
        })
    })
}

/// The claims that an identity is made of.
#[derive(Debug, Clone)]
pub(super) struct ClaimNames {
    pub(super) user: ClaimName,
    pub(super) name: ClaimName,
    pub(super) email: ClaimName,
    pub(super) organization: ClaimName,
    pub(super) workspace: ClaimName,
    pub(super) role: ClaimName,
    pub(super) workers: ClaimName,
    pub(super) rights: ClaimName,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            user: ClaimName::usual("sub"),
            name: ClaimName::usual("name"),
            email: ClaimName::usual("email"),
            organization: ClaimName::usual("org_id"),
            workspace: ClaimName::usual("workspace_id"),
            role: ClaimName::usual("roles"),
            workers: ClaimName::usual("workers"),
            rights: ClaimName::usual("rights"),
        }
    }
}

impl ClaimNames {
    pub(super) fn check(&self) -> Result<(), InvalidJwt> {
        let names = [
            &self.user,
            &self.name,
            &self.email,
            &self.organization,
            &self.workspace,
            &self.role,
            &self.workers,
            &self.rights,
        ];
        if names.iter().any(|name| name.path.is_empty()) {
            return Err(InvalidJwt::ClaimName);
        }
        Ok(())
    }

    /// Returns the identity in the claims of a verified token. The error is the reason for the log.
    ///
    /// A claim that decides what a client can see must be a text, and a list of workers a list. Any other claim that has
    /// another type counts as missing.
    pub(super) fn identity(
        &self,
        claims: Map<String, Value>,
        leeway: Duration,
    ) -> Result<Identity, &'static str> {
        let user_id = scoping(&self.user, &claims, "the claim of the user is not a text")?;
        if user_id.is_empty() {
            return Err("the claim of the user is missing or empty");
        }
        let mut user = User::new(user_id);
        user.user_name = text(self.name.find(&claims));
        user.user_email = text(self.email.find(&claims));
        if let Some(role) = role(self.role.find(&claims)) {
            user.organization_role = role;
        }
        let organization = scoping(
            &self.organization,
            &claims,
            "the claim of the organization is missing or not a text",
        )?;
        let workspace = scoping(
            &self.workspace,
            &claims,
            "the claim of the workspace is missing or not a text",
        )?;
        let rights = texts(self.rights.find(&claims));
        let has = |right: &str| rights.contains(&right);
        let mut identity = Identity::new(user)
            .organization(organization)
            .workspace(workspace)
            .workers(self.workers(&claims)?)
            .rights(|granted| {
                granted.settings = has("settings");
                granted.creator_settings = has("creator_settings");
                granted.analytics = has("analytics");
            })
            .expires_at(expiry(&claims, leeway).ok_or("the claim `exp` is too large")?);
        identity.claims = claims;
        identity.admit_proven().map_err(
            |_| "an id, a name or the claims are too long, or an id is blank or has U+0000",
        )?;
        Ok(identity)
    }

    fn workers(&self, claims: &Map<String, Value>) -> Result<AllowedWorkers, &'static str> {
        const REFUSED: &str = "the claim of the workers is missing or not a list of texts";
        match self.workers.find(claims) {
            None if self.workers.is_chosen => Err(REFUSED),
            None => Ok(AllowedWorkers::Every),
            Some(Value::String(every)) if every == EVERY_WORKER => Ok(AllowedWorkers::Every),
            Some(Value::Array(ids)) => {
                let ids: Option<Vec<&str>> = ids.iter().map(Value::as_str).collect();
                Ok(AllowedWorkers::only(ids.ok_or(REFUSED)?))
            }
            Some(_) => Err(REFUSED),
        }
    }
}

/// Reads a claim that decides what a client can see. It is empty if the token has none and the configuration does not name
/// it.
fn scoping(
    name: &ClaimName,
    claims: &Map<String, Value>,
    reason: &'static str,
) -> Result<String, &'static str> {
    match name.find(claims) {
        Some(Value::String(text)) if !(name.is_chosen && text.is_empty()) => Ok(text.clone()),
        None if !name.is_chosen => Ok(String::new()),
        _ => Err(reason),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

/// Reads a text or the texts in a list.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Selects the role in the organization: `owner` or `manager` if the user has it, otherwise the first role.
fn role(value: Option<&Value>) -> Option<String> {
    let role = organization_role::of_several(&texts(value));
    role.filter(|role| !role.is_empty()).map(str::to_owned)
}

/// Returns the time until which the identity holds: `exp`, plus the leeway for clocks that differ.
fn expiry(claims: &Map<String, Value>, leeway: Duration) -> Option<DateTime<Utc>> {
    let exp = claims.get("exp")?;
    // `exp` is a number that was checked with the signature, and may have a fraction.
    let seconds = exp
        .as_i64()
        .or_else(|| exp.as_f64().map(|seconds| seconds.round() as i64))?;
    let seconds = seconds.checked_add_unsigned(leeway.as_secs())?;
    DateTime::from_timestamp(seconds, 0).filter(|at| at.year() <= LAST_YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(names: &ClaimNames, mut claims: Value) -> Result<Identity, &'static str> {
        claims["exp"] = json!(4_000_000_000_u64);
        let Value::Object(claims) = claims else {
            unreachable!("claims are an object");
        };
        names.identity(claims, Duration::from_secs(60))
    }

    #[test]
    fn claims_become_an_identity() {
        let claims = json!({
            "sub": "ana",
            "name": "Ana",
            "email": "ana@example.com",
            "org_id": "acme",
            "workspace_id": "north",
            "roles": ["member", "manager"],
            "workers": ["support"],
            "rights": ["analytics", "unknown"],
            "plan": "gold",
        });
        let identity = read(&ClaimNames::default(), claims).unwrap();
        let mut user = User::new("ana").user_name("Ana");
        user.user_email = Some("ana@example.com".to_owned());
        user.organization_role = "manager".to_owned();
        let expected = Identity::new(user)
            .organization("acme")
            .workspace("north")
            .workers(AllowedWorkers::only(["support"]))
            .rights(|rights| rights.analytics = true)
            .expires_at("2096-10-02T07:07:40Z".parse().unwrap());
        assert_eq!(identity.claims["plan"], "gold");
        let claims = identity.claims.clone();
        assert_eq!(identity, Identity { claims, ..expected });
    }

    #[test]
    fn name_is_looked_up_before_the_path() {
        let claims = json!({
            "https://example.com/org": "url",
            "a.b": "name",
            "a": {"b": "path", "c": {"d": "deep"}, "c.e": "dotted"},
        });
        let claims = claims.as_object().unwrap();
        for (path, expected) in [
            ("https://example.com/org", Some("url")),
            ("a.b", Some("name")),
            ("a.c.d", Some("deep")),
            ("a.c.e", Some("dotted")),
            ("a.x", None),
            ("a.b.c", None),
            (".", None),
            ("a.", None),
        ] {
            let found = find(claims, path).and_then(Value::as_str);
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn claims_of_the_scope_have_one_type() {
        let usual = ClaimNames::default();
        for claims in [
            json!({}),
            json!({"sub": ""}),
            json!({"sub": null}),
            json!({"sub": 7}),
            json!({"sub": ["ana"]}),
            json!({"sub": "a\0"}),
            json!({"sub": "a".repeat(129)}),
            json!({"sub": "ana", "org_id": 7}),
            json!({"sub": "ana", "org_id": ["acme"]}),
            json!({"sub": "ana", "workspace_id": {}}),
            json!({"sub": "ana", "workers": "support"}),
            json!({"sub": "ana", "workers": ["support", 7]}),
            json!({"sub": "ana", "workers": {}}),
        ] {
            assert!(read(&usual, claims.clone()).is_err(), "{claims}");
        }
        let identity = read(&usual, json!({"sub": "ana", "org_id": null})).unwrap();
        assert_eq!(identity.organization_id, "");
        assert_eq!(identity.workers, AllowedWorkers::Every);
        let none = read(&usual, json!({"sub": "ana", "workers": []})).unwrap();
        assert_eq!(none.workers, AllowedWorkers::only([""; 0]));
    }

    #[test]
    fn chosen_claim_of_the_scope_is_required() {
        let with = |change: fn(&mut ClaimNames)| {
            let mut names = ClaimNames::default();
            change(&mut names);
            names
        };
        let organization = with(|names| names.organization = ClaimName::chosen("org"));
        assert!(read(&organization, json!({"sub": "ana", "org_id": "acme"})).is_err());
        assert!(read(&organization, json!({"sub": "ana", "org": ""})).is_err());
        let workers = with(|names| names.workers = ClaimName::chosen("w"));
        assert!(read(&workers, json!({"sub": "ana"})).is_err());
        let every = read(&workers, json!({"sub": "ana", "w": "*"})).unwrap();
        assert_eq!(every.workers, AllowedWorkers::Every);
        // These decide nothing that a client can see.
        let role = with(|names| names.role = ClaimName::chosen("r"));
        let identity = read(&role, json!({"sub": "ana", "name": 7, "r": {}})).unwrap();
        assert_eq!(identity.user, User::new("ana"));
    }

    #[test]
    fn role_is_a_text_or_the_highest_of_a_list() {
        for (roles, expected) in [
            (json!("owner"), Some("owner")),
            (json!(["viewer", "owner", "manager"]), Some("owner")),
            (json!(["viewer", "editor"]), Some("viewer")),
            (json!([7, "manager"]), Some("manager")),
            (json!([]), None),
            (json!(""), None),
            (json!({"owner": {}}), None),
        ] {
            assert_eq!(role(Some(&roles)).as_deref(), expected, "{roles}");
        }
    }
}
