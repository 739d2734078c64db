//! A set of tools.

use super::{DynamicTool, Tool};
use crate::Turn;
use crate::handler::Requirements;

/// A set of tools. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    tools: Vec<DynamicTool>,
    /// The turn to which the set is bound.
    turn: Option<Turn>,
}

impl Tools {
    /// Creates an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an annotated tool.
    #[must_use]
    pub fn with<T: Tool>(self) -> Self {
        self.with_tool(T::definition())
    }

    /// Adds a tool that was made at run time.
    #[must_use]
    pub fn with_tool(mut self, tool: DynamicTool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Binds the set to a turn, so that its tools can be called.
    #[must_use]
    pub fn for_turn(mut self, turn: &Turn) -> Self {
        self.turn = Some(turn.clone());
        self
    }

    /// The names of the tools, in the order in which they were added.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.tools.iter().map(DynamicTool::name).collect()
    }

    /// Adds the requirements of the tools.
    pub(super) fn requires(&self, requirements: &mut Requirements) {
        self.tools
            .iter()
            .for_each(|tool| tool.requires(requirements));
    }
}
