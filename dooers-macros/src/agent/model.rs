//! The model of an agent, and the checks of the function and its options.

use super::parse::{Function, NonFunction};
use super::policy::TurnPolicy;
use super::type_names::{hidden_by, suggest_type_name};
use crate::attributes::{allowed_lints, attributes_named, doc_comment};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::options::{OptionTable, Options};
use crate::syntax::{default_crate_path, first_impl_trait, peel_type, source, type_source};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, FnArg, Ident, PatType, Path, Safety, Type};

const AGENT_OPTIONS: OptionTable = OptionTable {
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
            "take it as an argument of the function",
            &["settings", "state", "memory", "history"],
        ),
    ],
};

const MAX_NAME_CHARS: usize = 64;

/// An agent, after the function and its options have been checked.
pub(super) struct AgentModel {
    /// The path of the crate `dooers` in generated code.
    pub(super) crate_path: Path,
    /// The public name of the type. `None` if the name was refused.
    pub(super) type_name: Option<Ident>,
    pub(super) name: String,
    pub(super) description: Vec<Expr>,
    pub(super) is_default: bool,
    pub(super) has_manual_runs: bool,
    /// `None` if the configuration of the server decides.
    pub(super) private_threads: Option<bool>,
    pub(super) policy: TurnPolicy,
    pub(super) cfg_attributes: Vec<Attribute>,
    /// The lints that the user allows. They are allowed in generated code too, as it repeats the argument types.
    pub(super) allowed_lints: Vec<TokenStream>,
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
    let type_name = type_name(&mut options, &function.signature.ident);
    let crate_path = options.path("crate");

    let before = diagnostics.count();
    check_signature(function, diagnostics);
    let argument_types = argument_types(function, diagnostics);
    AgentModel {
        crate_path: crate_path.unwrap_or_else(default_crate_path),
        type_name,
        name,
        description: doc_comment(&function.attributes),
        is_default,
        has_manual_runs,
        private_threads,
        policy,
        cfg_attributes: attributes_named(&function.attributes, "cfg"),
        allowed_lints: allowed_lints(&function.attributes),
        argument_types: (diagnostics.count() == before).then_some(argument_types),
    }
}

/// Checks the options of a function that could not be parsed.
pub(super) fn incomplete_agent(
    function: &Function,
    options: TokenStream,
    diagnostics: &mut Diagnostics,
) -> AgentModel {
    let agent = check_agent(function, options, diagnostics);
    AgentModel {
        argument_types: None,
        ..agent
    }
}

/// Reports an item that is not a function. Returns the path of the crate, the only option that is still used.
pub(super) fn reject_non_function(
    item: &NonFunction,
    options: TokenStream,
    diagnostics: &mut Diagnostics,
) -> Path {
    let keyword = item.keyword.to_string().replace(' ', "");
    diagnostics.add(&item.keyword, Diagnostic::NotAFunction { keyword });
    let path = Options::parse(options, &AGENT_OPTIONS, diagnostics).path("crate");
    path.unwrap_or_else(default_crate_path)
}

fn type_name(options: &mut Options<'_>, function: &Ident) -> Option<Ident> {
    let has_option = options.contains("type");
    let given = options.ident("type");
    if has_option && given.is_none() {
        // The option is invalid and has been reported.
        return Some(function.clone());
    }
    let name = given.unwrap_or_else(|| function.clone());
    let Some(hidden) = hidden_by(&name.to_string()) else {
        return Some(name);
    };
    let diagnostic = Diagnostic::TypeHides {
        name: name.to_string(),
        hidden,
        suggestion: suggest_type_name(&function.unraw().to_string()),
    };
    options.report(name, diagnostic);
    None
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

fn check_signature(function: &Function, diagnostics: &mut Diagnostics) {
    let signature = &function.signature;
    let before = diagnostics.count();
    let name = || signature.ident.to_string();
    if let Some(attribute) = entry_point_attribute(function) {
        let name = shown_name(attribute);
        diagnostics.add(attribute, Diagnostic::EntryPoint { attribute: name });
        return;
    }
    if is_entry_point(function) {
        diagnostics.add(&signature.ident, Diagnostic::Main);
        return;
    }
    if let Some(token) = &signature.constness {
        diagnostics.add(token, Diagnostic::Const { name: name() });
    }
    if let Safety::Unsafe(token) = &signature.safety {
        diagnostics.add(token, Diagnostic::Unsafe { name: name() });
    }
    if let Some(abi) = &signature.abi {
        diagnostics.add(abi, Diagnostic::Extern { name: name() });
    }
    // The errors above suggest `async` already.
    if signature.asyncness.is_none() && diagnostics.count() == before {
        let diagnostic = if starts_a_runtime(function.body.to_token_stream()) {
            Diagnostic::StartsARuntime { name: name() }
        } else {
            Diagnostic::NotAsync { name: name() }
        };
        diagnostics.add(signature.fn_token, diagnostic);
    }
    if !signature.generics.params.is_empty() {
        diagnostics.add(&signature.generics, Diagnostic::Generic);
    } else if let Some(clause) = &signature.generics.where_clause {
        diagnostics.add(clause, Diagnostic::WhereClause);
    }
    if let Some(variadic) = &signature.variadic {
        diagnostics.add(variadic, Diagnostic::Variadic);
    }
    for attribute in function
        .attributes
        .iter()
        .filter(|attribute| is_agent_attribute(attribute))
    {
        diagnostics.add(attribute, Diagnostic::AnnotatedTwice);
    }
    if !function.has_body() {
        diagnostics.add(&function.body, Diagnostic::MissingBody);
    }
}

/// Returns true if an attribute is `#[dooers::agent]`, by its name. It may be imported.
pub(super) fn is_agent_attribute(attribute: &Attribute) -> bool {
    let path = attribute.path();
    let names = path.segments.iter().map(|segment| &segment.ident);
    path.is_ident("agent") || names.eq(["dooers", "agent"])
}

/// Returns true if the program starts the function.
pub(super) fn is_entry_point(function: &Function) -> bool {
    function.signature.ident == "main" || entry_point_attribute(function).is_some()
}

/// The name of an attribute as users know it: `tokio::test`, but not `::core::prelude::v1::test`, which other macros write.
fn shown_name(attribute: &Attribute) -> String {
    let path = attribute.path();
    match path.segments.last() {
        Some(last) if path.leading_colon.is_some() => last.ident.to_string(),
        _ => source(path),
    }
}

/// Returns true if the body of a function that is not `async` calls `block_on`. Above `#[dooers::agent]`, `#[tokio::main]`
/// has already removed `async` and itself, and has put the body into such a call.
fn starts_a_runtime(body: TokenStream) -> bool {
    body.into_iter().any(|token| match token {
        TokenTree::Group(group) => starts_a_runtime(group.stream()),
        TokenTree::Ident(ident) => ident == "block_on",
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Returns the attribute that makes the function an entry point or a test, such as `#[tokio::main]`.
fn entry_point_attribute(function: &Function) -> Option<&Attribute> {
    let starts = |attribute: &&Attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|segment| segment.ident == "main" || segment.ident == "test")
    };
    function.attributes.iter().find(starts)
}

fn argument_types(function: &Function, diagnostics: &mut Diagnostics) -> Vec<Type> {
    let mut types = Vec::new();
    if function.signature.receiver().is_none() && function.has_body() {
        if let Some(name) = &function.self_type {
            diagnostics.add(name, Diagnostic::SelfType);
        } else if function.is_in_associated_block {
            diagnostics.add(&function.signature.ident, Diagnostic::Associated);
        }
    }
    for argument in &function.signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => diagnostics.add(receiver, Diagnostic::Receiver),
            FnArg::Typed(argument) => {
                check_argument(argument, diagnostics);
                types.push((*argument.ty).clone());
            }
        }
    }
    types
}

fn check_argument(argument: &PatType, diagnostics: &mut Diagnostics) {
    for attribute in attributes_named(&argument.attrs, "cfg") {
        diagnostics.add(attribute, Diagnostic::CfgArgument);
    }
    if let Some(hidden) = first_impl_trait(&argument.ty) {
        diagnostics.add(hidden, Diagnostic::ImplArgument);
    } else if let Type::Reference(reference) = peel_type(&argument.ty) {
        let target = type_source(&reference.elem);
        let diagnostic = match (&*reference.elem, target.as_str()) {
            (_, "str") => Diagnostic::StrArgument,
            (Type::Slice(slice), _) => Diagnostic::ReferenceArgument {
                by_value: format!("Vec<{}>", type_source(&slice.elem)),
            },
            (Type::TraitObject(_), _) => Diagnostic::ReferenceArgument {
                by_value: format!("Box<{target}>"),
            },
            (_, _) => Diagnostic::ReferenceArgument { by_value: target },
        };
        diagnostics.add(reference, diagnostic);
    }
}
