//! `connect`, in the three forms that clients of different versions send.

use super::{AuthToken, ErrorBody, User};
use serde::Deserialize;

/// The payload of `connect`, in any of its three forms.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ConnectPayload {
    #[serde(default)]
    worker_id: Option<String>,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    organization_id: Option<String>,
    #[serde(default)]
    workspace_id: Option<String>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    metadata: Option<ConnectMetadata>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    user_email: Option<String>,
    #[serde(default)]
    capabilities: Option<Vec<String>>,
    #[serde(default)]
    auth_token: Option<AuthToken>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct ConnectMetadata {
    #[serde(default)]
    organization_id: Option<String>,
    #[serde(default)]
    workspace_id: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    user_email: Option<String>,
    #[serde(default)]
    user_role: Option<String>,
}

impl ConnectPayload {
    /// The id of the worker, from either of its two members.
    ///
    /// # Errors
    ///
    /// `INVALID_PAYLOAD` if the id is missing.
    pub(crate) fn worker_id(&self) -> Result<&str, ErrorBody> {
        self.agent_id
            .as_deref()
            .or(self.worker_id.as_deref())
            .filter(|id| !id.is_empty())
            .ok_or_else(|| {
                ErrorBody::invalid_payload(
                    "`payload.worker_id` (or `payload.agent_id`) is missing: name the worker to talk to",
                )
            })
    }

    /// Returns true if the client keeps its list of events when it resumes. This is the case for clients that send
    /// `agent_id`.
    #[must_use]
    pub(crate) fn keeps_its_events(&self) -> bool {
        self.agent_id.is_some()
    }

    /// Returns true if the client accepts pieces of streamed texts.
    #[must_use]
    pub(crate) fn takes_deltas(&self) -> bool {
        let announced = self.capabilities.as_deref().unwrap_or_default();
        announced
            .iter()
            .any(|capability| capability == "event.delta")
    }

    /// The token that the client sends as proof of its identity. An empty one counts as missing.
    pub(crate) fn auth_token(&self) -> Option<&AuthToken> {
        self.auth_token
            .as_ref()
            .filter(|token| !token.as_str().is_empty())
    }

    /// The organization that the client names, or `""`.
    #[must_use]
    pub(crate) fn organization_id(&self) -> &str {
        self.flat_or_nested(&self.organization_id, |nested| &nested.organization_id)
    }

    /// The workspace that the client names, or `""`.
    #[must_use]
    pub(crate) fn workspace_id(&self) -> &str {
        self.flat_or_nested(&self.workspace_id, |nested| &nested.workspace_id)
    }

    /// The user that the client names. The empty id is an anonymous user.
    #[must_use]
    pub(crate) fn user(&self) -> User {
        if let Some(user) = &self.user {
            return user.clone();
        }
        let nested = self.metadata.clone().unwrap_or_default();
        let mut user = User::new(self.user_id.clone().or(nested.user_id).unwrap_or_default());
        user.user_name = self.user_name.clone().or(nested.user_name);
        user.user_email = self.user_email.clone().or(nested.user_email);
        if let Some(role) = nested.user_role {
            user.organization_role = role;
        }
        user
    }

    /// The path of a member of a scope or a user in the client's payload. `member` is its name in the rules of
    /// [`admission`](super::admission).
    #[must_use]
    pub(crate) fn place_of(&self, member: &str) -> String {
        let is_whole_user = self.user.is_some();
        let name = match member.strip_prefix("user.") {
            Some(_) if is_whole_user => return format!("payload.{member}"),
            // The nested shape has a single role.
            Some("organization_role") => "user_role",
            Some(name) => name,
            None => member,
        };
        let is_flat = match name {
            "worker_id" if self.agent_id.is_some() => return "payload.agent_id".to_owned(),
            "organization_id" => self.organization_id.is_some(),
            "workspace_id" => self.workspace_id.is_some(),
            "user_id" => self.user_id.is_some(),
            "user_name" => self.user_name.is_some(),
            "user_email" => self.user_email.is_some(),
            "user_role" => false,
            _ => true,
        };
        if is_flat {
            format!("payload.{name}")
        } else {
            format!("payload.metadata.{name}")
        }
    }

    fn flat_or_nested<'a>(
        &'a self,
        flat: &'a Option<String>,
        nested: impl Fn(&'a ConnectMetadata) -> &'a Option<String>,
    ) -> &'a str {
        let nested = self.metadata.as_ref().map(nested);
        flat.as_deref()
            .or(nested.and_then(Option::as_deref))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(payload: &str) -> ConnectPayload {
        serde_json::from_str(payload).unwrap()
    }

    #[test]
    fn three_forms_of_connect_have_the_same_meaning() {
        let shapes = [
            r#"{"agent_id":"w","organization_id":"o","workspace_id":"s","user":{"user_id":"u","user_name":"U","identity_ids":null}}"#,
            r#"{"worker_id":"w","metadata":{"organization_id":"o","workspace_id":"s","user_id":"u","user_name":"U"}}"#,
            r#"{"worker_id":"w","organization_id":"o","workspace_id":"s","user_id":"u","user_name":"U","user_email":null}"#,
        ];
        for shape in shapes {
            let payload = connect(shape);
            assert_eq!(payload.worker_id().unwrap(), "w", "{shape}");
            assert_eq!(payload.organization_id(), "o", "{shape}");
            assert_eq!(payload.workspace_id(), "s", "{shape}");
            let mut user = User::new("u");
            user.user_name = Some("U".to_owned());
            assert_eq!(payload.user(), user, "{shape}");
        }
        assert!(connect(shapes[0]).keeps_its_events());
        assert!(!connect(shapes[1]).keeps_its_events());
    }

    #[test]
    fn place_of_a_member_is_where_the_client_sent_it() {
        let shapes = [
            (
                r#"{"agent_id":"w","organization_id":"o","user":{}}"#,
                [
                    "payload.agent_id",
                    "payload.organization_id",
                    "payload.user.user_id",
                    "payload.user.user_name",
                    "payload.user.organization_role",
                ],
            ),
            (
                r#"{"worker_id":"w","metadata":{"organization_id":"o","user_id":"u","user_name":"U","user_role":"r"}}"#,
                [
                    "payload.worker_id",
                    "payload.metadata.organization_id",
                    "payload.metadata.user_id",
                    "payload.metadata.user_name",
                    "payload.metadata.user_role",
                ],
            ),
            (
                r#"{"worker_id":"w","organization_id":"o","user_id":"u","user_name":"U","metadata":{"user_name":"V","user_role":"r"}}"#,
                [
                    "payload.worker_id",
                    "payload.organization_id",
                    "payload.user_id",
                    "payload.user_name",
                    "payload.metadata.user_role",
                ],
            ),
        ];
        let members = [
            "worker_id",
            "organization_id",
            "user.user_id",
            "user.user_name",
            "user.organization_role",
        ];
        for (shape, places) in shapes {
            let payload = connect(shape);
            assert_eq!(
                members.map(|member| payload.place_of(member)),
                places,
                "{shape}"
            );
        }
    }

    #[test]
    fn deltas_require_the_capability() {
        assert!(connect(r#"{"capabilities":["more","event.delta"]}"#).takes_deltas());
        for payload in [
            "{}",
            r#"{"capabilities":null}"#,
            r#"{"capabilities":["event"]}"#,
        ] {
            assert!(!connect(payload).takes_deltas(), "{payload}");
        }
    }

    #[test]
    fn connect_without_a_worker_is_refused() {
        assert!(connect("{}").worker_id().is_err());
        assert!(connect(r#"{"worker_id":""}"#).worker_id().is_err());
    }
}
