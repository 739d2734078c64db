//! The tool of an annotated function: its schema, the arguments, the call of the function and the conversion of its return
//! value.
//!
//! Every annotated function repeats the generated code that describes its tool. As for agents, the code therefore contains no
//! `async` block and few items.

use super::argument_list::Arguments;
use super::schema_builder::SchemaBuilder;
use super::{Approval, DynamicTool, ToolOutput};
use crate::{AgentError, Turn};
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use std::future::ready;
use std::sync::Arc;

/// The boxed future of an annotated function. This is the only place that requires the future to be `Send`.
pub(super) type Called<R> = BoxFuture<'static, R>;

/// Makes the tool of a function from its name, description and arguments, from its call, and from the conversion of its return
/// value.
#[must_use]
pub fn annotated<A, R>(
    name: &'static str,
    description: &'static str,
    arguments: A,
    function: fn(A::Values) -> Called<R>,
    into_output: fn(R) -> Result<ToolOutput, AgentError>,
) -> DynamicTool
where
    A: Arguments,
    R: 'static,
{
    tool(
        name,
        description,
        Arc::new(arguments),
        function,
        into_output,
    )
}

/// Makes a tool whose calls a person must approve if the predicate returns true.
///
/// The predicate gets the values that the model chose. It is not asked about values that do not fit the types of the
/// arguments, because such a call fails before the function starts.
#[must_use]
pub fn annotated_with_approval<A, R>(
    name: &'static str,
    description: &'static str,
    arguments: A,
    approve: fn(&A::Chosen) -> bool,
    function: fn(A::Values) -> Called<R>,
    into_output: fn(R) -> Result<ToolOutput, AgentError>,
) -> DynamicTool
where
    A: Arguments,
    R: 'static,
{
    let arguments = Arc::new(arguments);
    let read = Arc::clone(&arguments);
    let approval = Approval::when(move |members| match read.read(&object(members.clone())) {
        Ok(chosen) => approve(&chosen),
        Err(_) => false,
    });
    tool(name, description, arguments, function, into_output).with_approval(approval)
}

/// A replacement for the tool of a function that the macro refused. It is never called, because such a program does not
/// compile.
#[must_use]
pub fn refused() -> DynamicTool {
    annotated(
        "",
        "",
        (),
        |()| Box::pin(ready(())),
        super::IntoToolOutput::into_output,
    )
}

fn tool<A, R>(
    name: &'static str,
    description: &'static str,
    arguments: Arc<A>,
    function: fn(A::Values) -> Called<R>,
    into_output: fn(R) -> Result<ToolOutput, AgentError>,
) -> DynamicTool
where
    A: Arguments,
    R: 'static,
{
    let mut schema = SchemaBuilder::new();
    arguments.describe(&mut schema);
    let (schema, mistake) = schema.finish();
    let required = Arc::clone(&arguments);
    let call = move |turn: Turn, members: Value| {
        let arguments = Arc::clone(&arguments);
        async move {
            // The values need not be `Send`, because none is kept during the call.
            let values = arguments.create(&object(members), &turn).await?;
            let called = function(values);
            into_output(called.await)
        }
    };
    DynamicTool::new(name, schema, call)
        .with_description(description)
        .with_requirements(move |requirements| required.requires(requirements))
        .with_mistake(mistake)
}

/// Returns the members of the arguments. A schema for an object admits nothing else.
fn object(arguments: Value) -> Map<String, Value> {
    match arguments {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
