//! Users, as clients name and show them.

use super::is_visible;
use serde::{Deserialize, Deserializer, Serialize};

/// A user, as clients name and show them.
///
/// A user with an empty [`user_id`](User::user_id) is anonymous and does not own anything.
///
/// A user that is stored or connects has ids of at most [`MAX_CLIENT_ID_BYTES`](super::MAX_CLIENT_ID_BYTES), a name and
/// an email address of at most [`MAX_NAME_BYTES`](super::MAX_NAME_BYTES), roles of at most
/// [`MAX_ROLE_BYTES`](super::MAX_ROLE_BYTES), and at most [`MAX_IDENTITY_IDS`](super::MAX_IDENTITY_IDS).
///
/// ```
/// use dooers::protocol::User;
///
/// let user = User::new("ana").user_name("Ana").organization_role("owner");
/// assert_eq!(user.user_name.as_deref(), Some("Ana"));
/// assert_eq!(user.workspace_role, "member");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The id of the user in the client's own system.
    #[serde(default, deserialize_with = "null_as_default")]
    pub user_id: String,
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// Ids of the same user in other systems.
    #[serde(default, deserialize_with = "null_as_default")]
    pub identity_ids: Vec<String>,
    /// The role in the whole system. The default is `user`.
    #[serde(default = "user_role", deserialize_with = "null_as_user_role")]
    pub system_role: String,
    /// The role in the organization. The default is `member`.
    #[serde(default = "member_role", deserialize_with = "null_as_member_role")]
    pub organization_role: String,
    /// The role in the workspace. The default is `member`.
    #[serde(default = "member_role", deserialize_with = "null_as_member_role")]
    pub workspace_role: String,
}

impl User {
    /// Creates a user with this id and the default roles.
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

    /// Sets the name to show.
    #[must_use]
    pub fn user_name(mut self, name: impl Into<String>) -> Self {
        self.user_name = Some(name.into());
        self
    }

    /// Sets the email address.
    #[must_use]
    pub fn user_email(mut self, email: impl Into<String>) -> Self {
        self.user_email = Some(email.into());
        self
    }

    /// Sets the ids of the same user in other systems.
    #[must_use]
    pub fn identity_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.identity_ids = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the role in the whole system. The default is `user`.
    #[must_use]
    pub fn system_role(mut self, role: impl Into<String>) -> Self {
        self.system_role = role.into();
        self
    }

    /// Sets the role in the organization. The default is `member`.
    #[must_use]
    pub fn organization_role(mut self, role: impl Into<String>) -> Self {
        self.organization_role = role.into();
        self
    }

    /// Sets the role in the workspace. The default is `member`.
    #[must_use]
    pub fn workspace_role(mut self, role: impl Into<String>) -> Self {
        self.workspace_role = role.into();
        self
    }
}

impl User {
    /// The name that clients show beside messages of the user: the trimmed `user_name`, or else the trimmed
    /// `user_email`. Blank names count as missing.
    ///
    /// The name may be an email address, so it must not be sent to models. They get
    /// [`name_for_models`](Self::name_for_models).
    pub(crate) fn author(&self) -> Option<String> {
        let name = trimmed(self.user_name.as_deref());
        let author = name.or_else(|| trimmed(self.user_email.as_deref()));
        author.map(str::to_owned)
    }

    /// The name for models: the trimmed `user_name`, unless it is blank or contains an email address.
    pub(crate) fn name_for_models(&self) -> Option<&str> {
        trimmed(self.user_name.as_deref()).filter(|name| !has_mail_address(name))
    }
}

/// The trimmed text. `None` if it has no visible character.
fn trimmed(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| is_visible(text))
}

/// Returns true if a word of the text has an `@` between other characters.
pub(crate) fn has_mail_address(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let word = word.trim_start_matches('@');
        let (before, behind) = word.split_once('@').unwrap_or_default();
        !before.is_empty() && !behind.is_empty()
    })
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

/// Deserializes a `null` member as if it were missing.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: Option<&str>, email: Option<&str>) -> User {
        User {
            user_name: name.map(str::to_owned),
            user_email: email.map(str::to_owned),
            ..User::new("u")
        }
    }

    #[test]
    fn author_is_the_name_or_else_the_email_address() {
        let cases = [
            (Some("Ada"), Some("ada@example.org"), Some("Ada")),
            (Some(" Ada\u{a0}"), None, Some("Ada")),
            (None, Some(" ada@example.org\n"), Some("ada@example.org")),
            (
                Some(" \t"),
                Some("ada@example.org"),
                Some("ada@example.org"),
            ),
            (
                Some("\u{200b}"),
                Some("ada@example.org"),
                Some("ada@example.org"),
            ),
            (Some(""), Some(""), None),
            (None, Some("\u{2003}"), None),
            (None, None, None),
        ];
        for (name, email, author) in cases {
            assert_eq!(
                user(name, email).author().as_deref(),
                author,
                "{name:?} {email:?}"
            );
        }
    }

    #[test]
    fn name_for_models_is_never_an_email_address() {
        let cases = [
            (" Ada Lovelace ", Some("Ada Lovelace")),
            ("@ada", Some("@ada")),
            ("Ada @ Acme", Some("Ada @ Acme")),
            ("ada@example.org", None),
            ("@ada@example.org", None),
            ("Ada <ada@example.org>", None),
            (" ", None),
        ];
        for (name, expected) in cases {
            let user = user(Some(name), Some("ada@example.org"));
            assert_eq!(user.name_for_models(), expected, "{name:?}");
        }
        assert_eq!(user(None, Some("ada@example.org")).name_for_models(), None);
    }
}
