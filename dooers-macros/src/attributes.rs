//! The attributes of an item: doc comments, lints and `#[setting(…)]`.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::syntax::peel_groups;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta};

/// Returns the attributes with this name.
pub(crate) fn attributes_named(attributes: &[Attribute], name: &str) -> Vec<Attribute> {
    let has_name = |attribute: &&Attribute| attribute.path().is_ident(name);
    attributes.iter().filter(has_name).cloned().collect()
}

/// An attribute with options.
pub(crate) struct OptionAttribute {
    pub(crate) name: &'static str,
    /// The kind of item that it is on, in an error text.
    pub(crate) subject: &'static str,
    /// An example of its use.
    pub(crate) usage: &'static str,
}

/// `#[setting(…)]`.
const SETTING: OptionAttribute = OptionAttribute {
    name: "setting",
    subject: "a setting",
    usage: "#[setting(label = \"…\")]",
};

/// Joins the tokens of all `#[setting(…)]` attributes of an item with commas.
pub(crate) fn setting_options(
    attributes: &[Attribute],
    diagnostics: &mut Diagnostics,
) -> TokenStream {
    let attributes = attributes_named(attributes, SETTING.name);
    joined_options(&attributes, &SETTING, diagnostics)
}

/// Joins the tokens of several attributes of this kind with commas.
pub(crate) fn joined_options(
    attributes: &[Attribute],
    kind: &OptionAttribute,
    diagnostics: &mut Diagnostics,
) -> TokenStream {
    let OptionAttribute {
        name,
        subject,
        usage,
    } = *kind;
    let mut joined = TokenStream::new();
    for attribute in attributes {
        match attribute.meta.require_list() {
            Ok(list) => {
                if !joined.is_empty() && !ends_with_comma(&joined) && !list.tokens.is_empty() {
                    joined.extend(quote!(,));
                }
                joined.extend(list.tokens.clone());
            }
            Err(_) => {
                let diagnostic = match attribute.meta {
                    Meta::Path(_) => Diagnostic::EmptyAttribute { name, usage },
                    _ => Diagnostic::InvalidAttributeForm { subject, usage },
                };
                diagnostics.add(attribute, diagnostic);
            }
        }
    }
    joined
}

fn ends_with_comma(tokens: &TokenStream) -> bool {
    let last = tokens.clone().into_iter().last();
    matches!(last, Some(TokenTree::Punct(punct)) if punct.as_char() == ',')
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
    // Parsing the literal again would be most of the cost of a short doc comment.
    let literal = || {
        Expr::Lit(ExprLit {
            attrs: Vec::new(),
            lit: Lit::Str(LitStr::new(text, Span::call_site())),
        })
    };
    (!text.is_empty()).then(literal)
}

/// Concatenates the pieces of a doc comment into one string.
pub(crate) fn concat_docs(pieces: &[Expr]) -> TokenStream {
    match pieces {
        [] => quote!(""),
        [Expr::Lit(text)] => quote!(#text),
        _ => quote!(::core::concat!(#(#pieces),*).trim_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::setting_options;
    use crate::diagnostic::Diagnostics;
    use syn::{Attribute, parse_quote};

    #[test]
    fn setting_options_allow_trailing_commas() {
        let attributes: [Attribute; 4] = [
            parse_quote!(#[setting(required, label = "Name",)]),
            parse_quote!(#[setting()]),
            parse_quote!(#[setting(rename = "title")]),
            parse_quote!(#[setting(creator,)]),
        ];
        let mut diagnostics = Diagnostics::default();
        let joined = setting_options(&attributes, &mut diagnostics);
        let expected = quote::quote!(required, label = "Name", rename = "title", creator,);
        assert_eq!(joined.to_string(), expected.to_string());
        assert!(diagnostics.is_empty());
    }
}
