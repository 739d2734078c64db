//! Whose threads a call may touch.

use crate::protocol::User;

/// Whose threads a call may touch: those of one agent of one worker, in one organization and workspace.
///
/// It is made from an authenticated connection, or by the program itself, with [`everyone`](Self::everyone) or
/// [`user`](Self::user).
///
/// ```
/// use dooers::repository::Scope;
///
/// let scope = Scope::new("support", "w1").organization("o1").workspace("s1");
/// assert_eq!(scope.organization_id, "o1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Scope {
    /// The agent's name.
    pub agent: String,
    /// The deployed worker.
    pub worker_id: String,
    /// The organization.
    pub organization_id: String,
    /// The workspace.
    pub workspace_id: String,
    /// Which of these threads.
    #[doc(hidden)]
    pub viewer: Viewer,
}

/// Which threads of a scope a call may touch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Viewer {
    /// All of them.
    Everyone,
    /// With private threads on: those in which this participant has written.
    Only(Participant),
}

impl Scope {
    /// The same scope without regard to who takes part in a thread: for what the server itself does.
    #[doc(hidden)]
    #[must_use]
    pub fn of_everyone(&self) -> Self {
        Self {
            viewer: Viewer::Everyone,
            ..self.clone()
        }
    }

    /// Whether these participants' thread may be seen.
    #[doc(hidden)]
    #[must_use]
    pub fn admits(&self, participants: &[Participant]) -> bool {
        match &self.viewer {
            Viewer::Everyone => true,
            Viewer::Only(viewer) => participants.contains(viewer),
        }
    }
}

/// Who takes part in a thread: a user, or a connection on which nobody said who they are.
///
/// The two can never be confused, whatever id a user takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Participant(String);

impl Participant {
    /// The user of this id; nobody, if it is empty.
    #[must_use]
    pub fn user(user: &User) -> Self {
        Self(format!("user:{}", user.user_id))
    }

    /// A connection of nobody.
    #[must_use]
    pub fn connection(connection_id: &str) -> Self {
        Self(format!("connection:{connection_id}"))
    }

    /// Those who may have sent a message of a user with this id, in a thread of these participants: the user, or for an
    /// anonymous one each connection.
    #[cfg(feature = "sqlite")]
    pub(crate) fn senders(user_id: Option<&str>, participants: &[Self]) -> Vec<Self> {
        let user_id = user_id.unwrap_or_default();
        let mut senders = vec![Self::user(&User::new(user_id))];
        if user_id.is_empty() {
            let is_connection = |participant: &&Self| participant.0.starts_with("connection:");
            senders.extend(participants.iter().filter(is_connection).cloned());
        }
        senders
    }

    /// The form in which a store keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The participant that a store kept in this form.
    #[must_use]
    pub fn from_stored(stored: String) -> Self {
        Self(stored)
    }
}
