//! What an agent is, and which ones the program has.

use crate::AgentError;
use crate::policy::{OnBusy, TurnPolicy};
use crate::reply::Answer;
use crate::requirements::Requirements;
use crate::turn::Turn;
use futures::future::BoxFuture;
use std::fmt;
use std::time::Duration;

/// A handler at work: it ends with what it returned.
pub type AgentFuture = BoxFuture<'static, Result<Answer, AgentError>>;

/// An agent: one async function that answers messages.
///
/// [`#[dooers::agent]`](macro@crate::agent) implements it for a type of the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an agent",
    label = "not created by `#[dooers::agent]`",
    note = "annotate an async function with `#[dooers::agent]` and use the name of that function here"
)]
pub trait Agent: 'static {
    /// Its name, its description and how to call it.
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
}

impl AgentDefinition {
    /// An agent of this name and description, answered by this function.
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
        }
    }

    /// The same agent, served at `/ws` where there are several.
    #[must_use]
    pub const fn as_default(mut self) -> Self {
        self.is_default = true;
        self
    }

    /// The same agent, which starts and ends its runs itself.
    #[must_use]
    pub const fn with_manual_runs(mut self) -> Self {
        self.has_manual_runs = true;
        self
    }

    /// The same agent, each attempt of which may take so long.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = Some(timeout);
        self
    }

    /// The same agent, whose turns are tried so many times more.
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Self {
        self.policy.retries = retries;
        self
    }

    /// The same agent, which does this with a message that comes while its thread is being answered.
    #[must_use]
    pub const fn when_busy(mut self, on_busy: OnBusy) -> Self {
        self.policy.on_busy = on_busy;
        self
    }

    /// The same agent, whose arguments need what this function says.
    #[must_use]
    pub const fn requiring(mut self, requires: fn(&mut Requirements)) -> Self {
        self.requires = requires;
        self
    }

    /// The name, unique among the agents that a server serves.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the function's doc comment says.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// Whether `/ws` leads to it.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.is_default
    }

    /// Whether the handler starts and ends its runs itself.
    #[must_use]
    pub const fn has_manual_runs(&self) -> bool {
        self.has_manual_runs
    }

    /// How its turns are run.
    #[must_use]
    pub const fn policy(&self) -> TurnPolicy {
        self.policy
    }

    /// What the arguments need of the program.
    #[must_use]
    pub fn requirements(&self) -> Requirements {
        let mut requirements = Requirements::default();
        (self.requires)(&mut requirements);
        requirements
    }

    /// Answers one message.
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

/// An agent that its annotation made known.
#[derive(Debug)]
pub struct Registered(AgentDefinition);

impl Registered {
    /// The entry of this agent.
    #[must_use]
    pub const fn of<A: Agent>() -> Self {
        Self(A::DEFINITION)
    }
}

inventory::collect!(Registered);

/// Every annotated agent that is linked into the program, by name.
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
    fn an_annotated_function_is_found() {
        let is_quiet = |agent: &AgentDefinition| agent.name() == quiet::DEFINITION.name();
        let found = annotated().into_iter().find(is_quiet).unwrap();
        assert_eq!(found.description(), "Answers nothing.");
    }
}
