//! The model of an agent, and the checks of the function and its options.

use super::attribute::AGENT;
use super::policy::TurnPolicy;
use super::tool_list::tool_list;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::function::{Function, TypeOptions, check_arguments, check_signature};
use crate::options::{OptionTable, Options};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Ident, Path, Type};

pub(super) const AGENT_OPTIONS: OptionTable = OptionTable {
    macro_name: "`#[dooers::agent]`",
    options: &[
        ("name", "name = \"…\""),
        ("default", "default"),
        ("run", "run = \"manual\""),
        ("timeout", "timeout = \"90s\""),
        ("retry", "retry = 2"),
        ("on_busy", "on_busy = \"queue\""),
        ("queue", "queue = 32"),
        ("private_threads", "private_threads = true"),
        ("tools", "tools(weather, refund)"),
        ("type", "type = Name"),
        ("crate", "crate = path"),
    ],
    synonyms: &[
        (
            "write `name`, which is also a part of the URL",
            &["id", "title", "route", "path", "url", "slug"],
        ),
        (
            "write `name` for the name of the agent, or `type` for the name of the type",
            &["rename", "alias", "struct"],
        ),
        (
            "write a doc comment (`/// …`) on the function",
            &["description", "desc", "about", "doc", "help"],
        ),
        (
            "write `retry`",
            &["retries", "max_retries", "attempts", "max_attempts"],
        ),
        (
            "write `timeout = \"90s\"`",
            &["deadline", "time_limit", "timeout_secs", "timeout_ms"],
        ),
        (
            "write `on_busy = \"…\"`",
            &[
                "concurrency",
                "concurrent",
                "parallel",
                "interrupt",
                "reject",
            ],
        ),
        (
            "write `queue`",
            &[
                "queue_size",
                "queue_limit",
                "max_queue",
                "capacity",
                "buffer",
            ],
        ),
        ("write `run = \"manual\"`", &["manual"]),
        ("write `default`", &["fallback", "primary"]),
        (
            "write `private_threads`",
            &["private", "privacy", "visibility"],
        ),
        (
            "write `private_threads = false`",
            &["public", "shared", "public_threads", "shared_threads"],
        ),
        (
            "write `tools(weather, refund)`",
            &["tool", "functions", "toolbox", "tool_list"],
        ),
        (
            "take it as an argument of the function",
            &["settings", "state", "memory", "history"],
        ),
    ],
};

const MAX_NAME_CHARS: usize = 64;

/// An agent, after the function and its options have been checked.
pub(super) struct AgentModel {
    pub(super) type_options: TypeOptions,
    pub(super) name: String,
    pub(super) is_default: bool,
    pub(super) has_manual_runs: bool,
    /// `None` if the configuration of the server decides.
    pub(super) private_threads: Option<bool>,
    pub(super) policy: TurnPolicy,
    /// The paths of its tools. `None` if the option is not given.
    pub(super) tools: Option<Vec<Path>>,
    /// The types of the arguments, if generated code can call the function.
    pub(super) argument_types: Option<Vec<Type>>,
}

/// Checks the options, the function and its arguments.
pub(super) fn check_agent(
    function: &Function,
    options: TokenStream,
    diagnostics: &mut Diagnostics,
) -> AgentModel {
    let mut options = Options::parse(options, &AGENT_OPTIONS, diagnostics);
    let name = agent_name(&mut options, &function.signature.ident);
    let is_default = options.flag("default");
    let has_manual_runs = has_manual_runs(&mut options);
    let private_threads = options.switch("private_threads");
    let policy = TurnPolicy::parse(&mut options);
    let tools = tool_list(&mut options);
    let type_options = TypeOptions::read(&mut options, &AGENT, &function.signature.ident);

    let before = diagnostics.count();
    check_signature(&AGENT, function, diagnostics);
    let arguments = check_arguments(&AGENT, function, diagnostics);
    let is_callable = function.is_complete && diagnostics.count() == before;
    let types = || arguments.iter().map(|argument| (*argument.ty).clone());
    AgentModel {
        type_options,
        name,
        is_default,
        has_manual_runs,
        private_threads,
        policy,
        tools,
        argument_types: is_callable.then(|| types().collect()),
    }
}

fn agent_name(options: &mut Options<'_>, function: &Ident) -> String {
    let Some(text) = options.string("name") else {
        let name = function.unraw().to_string();
        let length = name.chars().count();
        if let Some(character) = name.chars().find(|c| !is_unreserved(*c)) {
            let diagnostic = Diagnostic::InvalidFunctionNameCharacter { character };
            options.report(function, diagnostic);
        } else if length > MAX_NAME_CHARS {
            let max = MAX_NAME_CHARS;
            let diagnostic = Diagnostic::FunctionNameTooLong { length, max };
            options.report(function, diagnostic);
        }
        return name;
    };
    let name = text.value();
    let length = name.chars().count();
    let diagnostic = if name.is_empty() {
        Diagnostic::EmptyName
    } else if let Some(character) = name.chars().find(|c| !is_unreserved(*c)) {
        Diagnostic::InvalidNameCharacter { character }
    } else if length > MAX_NAME_CHARS {
        let max = MAX_NAME_CHARS;
        Diagnostic::NameTooLong { length, max }
    } else if name == "." || name == ".." {
        Diagnostic::DotsAsName { name: name.clone() }
    } else {
        return name;
    };
    options.report(text, diagnostic);
    name
}

/// Returns true if a character is unreserved in URLs (RFC 3986), so that it needs no encoding.
fn is_unreserved(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~".contains(character)
}

fn has_manual_runs(options: &mut Options<'_>) -> bool {
    let Some(run) = options.string("run") else {
        return false;
    };
    if run.value() != "manual" {
        let value = run.to_token_stream().to_string();
        options.report(run, Diagnostic::InvalidRun { value });
    }
    true
}
