//! The attribute macro, made of the steps that it shares with other macros for functions.

use super::expand::{agent_impl, refused_impl};
use super::model::{AGENT_OPTIONS, AgentModel, check_agent};
use crate::diagnostic::Diagnostics;
use crate::function::{Function, FunctionMacro, Role, TypeOptions, expand};
use crate::options::OptionTable;
use proc_macro2::TokenStream;
use syn::{Ident, Path};

/// The words for agents.
pub(super) const AGENT: Role = Role {
    name: "agent",
    with_article: "an agent",
    macro_name: "#[dooers::agent]",
    purpose: "answers messages",
    start: "a message arrives",
    caller: "the server calls an agent for each message",
    unit: "turn",
    instead_of_str: "take a `WorkerRequest`, whose field `message` is the text",
    type_suffix: "Agent",
    taken_by: "WorkerServer::agent",
};

/// Expands to the annotated item, the implementation of `Agent` and the errors.
pub(crate) fn expand_agent(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::<AgentModel>(options, item)
}

impl FunctionMacro for AgentModel {
    const ROLE: &'static Role = &AGENT;
    const OPTIONS: &'static OptionTable = &AGENT_OPTIONS;

    fn check(function: &Function, options: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        check_agent(function, options, diagnostics)
    }

    fn type_options(&self) -> &TypeOptions {
        &self.type_options
    }

    fn is_callable(&self) -> bool {
        self.argument_types.is_some()
    }

    fn implementation(&self, function: &Function, hidden: &Ident, is_valid: bool) -> TokenStream {
        agent_impl(function, self, hidden, is_valid)
    }

    fn refused(crate_path: &Path, type_name: &Ident) -> TokenStream {
        refused_impl(crate_path, type_name)
    }
}
