//! The model of a tool, and the checks of the function and its options.

use super::approve::{Approve, approve};
use super::argument::{ToolArgument, tool_arguments};
use super::attribute::TOOL;
use super::name::tool_name;
use crate::diagnostic::{Diagnostics, ToolMistake};
use crate::function::{Function, TypeOptions, check_arguments, check_signature, timeout};
use crate::options::{OptionTable, Options};
use crate::suggest::closest;
use crate::syntax::as_string;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::LitStr;

pub(super) const TOOL_OPTIONS: OptionTable = OptionTable {
    macro_name: "`#[dooers::tool]`",
    options: &[
        ("name", "name = \"…\""),
        ("timeout", "timeout = \"10s\""),
        ("approve", "approve = \"always\""),
        ("effect", "effect = \"read\""),
        ("strict", "strict"),
        ("type", "type = Name"),
        ("crate", "crate = path"),
    ],
    synonyms: &[
        ("write `name`", &["id", "title", "tool_name"]),
        (
            "write `name` for the name of the tool, or `type` for the name of the type",
            &["rename", "alias", "struct"],
        ),
        (
            "write a doc comment (`/// …`) on the function",
            &["description", "desc", "about", "doc", "help"],
        ),
        (
            "write `timeout = \"10s\"`",
            &["deadline", "time_limit", "timeout_secs", "timeout_ms"],
        ),
        (
            "write `approve = \"always\"`",
            &[
                "approval",
                "confirm",
                "confirmation",
                "requires_approval",
                "needs_approval",
                "ask",
            ],
        ),
        (
            "write `effect = \"read\"`",
            &["read", "read_only", "readonly", "pure", "parallel", "safe"],
        ),
        (
            "write `effect = \"write\"`, which is the default",
            &["write", "destructive", "sequential", "side_effect"],
        ),
        (
            "remove it, as the schema follows from the arguments of the function",
            &[
                "schema",
                "input_schema",
                "parameters",
                "params",
                "args",
                "arguments",
            ],
        ),
        (
            "write `#[tool(context)]` on the argument",
            &["context", "state"],
        ),
        (
            "write `#[tool(default = …)]` on the argument",
            &["default", "defaults"],
        ),
        (
            "remove it, as the model decides whether to call a tool again",
            &["retry", "retries", "max_retries", "attempts"],
        ),
    ],
};

/// The values of `effect`.
const EFFECTS: [&str; 2] = ["read", "write"];

/// A tool, after the function and its options have been checked.
pub(super) struct ToolModel {
    pub(super) type_options: TypeOptions,
    pub(super) name: String,
    /// The maximum duration of a call, in milliseconds.
    pub(super) timeout: Option<u64>,
    pub(super) approve: Option<Approve>,
    pub(super) is_read_only: bool,
    pub(super) is_strict: bool,
    /// The arguments, if generated code can call the function.
    pub(super) arguments: Option<Vec<ToolArgument>>,
}

/// Checks the options, the function and its arguments.
pub(super) fn check_tool(
    function: &Function,
    options: TokenStream,
    diagnostics: &mut Diagnostics,
) -> ToolModel {
    let mut options = Options::parse(options, &TOOL_OPTIONS, diagnostics);
    let name = tool_name(&mut options, &function.signature.ident);
    let timeout = timeout(&mut options, &TOOL);
    let approve = approve(&mut options);
    let is_read_only = is_read_only(&mut options);
    let is_strict = options.flag("strict");
    let type_options = TypeOptions::read(&mut options, &TOOL, &function.signature.ident);

    let before = diagnostics.count();
    check_signature(&TOOL, function, diagnostics);
    let arguments = check_arguments(&TOOL, function, diagnostics);
    let arguments = tool_arguments(&arguments, diagnostics);
    let is_callable = function.is_complete && diagnostics.count() == before;
    ToolModel {
        type_options,
        name,
        timeout,
        approve,
        is_read_only,
        is_strict,
        arguments: is_callable.then_some(arguments),
    }
}

fn is_read_only(options: &mut Options<'_>) -> bool {
    let Some(value) = options.expr("effect") else {
        return false;
    };
    let written = as_string(&value).map(LitStr::value);
    match written.as_deref() {
        Some("read") => true,
        Some("write") => false,
        _ => {
            let value_source = value.to_token_stream().to_string();
            let mistake = ToolMistake::InvalidEffect {
                suggestion: closest(written.as_deref().unwrap_or(&value_source), EFFECTS),
                value: value_source,
            };
            options.report(value, mistake);
            false
        }
    }
}
