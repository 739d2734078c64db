//! Who is at the other end of a connection.

use serde::{Deserialize, Deserializer, Serialize};

/// A person, as clients name and show them.
///
/// An empty [`user_id`](User::user_id) is nobody: such a user owns nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id under which the client's own system knows this person.
    #[serde(default, deserialize_with = "null_as_default")]
    pub user_id: String,
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// Ids of the same person in other systems.
    #[serde(default, deserialize_with = "null_as_default")]
    pub identity_ids: Vec<String>,
    /// Role in the whole system, `user` unless told.
    #[serde(default = "user_role", deserialize_with = "null_as_user_role")]
    pub system_role: String,
    /// Role in the organization, `member` unless told.
    #[serde(default = "member_role", deserialize_with = "null_as_member_role")]
    pub organization_role: String,
    /// Role in the workspace, `member` unless told.
    #[serde(default = "member_role", deserialize_with = "null_as_member_role")]
    pub workspace_role: String,
}

impl User {
    /// The user of this id, with the default roles and nothing else known.
    pub fn new(user_id: impl Into<String>) -> Self {
        Self {
            user_id: user_id.into(),
            user_name: None,
            user_email: None,
            identity_ids: Vec::new(),
            system_role: user_role(),
            organization_role: member_role(),
            workspace_role: member_role(),
        }
    }
}

impl From<&str> for User {
    fn from(user_id: &str) -> Self {
        Self::new(user_id)
    }
}

impl From<String> for User {
    fn from(user_id: String) -> Self {
        Self::new(user_id)
    }
}

fn user_role() -> String {
    "user".to_owned()
}

fn member_role() -> String {
    "member".to_owned()
}

/// A `null` member means the same as an absent one.
pub(crate) fn null_as_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

fn null_as_user_role<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_else(user_role))
}

fn null_as_member_role<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_else(member_role))
}
