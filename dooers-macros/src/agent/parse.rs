//! Reads as much of the annotated item as is needed, and leaves the rest as it is.

use crate::syntax::{first_impl_trait, peel_type};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Generics, Ident, ReturnType, Signature, Token, Type, Visibility};

pub(super) enum AnnotatedItem {
    Function(Box<Function>),
    NonFunction(NonFunction),
}

/// A function: its body is never looked at.
pub(super) struct Function {
    /// All of it.
    pub(super) tokens: TokenStream,
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) signature: Signature,
    pub(super) body: TokenStream,
}

impl Function {
    /// Whether it is more than a declaration.
    pub(super) fn has_body(&self) -> bool {
        self.body.to_string() != ";"
    }

    /// Where it says what it returns.
    pub(super) fn output_span(&self) -> Span {
        match &self.signature.output {
            ReturnType::Type(_, ty) => ty.span(),
            ReturnType::Default => self.signature.ident.span(),
        }
    }

    /// What it returns, where that can be written as an argument of a generic function.
    pub(super) fn nameable_output(&self) -> Option<&Type> {
        match &self.signature.output {
            ReturnType::Type(_, ty)
                if first_impl_trait(ty).is_none() && !matches!(peel_type(ty), Type::Never(_)) =>
            {
                Some(ty)
            }
            ReturnType::Type(..) | ReturnType::Default => None,
        }
    }
}

/// Anything else that an attribute can stand on.
pub(super) struct NonFunction {
    /// All of it.
    pub(super) tokens: TokenStream,
    /// What it begins with: `struct`, `impl` …
    pub(super) keyword: TokenStream,
    /// The type that it defines, if it is one without generics.
    pub(super) type_name: Option<Ident>,
}

/// Reads the item. With the error comes what could not be read.
pub(super) fn parse_item(tokens: TokenStream) -> Result<AnnotatedItem, (TokenStream, syn::Error)> {
    let all = tokens.clone();
    let read = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if is_function(input)? {
            Ok(AnnotatedItem::Function(Box::new(Function {
                tokens: all.clone(),
                attributes,
                visibility,
                signature: input.parse()?,
                body: input.parse()?,
            })))
        } else {
            non_function(all.clone(), input).map(AnnotatedItem::NonFunction)
        }
    };
    read.parse2(tokens).map_err(|error| (all, error))
}

/// Whether a `fn` follows, after nothing but what can stand before one.
fn is_function(input: ParseStream<'_>) -> syn::Result<bool> {
    let ahead = input.fork();
    ahead.parse::<Option<Token![const]>>()?;
    ahead.parse::<Option<Token![async]>>()?;
    ahead.parse::<Option<Token![unsafe]>>()?;
    if ahead.parse::<Option<Token![extern]>>()?.is_some() {
        ahead.parse::<Option<syn::LitStr>>()?;
    }
    Ok(ahead.peek(Token![fn]))
}

fn non_function(tokens: TokenStream, input: ParseStream<'_>) -> syn::Result<NonFunction> {
    let first: TokenTree = input.parse()?;
    let mut keyword = first.to_token_stream();
    if input.peek(Token![!]) {
        keyword.extend([input.parse::<TokenTree>()?]);
    }
    let is_type = ["struct", "enum", "union"].contains(&first.to_string().as_str());
    let type_name = if is_type { type_name(input) } else { None };
    input.parse::<TokenStream>()?;
    Ok(NonFunction {
        tokens,
        keyword,
        type_name,
    })
}

fn type_name(input: ParseStream<'_>) -> Option<Ident> {
    let name = input.call(Ident::parse_any).ok()?;
    let generics: Generics = input.parse().ok()?;
    generics.params.is_empty().then_some(name)
}
