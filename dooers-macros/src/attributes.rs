//! The attributes of an item: doc comments, lints and `#[setting(…)]`.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::syntax::peel_groups;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, parse_quote};

/// Returns the attributes with this name.
pub(crate) fn attributes_named(attributes: &[Attribute], name: &str) -> Vec<Attribute> {
    let has_name = |attribute: &&Attribute| attribute.path().is_ident(name);
    attributes.iter().filter(has_name).cloned().collect()
}

/// Joins the tokens of all `#[setting(…)]` attributes of an item with commas.
pub(crate) fn setting_options(
    attributes: &[Attribute],
    diagnostics: &mut Diagnostics,
) -> TokenStream {
    let mut all = TokenStream::new();
    for attribute in attributes_named(attributes, "setting") {
        match attribute.meta.require_list() {
            Ok(list) => {
                if !all.is_empty() {
                    all.extend(quote!(,));
                }
                all.extend(list.tokens.clone());
            }
            Err(_) => diagnostics.add(&attribute, Diagnostic::InvalidAttributeForm),
        }
    }
    all
}

/// Collects the lints that the user allows or expects in the item.
pub(crate) fn allowed_lints(attributes: &[Attribute]) -> Vec<TokenStream> {
    let allowed = attributes_named(attributes, "allow");
    let expected = attributes_named(attributes, "expect");
    let lints = |attribute: Attribute| Some(attribute.meta.require_list().ok()?.tokens.clone());
    allowed
        .into_iter()
        .chain(expected)
        .filter_map(lints)
        .collect()
}

/// Collects the doc comment as pieces for [`concat_docs`]. It is one string literal, unless a macro such as
/// `include_str!` produces a part of it.
pub(crate) fn doc_comment(attributes: &[Attribute]) -> Vec<Expr> {
    let mut pieces: Vec<Expr> = Vec::new();
    let mut text = String::new();
    for attribute in attributes_named(attributes, "doc") {
        let Meta::NameValue(doc) = attribute.meta else {
            continue;
        };
        match peel_groups(&doc.value) {
            Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }) => {
                let line = line.value();
                text.push_str(line.strip_prefix(' ').unwrap_or(&line));
            }
            expression => {
                pieces.extend(string_expr(&text));
                text.clear();
                pieces.push(expression.clone());
            }
        }
        text.push('\n');
    }
    if pieces.is_empty() {
        return string_expr(text.trim()).into_iter().collect();
    }
    pieces.extend(string_expr(&text));
    pieces
}

fn string_expr(text: &str) -> Option<Expr> {
    let literal = syn::LitStr::new(text, Span::call_site());
    (!text.is_empty()).then(|| parse_quote!(#literal))
}

/// Concatenates the pieces of a doc comment into one string.
pub(crate) fn concat_docs(pieces: &[Expr]) -> TokenStream {
    match pieces {
        [] => quote!(""),
        [Expr::Lit(text)] => quote!(#text),
        _ => quote!(::core::concat!(#(#pieces),*).trim_ascii()),
    }
}
