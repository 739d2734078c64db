//! The set of threads that a call may touch.

use crate::protocol::User;

/// The set of threads that a call may touch: those of one agent of one worker, in one organization and workspace.
///
/// A scope belongs to an authenticated connection, or is created by the program itself with [`everyone`](Self::everyone) or
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
    /// The id of the deployed worker.
    pub worker_id: String,
    /// The id of the organization.
    pub organization_id: String,
    /// The id of the workspace.
    pub workspace_id: String,
    /// The threads of these that are visible.
    #[doc(hidden)]
    pub viewer: Viewer,
}

/// The threads of a scope that a call may touch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Viewer {
    /// All threads.
    Everyone,
    /// With private threads: only threads in which this participant has written.
    Only(Participant),
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Viewer {
    /// Returns the participant to whose threads the scope is limited. `None` if it shows all threads.
    pub(crate) fn participant(&self) -> Option<&Participant> {
        match self {
            Self::Everyone => None,
            Self::Only(participant) => Some(participant),
        }
    }
}

impl Scope {
    /// Returns the same scope for all viewers, for operations of the server itself.
    #[doc(hidden)]
    #[must_use]
    pub fn of_everyone(&self) -> Self {
        Self {
            viewer: Viewer::Everyone,
            ..self.clone()
        }
    }

    /// Returns `true` if a thread with these participants is visible.
    #[doc(hidden)]
    #[must_use]
    pub fn admits(&self, participants: &[Participant]) -> bool {
        match &self.viewer {
            Viewer::Everyone => true,
            Viewer::Only(viewer) => participants.contains(viewer),
        }
    }
}

/// A participant of a thread: a user, or an anonymous connection.
///
/// A user cannot choose an id that equals an anonymous connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Participant(String);

impl Participant {
    /// The participant for a user. If the user id is empty, all anonymous users share the participant.
    #[must_use]
    pub fn user(user: &User) -> Self {
        Self(format!("user:{}", user.user_id))
    }

    /// The participant for an anonymous connection.
    #[must_use]
    pub fn connection(connection_id: &str) -> Self {
        Self(format!("connection:{connection_id}"))
    }

    /// Returns the participant who sent a message of this user in a thread with these participants. An anonymous user of a
    /// private thread is the connection that created the thread.
    pub(crate) fn sender(user: &User, participants: &[Self]) -> Self {
        let is_connection = |participant: &&Self| participant.0.starts_with("connection:");
        let connection = || participants.iter().find(is_connection).cloned();
        let anonymous = user.user_id.is_empty().then(connection).flatten();
        anonymous.unwrap_or_else(|| Self::user(user))
    }

    /// Returns the id of the user. `None` for an anonymous user.
    pub(crate) fn user_id(&self) -> Option<&str> {
        let user_id = self.0.strip_prefix("user:")?;
        Some(user_id).filter(|id| !id.is_empty())
    }

    /// Returns the owner of the ids of this participant's messages. The ids of the program are apart from those of clients,
    /// also if both send for the same user.
    pub(crate) fn owner_of_ids(&self, is_of_program: bool) -> Self {
        if is_of_program {
            Self(format!("program:{}", self.0))
        } else {
            self.clone()
        }
    }

    /// Returns the possible owners of the id of a message of this user in a thread: the user itself, the program, and for
    /// an anonymous user each connection.
    #[cfg(feature = "sqlite")]
    pub(crate) fn owners_of_ids(user_id: Option<&str>, participants: &[Self]) -> Vec<Self> {
        let user_id = user_id.unwrap_or_default();
        let user = Self::user(&User::new(user_id));
        let mut senders = [false, true]
            .map(|is_of_program| user.owner_of_ids(is_of_program))
            .to_vec();
        if user_id.is_empty() {
            let is_connection = |participant: &&Self| participant.0.starts_with("connection:");
            senders.extend(participants.iter().filter(is_connection).cloned());
        }
        senders
    }

    /// Returns the form in which a store keeps the participant.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Creates the participant from its stored form.
    #[must_use]
    pub fn from_stored(stored: String) -> Self {
        Self(stored)
    }
}
