//! The arguments of a tool, and the attribute `#[tool(…)]` on them.

use super::attribute::TOOL;
use super::default::{JsonDefault, json_default};
use super::name::{MAX_NAME_CHARS, NameMistake, name_mistake};
use crate::attributes::{OptionAttribute, doc_comment, joined_options};
use crate::diagnostic::{Diagnostics, ToolMistake};
use crate::options::{OptionTable, Options};
use quote::ToTokens;
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, FnArg, Ident, Pat, PatType, Signature, Type, parse_quote};

const TOOL_ATTRIBUTE: OptionAttribute = OptionAttribute {
    name: "tool",
    subject: "an argument",
    usage: "#[tool(context)]",
};

const ARGUMENT_OPTIONS: OptionTable = OptionTable {
    macro_name: "`#[tool]` on an argument",
    options: &[("default", "default = …"), ("context", "context")],
    synonyms: &[
        (
            "write a doc comment (`/// …`) on the argument",
            &["description", "desc", "doc", "help", "title"],
        ),
        (
            "rename the argument, as its name is also its name in the schema",
            &["name", "rename", "alias"],
        ),
        (
            "write `Option<…>` as the type of an argument that the model can leave out",
            &["optional", "required", "nullable"],
        ),
        (
            "write `context`",
            &["state", "inject", "from_turn", "extract", "skip", "turn"],
        ),
        (
            "write `default = …`",
            &["default_value", "value", "initial"],
        ),
        (
            "write `#[schemars(…)]` on a type of its own",
            &[
                "min",
                "max",
                "range",
                "length",
                "pattern",
                "regex",
                "format",
                "schema_with",
                "example",
            ],
        ),
    ],
};

/// An argument, after its attributes have been checked.
pub(super) enum ToolArgument {
    /// The model chooses it.
    Value {
        name: String,
        description: Vec<Expr>,
        ty: Type,
        default: Option<JsonDefault>,
    },
    /// It is created from the turn.
    Context(Type),
}

/// Checks the attributes and the names of the arguments.
pub(super) fn tool_arguments(
    arguments: &[&PatType],
    diagnostics: &mut Diagnostics,
) -> Vec<ToolArgument> {
    let mut names = HashSet::new();
    let mut checked = Vec::new();
    for argument in arguments {
        let attributes = tool_attributes(&argument.attrs);
        let tokens = joined_options(&attributes, &TOOL_ATTRIBUTE, diagnostics);
        let mut options = Options::parse(tokens, &ARGUMENT_OPTIONS, diagnostics);
        for attribute in argument.attrs.iter().filter(is_of_a_type) {
            let name = attribute.path().to_token_stream().to_string();
            options.report(attribute, ToolMistake::AttributeOfAType { name });
        }
        // A misspelled `context` has been reported already.
        let was_context = options.was_meant("context");
        if options.flag("context") || was_context {
            if let Some(key) = options.key("default") {
                options.report(key, ToolMistake::ContextDefault);
            }
            checked.push(ToolArgument::Context((*argument.ty).clone()));
            continue;
        }
        let default = json_default(&argument.ty, &mut options);
        let name = argument_name(argument, &mut names, &mut options);
        checked.push(ToolArgument::Value {
            name: name.unwrap_or_default(),
            description: doc_comment(&argument.attrs),
            ty: (*argument.ty).clone(),
            default,
        });
    }
    checked
}

/// Returns the name of an argument that the model chooses. It must be new and acceptable for providers.
fn argument_name(
    argument: &PatType,
    names: &mut HashSet<String>,
    options: &mut Options<'_>,
) -> Option<String> {
    let Some(ident) = named_by(&argument.pat) else {
        options.report(&argument.pat, ToolMistake::UnnamedArgument);
        return None;
    };
    let name = ident.unraw().to_string();
    let mistake = match name_mistake(&name) {
        Some(NameMistake::Character(character)) => {
            ToolMistake::InvalidArgumentNameCharacter { character }
        }
        Some(NameMistake::TooLong(length)) => {
            let max = MAX_NAME_CHARS;
            ToolMistake::ArgumentNameTooLong { length, max }
        }
        // The name of an argument is never empty.
        Some(NameMistake::Empty) | None if names.insert(name.clone()) => return Some(name),
        Some(NameMistake::Empty) | None => ToolMistake::DuplicateArgument { name },
    };
    options.report(ident, mistake);
    None
}

/// Returns the name of a pattern that binds the whole argument.
fn named_by(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(name) => Some(&name.ident),
        Pat::Paren(inner) => named_by(&inner.pat),
        _ => None,
    }
}

/// Returns the attributes `#[tool(…)]` of an argument.
fn tool_attributes(attributes: &[Attribute]) -> Vec<Attribute> {
    let is_ours = |attribute: &&Attribute| TOOL.is_given_by(attribute);
    attributes.iter().filter(is_ours).cloned().collect()
}

/// Returns true for an attribute that only the derive macros of types understand.
fn is_of_a_type(attribute: &&Attribute) -> bool {
    ["serde", "schemars"]
        .iter()
        .any(|name| attribute.path().is_ident(name))
}

/// Removes what a function cannot have: the attributes and doc comments of arguments, and second arguments of one name, which
/// the compiler would report again. Returns true if anything was removed.
pub(super) fn clean_arguments(signature: &mut Signature) -> bool {
    let mut names = HashSet::new();
    let mut is_changed = false;
    for argument in &mut signature.inputs {
        let FnArg::Typed(argument) = argument else {
            continue;
        };
        let before = argument.attrs.len();
        let is_ours = |attribute: &Attribute| {
            TOOL.is_given_by(attribute)
                || attribute.path().is_ident("doc")
                || is_of_a_type(&attribute)
        };
        argument.attrs.retain(|attribute| !is_ours(attribute));
        is_changed |= argument.attrs.len() != before;
        let is_second =
            named_by(&argument.pat).is_some_and(|name| !names.insert(name.unraw().to_string()));
        if is_second {
            *argument.pat = parse_quote!(_);
            is_changed = true;
        }
    }
    is_changed
}
