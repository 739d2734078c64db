//! The trait `Agent`, and the registry of annotated agents.

use super::Turn;
use super::TurnPolicy;
use super::reply::Answer;
use super::requirements::Requirements;
use crate::AgentError;
use crate::store::OnBusy;
use futures::future::BoxFuture;
use std::any::{TypeId, type_name};
use std::fmt;
use std::time::Duration;

/// The future of a handler. It resolves to the handler's return value.
pub type AgentFuture = BoxFuture<'static, Result<Answer, AgentError>>;

/// An agent: one async function that answers messages.
///
/// [`#[dooers::agent]`](macro@crate::agent) implements it for a type with the name of the function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an agent",
    label = "not created by `#[dooers::agent]`",
    note = "annotate an async function with `#[dooers::agent]` and use the name of that function here"
)]
pub trait Agent: 'static {
    /// The name, the description and the handler of the agent.
    const DEFINITION: AgentDefinition;
}

/// The name, the description and the handler of an agent.
#[derive(Clone, Copy)]
pub struct AgentDefinition {
    name: &'static str,
    description: &'static str,
    is_default: bool,
    has_manual_runs: bool,
    policy: TurnPolicy,
    call: fn(Turn) -> AgentFuture,
    requires: fn(&mut Requirements),
    of: fn() -> AgentType,
}

/// The type that implements [`Agent`], and its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgentType {
    id: TypeId,
    path: &'static str,
}

impl AgentType {
    fn of<A: 'static>() -> Self {
        Self {
            id: TypeId::of::<A>(),
            path: type_name::<A>(),
        }
    }

    /// The module that contains the agent.
    pub(crate) fn module(self) -> &'static str {
        self.path.rsplit_once("::").map_or("", |(module, _)| module)
    }
}

// Generated code creates definitions, and the server calls them: these methods are hidden.
impl AgentDefinition {
    /// Creates an agent with this name, description and handler.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        description: &'static str,
        call: fn(Turn) -> AgentFuture,
    ) -> Self {
        Self {
            name,
            description,
            is_default: false,
            has_manual_runs: false,
            policy: TurnPolicy::DEFAULT,
            call,
            requires: |_| {},
            of: AgentType::of::<()>,
        }
    }

    /// The definition of this agent, with its type.
    pub(crate) const fn of<A: Agent>() -> Self {
        let mut definition = A::DEFINITION;
        definition.of = AgentType::of::<A>;
        definition
    }

    /// The type of the agent.
    pub(crate) fn agent_type(&self) -> AgentType {
        (self.of)()
    }

    /// Makes the agent the default: if a server has several agents, it serves this one at `/ws`.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_default(mut self) -> Self {
        self.is_default = true;
        self
    }

    /// Lets the handler start and end its runs itself.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_manual_runs(mut self) -> Self {
        self.has_manual_runs = true;
        self
    }

    /// Sets the maximum duration of each attempt.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = Some(timeout);
        self
    }

    /// Sets how often a failed turn is retried.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Self {
        self.policy.retries = retries;
        self
    }

    /// Sets how messages are treated that arrive while another turn of their thread is running.
    #[doc(hidden)]
    #[must_use]
    pub const fn when_busy(mut self, on_busy: OnBusy) -> Self {
        self.policy.on_busy = on_busy;
        self
    }

    /// Sets the function that adds the requirements of the agent's arguments.
    #[doc(hidden)]
    #[must_use]
    pub const fn requiring(mut self, requires: fn(&mut Requirements)) -> Self {
        self.requires = requires;
        self
    }

    /// The name, which is unique among the agents of a server.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The description, from the doc comment of the function.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// Returns true if the agent is the default, which is served at `/ws`.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.is_default
    }

    /// Returns true if the handler starts and ends its runs itself.
    #[must_use]
    pub const fn has_manual_runs(&self) -> bool {
        self.has_manual_runs
    }

    /// The policy for the turns of the agent.
    #[must_use]
    pub const fn policy(&self) -> TurnPolicy {
        self.policy
    }

    /// The requirements of the agent's arguments.
    #[must_use]
    pub fn requirements(&self) -> Requirements {
        let mut requirements = Requirements::default();
        (self.requires)(&mut requirements);
        requirements
    }

    /// Calls the handler with one turn.
    #[doc(hidden)]
    #[must_use]
    pub fn call(&self, turn: Turn) -> AgentFuture {
        (self.call)(turn)
    }
}

impl fmt::Debug for AgentDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentDefinition")
            .field("name", &self.name)
            .field("description", &self.description)
            .field("is_default", &self.is_default)
            .field("has_manual_runs", &self.has_manual_runs)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// An entry in the registry of annotated agents.
#[derive(Debug)]
pub struct Registered(AgentDefinition);

impl Registered {
    /// Creates the entry of this agent.
    #[must_use]
    pub const fn of<A: Agent>() -> Self {
        Self(AgentDefinition::of::<A>())
    }
}

inventory::collect!(Registered);

/// All annotated agents that are linked into the program, ordered by name.
pub(crate) fn annotated() -> Vec<AgentDefinition> {
    let mut agents: Vec<_> = inventory::iter::<Registered>
        .into_iter()
        .map(|registered| registered.0)
        .collect();
    agents.sort_by_key(|agent| agent.name);
    agents
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers nothing.
    #[crate::agent(name = "of-the-unit-test", crate = crate)]
    async fn quiet() {}

    #[test]
    fn annotated_function_is_registered() {
        let is_quiet = |agent: &AgentDefinition| agent.name() == quiet::DEFINITION.name();
        let found = annotated().into_iter().find(is_quiet).unwrap();
        assert_eq!(found.description(), "Answers nothing.");
    }
}
