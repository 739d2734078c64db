//! Constructors of scopes for programs.

use crate::handler::{Agent, AgentDefinition};
use crate::protocol::User;
use crate::store::{Participant, Scope, Viewer};

impl Scope {
    /// All threads of the agent with this name and of this worker, in the organization and the workspace without a name.
    ///
    /// [`everyone`](Self::everyone) takes the agent's type instead of its name.
    #[must_use]
    pub fn new(agent: impl Into<String>, worker_id: impl Into<String>) -> Self {
        Self {
            agent: agent.into(),
            worker_id: worker_id.into(),
            organization_id: String::new(),
            workspace_id: String::new(),
            viewer: Viewer::Everyone,
        }
    }

    /// The threads of all users of an agent and a worker, in the organization and the workspace without a name.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use dooers::repository::Scope;
    ///
    /// #[dooers::agent]
    /// async fn support() {}
    ///
    /// let everyones = Scope::everyone::<support>("w1").organization("o1").workspace("s1");
    /// let anas = Scope::user::<support>("w1", "ana").organization("o1").workspace("s1");
    /// assert_ne!(everyones, anas);
    /// ```
    #[must_use]
    pub fn everyone<A: Agent>(worker_id: impl Into<String>) -> Self {
        Self::of(&A::DEFINITION, worker_id.into(), Viewer::Everyone)
    }

    /// The threads of an agent and a worker in which this user participates: users who created a thread or have written
    /// in it.
    #[must_use]
    pub fn user<A: Agent>(worker_id: impl Into<String>, user_id: impl Into<String>) -> Self {
        let user = Participant::user(&User::new(user_id));
        Self::of(&A::DEFINITION, worker_id.into(), Viewer::Only(user))
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

    /// Restricts the scope to threads in which this user participates, like [`user`](Self::user).
    ///
    /// ```
    /// use dooers::repository::Scope;
    ///
    /// let anas = Scope::new("support", "w1").organization("o1").only_user("ana");
    /// assert_ne!(anas, Scope::new("support", "w1").organization("o1"));
    /// ```
    #[must_use]
    pub fn only_user(self, user_id: impl Into<String>) -> Self {
        Self {
            viewer: Viewer::Only(Participant::user(&User::new(user_id))),
            ..self
        }
    }

    pub(in crate::server) fn of(
        agent: &AgentDefinition,
        worker_id: String,
        viewer: Viewer,
    ) -> Self {
        Self {
            viewer,
            ..Self::new(agent.name(), worker_id)
        }
    }
}
