//! The checks of the signature.

use super::{Function, Role};
use crate::diagnostic::{Diagnostics, FunctionMistake};
use crate::syntax::source;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Safety};

/// Reports qualifiers and other parts of a signature that an annotated function cannot have, and a function that the server
/// cannot call.
pub(crate) fn check_signature(
    role: &'static Role,
    function: &Function,
    diagnostics: &mut Diagnostics,
) {
    let signature = &function.signature;
    let before = diagnostics.count();
    let name = || signature.ident.to_string();
    if let Some(attribute) = entry_point_attribute(function) {
        let name = shown_name(attribute);
        diagnostics.add(
            attribute,
            role.error(FunctionMistake::EntryPoint { attribute: name }),
        );
        return;
    }
    if is_entry_point(function) {
        diagnostics.add(&signature.ident, role.error(FunctionMistake::Main));
        return;
    }
    if let Some(token) = &signature.constness {
        diagnostics.add(token, role.error(FunctionMistake::Const { name: name() }));
    }
    if let Safety::Unsafe(token) = &signature.safety {
        diagnostics.add(token, role.error(FunctionMistake::Unsafe { name: name() }));
    }
    if let Some(abi) = &signature.abi {
        diagnostics.add(abi, role.error(FunctionMistake::Extern { name: name() }));
    }
    // The errors above suggest `async` already.
    if signature.asyncness.is_none() && diagnostics.count() == before {
        let diagnostic = if starts_a_runtime(function.body.to_token_stream()) {
            role.error(FunctionMistake::StartsARuntime { name: name() })
        } else {
            role.error(FunctionMistake::NotAsync { name: name() })
        };
        diagnostics.add(signature.fn_token, diagnostic);
    }
    if !signature.generics.params.is_empty() {
        diagnostics.add(&signature.generics, role.error(FunctionMistake::Generic));
    } else if let Some(clause) = &signature.generics.where_clause {
        diagnostics.add(clause, role.error(FunctionMistake::WhereClause));
    }
    if let Some(variadic) = &signature.variadic {
        diagnostics.add(variadic, role.error(FunctionMistake::Variadic));
    }
    for attribute in &function.attributes {
        if role.is_given_by(attribute) {
            diagnostics.add(attribute, role.error(FunctionMistake::AnnotatedTwice));
        } else if let Some(other) = role.other_given_by(attribute) {
            diagnostics.add(attribute, role.error(FunctionMistake::TwoRoles { other }));
        }
    }
    if !function.has_body() {
        diagnostics.add(&function.body, role.error(FunctionMistake::MissingBody));
    }
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

/// Returns true if the body of a function that is not `async` calls `block_on`. Above our macro, `#[tokio::main]`
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
