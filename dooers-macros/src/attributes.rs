//! What the attributes of an item say.

use crate::options::ungrouped;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, parse_quote};

/// The attributes of this name.
pub(crate) fn attributes_of(attributes: &[Attribute], name: &str) -> Vec<Attribute> {
    let has_name = |attribute: &&Attribute| attribute.path().is_ident(name);
    attributes.iter().filter(has_name).cloned().collect()
}

/// The lints that the user allows or expects in the item.
pub(crate) fn allowed(attributes: &[Attribute]) -> Vec<TokenStream> {
    let allowed = attributes_of(attributes, "allow");
    let expected = attributes_of(attributes, "expect");
    let lints = |attribute: Attribute| Some(attribute.meta.require_list().ok()?.tokens.clone());
    allowed
        .into_iter()
        .chain(expected)
        .filter_map(lints)
        .collect()
}

/// The doc comment as pieces to be joined: one text, unless a macro such as `include_str!` makes a part of it.
pub(crate) fn description(attributes: &[Attribute]) -> Vec<Expr> {
    let mut pieces: Vec<Expr> = Vec::new();
    let mut text = String::new();
    for attribute in attributes_of(attributes, "doc") {
        let Meta::NameValue(doc) = attribute.meta else {
            continue;
        };
        match ungrouped(&doc.value) {
            Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }) => {
                let line = line.value();
                text.push_str(line.strip_prefix(' ').unwrap_or(&line));
            }
            expression => {
                pieces.extend(literal(&text));
                text.clear();
                pieces.push(expression.clone());
            }
        }
        text.push('\n');
    }
    if pieces.is_empty() {
        return literal(text.trim()).into_iter().collect();
    }
    pieces.extend(literal(&text));
    pieces
}

fn literal(text: &str) -> Option<Expr> {
    let literal = syn::LitStr::new(text, Span::call_site());
    (!text.is_empty()).then(|| parse_quote!(#literal))
}

/// Such pieces as one text.
pub(crate) fn joined(pieces: &[Expr]) -> TokenStream {
    match pieces {
        [] => quote!(""),
        [Expr::Lit(text)] => quote!(#text),
        _ => quote!(::core::concat!(#(#pieces),*).trim_ascii()),
    }
}
