//! The tools of an agent.

use super::Tools;
use crate::handler::{AgentPart, Requirements};
use crate::{AgentDefinition, AgentError, FromTurn, Turn};
use std::sync::Arc;

/// The tools of the agent that answers a turn.
#[derive(Debug, Clone)]
struct AgentTools(Tools);

impl AgentPart for AgentTools {
    fn prepare(&self, turn: Turn) -> Turn {
        turn.with_state(self.clone())
    }

    fn mistake(&self) -> Option<String> {
        self.0.mistake()
    }

    fn requires(&self, requirements: &mut Requirements) {
        self.0.requires(requirements);
    }
}

/// The tools of an annotated agent. Generated code calls it as
/// `AgentDefinition::new(..).with_annotated_part(|| part(Tools::new().with::<weather>()))`, once for each server.
#[must_use]
pub fn part(tools: Tools) -> Arc<dyn AgentPart> {
    Arc::new(AgentTools(tools))
}

impl AgentDefinition {
    /// Sets the tools of the agent, which its handler takes as an argument of the type [`Tools`].
    ///
    /// The option `tools(..)` of [`#[dooers::agent]`](macro@crate::agent) does the same at compile time.
    #[must_use]
    pub fn with_tools(mut self, tools: Tools) -> Self {
        self.set_part(part(tools));
        self
    }
}

const NO_TOOLS: &str = "it takes `Tools`, but it has no tools: list them with `#[dooers::agent(tools(..))]` or \
                        `AgentDefinition::with_tools`";

/// The tools of the agent, bound to the turn.
// The compiler lists at most eight types when it explains what a handler can take.
#[diagnostic::do_not_recommend]
impl FromTurn for Tools {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        let AgentTools(tools) = turn.state().ok_or("the agent of this turn has no tools")?;
        Ok(tools.for_turn(turn))
    }

    fn requires(requirements: &mut Requirements) {
        requirements.part(NO_TOOLS);
    }
}
