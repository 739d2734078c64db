//! The types of the arguments of an annotated tool: values that the model chooses, and context that is created from the turn.

use super::context_argument::ContextArgument;
use super::value_argument::ValueArgument;
use crate::FromTurn;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A type whose values a model can choose. All types with `#[derive(Deserialize, JsonSchema)]` implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a tool",
    label = "lacks `serde::Deserialize`, `schemars::JsonSchema` or both",
    note = "a model chooses the argument, so it is read from JSON and has a JSON Schema: write `#[derive(serde::Deserialize, schemars::JsonSchema)]` on your own types",
    note = "mark an argument that is created from the turn, such as `State<S>` or `WorkerRequest`, with `#[tool(context)]`"
)]
pub trait ToolArgument: DeserializeOwned + JsonSchema + 'static {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + 'static> ToolArgument for T {}

/// A type that is created from the turn. All types that an agent can take implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a context argument of a tool",
    label = "cannot be created from a turn",
    note = "the context of a tool is any argument of an agent, such as `State<S>`, `WorkerRequest`, `WorkerResponse`, `WorkerMemory`, a struct with `#[derive(WorkerSettings)]`, `CancellationToken` and your own types that implement `FromTurn`",
    note = "remove `#[tool(context)]` if the model chooses the argument"
)]
pub trait ToolContext: FromTurn + 'static {}

#[diagnostic::do_not_recommend]
impl<T: FromTurn + 'static> ToolContext for T {}

/// All types. Generated code names the type of an argument as `<T as AnyArgument>`, because rustc treats a type that does
/// not exist differently in the list of generic arguments.
pub trait AnyArgument: Sized {
    /// The argument that the model chooses. A type that is not an argument causes its only error here.
    #[must_use]
    fn value(name: &'static str, description: &'static str) -> ValueArgument<Self>
    where
        Self: ToolArgument,
    {
        ValueArgument::new(name, description)
    }

    /// The argument that is created from the turn.
    #[must_use]
    fn context() -> ContextArgument<Self>
    where
        Self: ToolContext,
    {
        ContextArgument::new()
    }
}

impl<T> AnyArgument for T {}
