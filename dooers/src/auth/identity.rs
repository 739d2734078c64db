//! The identity of a client.

use super::{AllowedWorkers, IdentityLimits, organization_role};
use crate::protocol::{NotAdmitted, User, admit_json, check_id, check_metadata, is_visible};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The identity of a client, as an [`Authenticator`](super::Authenticator) returns it. Handlers read it with
/// [`WorkerRequest::identity`](crate::WorkerRequest::identity).
///
/// ```
/// use dooers::auth::{AllowedWorkers, Identity};
///
/// let identity = Identity::new("ana")
///     .organization("acme")
///     .organization_role("owner")
///     .workers(AllowedWorkers::only(["support"]));
/// assert_eq!(identity.user.user_id, "ana");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Identity {
    /// The user: id, name, email address and roles. A user with an empty id is anonymous. An id without a visible
    /// character, here and in the members below, is refused.
    pub user: User,
    /// The organization of the user, or `""`. Threads of different organizations are separate.
    pub organization_id: String,
    /// The workspace of the user, or `""`. Threads of different workspaces are separate.
    pub workspace_id: String,
    /// The workers that the client may use. Every worker by default.
    pub workers: AllowedWorkers,
    /// The rights that the client has for each of these workers.
    pub rights: Rights,
    /// The quotas of the user that differ from those of the server.
    #[serde(skip_serializing_if = "IdentityLimits::is_empty")]
    pub limits: IdentityLimits,
    /// The time at which the identity expires. `None` if it does not.
    ///
    /// A connection is notified 60 s before and may send another `connect`. Otherwise it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Data of the authenticator for handlers, such as the claims of a token. Clients do not see it. It is stored with each
    /// message until the message is answered, so that a turn that another process continues has it, too.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Value>,
}

/// The rights of a client beyond conversations, for each worker that it may use.
///
/// An owner or manager of the organization has all three for the workers that its identity names. An identity for
/// [every worker](AllowedWorkers::Every) names none, because organizations share workers then. Other members may change
/// settings of the audience `user` for the workers that their identity names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Rights {
    /// The right to change settings of the audience `user`.
    pub settings: bool,
    /// The right to read and change settings of the audience `creator`.
    pub creator_settings: bool,
    /// The right to subscribe to analytics events.
    pub analytics: bool,
}

impl Default for Identity {
    /// Creates the identity of an anonymous user.
    fn default() -> Self {
        Self::new("")
    }
}

impl Identity {
    /// Creates the identity of this user, without an organization and without rights. It may use every worker.
    pub fn new(user: impl Into<User>) -> Self {
        Self {
            user: user.into(),
            organization_id: String::new(),
            workspace_id: String::new(),
            workers: AllowedWorkers::default(),
            rights: Rights::default(),
            limits: IdentityLimits::default(),
            expires_at: None,
            claims: Map::new(),
        }
    }

    /// Sets the organization.
    #[must_use]
    pub fn organization(mut self, organization_id: impl Into<String>) -> Self {
        self.organization_id = organization_id.into();
        self
    }

    /// Sets the workspace.
    #[must_use]
    pub fn workspace(mut self, workspace_id: impl Into<String>) -> Self {
        self.workspace_id = workspace_id.into();
        self
    }

    /// Sets the role in the organization: `owner`, `manager` or `member`. Other roles are kept for handlers and give no rights.
    #[must_use]
    pub fn organization_role(mut self, role: impl Into<String>) -> Self {
        self.user.organization_role = role.into();
        self
    }

    /// Sets the workers that the client may use.
    #[must_use]
    pub fn workers(mut self, workers: AllowedWorkers) -> Self {
        self.workers = workers;
        self
    }

    /// Sets rights.
    ///
    /// ```
    /// use dooers::auth::Identity;
    ///
    /// let auditor = Identity::new("eve").rights(|rights| rights.analytics = true);
    /// ```
    #[must_use]
    pub fn rights(mut self, change: impl FnOnce(&mut Rights)) -> Self {
        change(&mut self.rights);
        self
    }

    /// Sets quotas of the user that differ from those of the server.
    ///
    /// ```
    /// use dooers::Quota;
    /// use dooers::auth::Identity;
    ///
    /// let customer = Identity::new("ana").limits(|limits| {
    ///     limits.messages_per_minute = Some(Quota::at_most(600));
    ///     limits.threads_per_day = Some(Quota::Off);
    /// });
    /// ```
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut IdentityLimits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Sets the time at which the identity expires.
    #[must_use]
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Adds a claim for handlers.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Returns true if the user is an owner or manager of the organization.
    pub(super) fn manages_organization(&self) -> bool {
        organization_role::manages(&self.user.organization_role)
    }

    /// Checks the identity that an authenticator returned: its ids must be visible, and everything that is stored must keep
    /// the rules of [`admit`](Self::admit).
    ///
    /// A blank id is a mistake of the issuer. Without this check, all users with a blank id would be the same user, or share
    /// an organization.
    pub(crate) fn admit_proven(&mut self) -> Result<(), NotAdmitted> {
        for (member, id) in [
            ("user.user_id", &self.user.user_id),
            ("organization_id", &self.organization_id),
            ("workspace_id", &self.workspace_id),
        ] {
            if !id.is_empty() && !is_visible(id) {
                let problem = "has no visible character; write an id, or leave it out";
                return Err(NotAdmitted::new(member, problem));
            }
        }
        if let AllowedWorkers::Only(ids) = &self.workers
            && !ids.iter().all(|id| is_visible(id))
        {
            let problem = "has an id without a visible character; remove it";
            return Err(NotAdmitted::new("workers", problem));
        }
        self.admit()
    }

    /// Checks the rules for texts and JSON that are stored.
    pub(crate) fn admit(&mut self) -> Result<(), NotAdmitted> {
        check_id("organization_id", &self.organization_id)?;
        check_id("workspace_id", &self.workspace_id)?;
        self.user.admit()?;
        let mut claims = Value::Object(std::mem::take(&mut self.claims));
        // The nesting is checked first, because a value that is nested too deeply cannot be measured.
        admit_json("claims", &mut claims)?;
        check_metadata("claims", Some(&claims))?;
        if let Value::Object(claims) = claims {
            self.claims = claims;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::MAX_METADATA_BYTES;
    use serde_json::json;

    #[test]
    fn json_has_defaults_for_missing_members() {
        let read = |json: Value| serde_json::from_value::<Identity>(json).unwrap();
        assert_eq!(read(json!({})), Identity::new(""));
        let identity = Identity::new("ana")
            .organization("acme")
            .workspace("north")
            .organization_role("owner")
            .workers(AllowedWorkers::only(["w"]))
            .rights(|rights| rights.analytics = true)
            .limits(|limits| limits.message_burst = Some(5))
            .expires_at("2030-01-01T00:00:00Z".parse().unwrap())
            .claim("plan", "gold");
        assert_eq!(read(serde_json::to_value(&identity).unwrap()), identity);
        let short = json!({"user": {"user_id": "ana"}, "rights": {"analytics": true}});
        let expected = Identity::new("ana").rights(|rights| rights.analytics = true);
        assert_eq!(read(short), expected);
    }

    #[test]
    fn blank_id_of_an_authenticator_is_refused() {
        let refused = |mut identity: Identity| identity.admit_proven().err().map(|no| no.member);
        let ana = || Identity::new("ana");
        for blank in [" ", "\t\n", "\u{200b}", "\u{feff} "] {
            for (identity, member) in [
                (Identity::new(blank), "user.user_id"),
                (ana().organization(blank), "organization_id"),
                (ana().workspace(blank), "workspace_id"),
                (ana().workers(AllowedWorkers::only(["w", blank])), "workers"),
            ] {
                assert_eq!(refused(identity), Some(member), "{blank:?}");
            }
        }
        assert_eq!(
            refused(ana().workers(AllowedWorkers::only([""]))),
            Some("workers")
        );
        // A guest is anonymous, and the texts around an id are part of it.
        for accepted in [
            Identity::new(""),
            Identity::new(" a "),
            ana().workers(AllowedWorkers::only([""; 0])),
        ] {
            assert_eq!(refused(accepted), None);
        }
        assert_eq!(refused(Identity::new("a\0")), Some("user.user_id"));
    }

    #[test]
    fn identity_beyond_the_limits_is_refused() {
        let refused = |mut identity: Identity| identity.admit().unwrap_err().member;
        assert_eq!(refused(Identity::new("a\0")), "user.user_id");
        assert_eq!(
            refused(Identity::new("a").organization("o".repeat(129))),
            "organization_id"
        );
        assert_eq!(refused(Identity::new("a").workspace("\0")), "workspace_id");
        let large = "x".repeat(MAX_METADATA_BYTES);
        assert_eq!(refused(Identity::new("a").claim("c", large)), "claims");
    }
}
