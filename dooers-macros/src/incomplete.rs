//! Items that could not be parsed, because their code is incomplete. Their names are still used, so that other errors do
//! not follow.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, DeriveInput, Ident, Token, Visibility, parse_quote};

/// Returns the struct or enum without its fields or variants. `None` if it is generic, or if its name is missing too.
pub(crate) fn type_without_body(tokens: TokenStream) -> Option<DeriveInput> {
    let read = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility: Visibility = input.parse()?;
        let is_enum = input.parse::<Option<Token![enum]>>()?.is_some();
        let keyword = if is_enum {
            quote!(enum)
        } else {
            input.parse::<Token![struct]>()?;
            quote!(struct)
        };
        let name: Ident = input.parse()?;
        let is_generic = input.peek(Token![<]);
        input.parse::<TokenStream>()?;
        let item = parse_quote!(#(#attributes)* #visibility #keyword #name {});
        Ok((!is_generic).then_some(item))
    };
    read.parse2(tokens).ok().flatten()
}

/// Returns the attributes, the visibility and the name of a function.
pub(crate) fn function_name(tokens: TokenStream) -> Option<(Vec<Attribute>, Visibility, Ident)> {
    let read = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        while !input.peek(Token![fn]) {
            // Only qualifiers such as `async` precede the keyword.
            input.call(Ident::parse_any)?;
        }
        input.parse::<Token![fn]>()?;
        let name = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok((attributes, visibility, name))
    };
    read.parse2(tokens).ok()
}

#[cfg(test)]
mod tests {
    use super::{function_name, type_without_body};

    #[test]
    fn name_is_read_from_incomplete_code() {
        for source in ["pub async fn a -> {}", "async fn a(b: ) {}", "fn a"] {
            let (_, _, name) = function_name(source.parse().expect("tokens")).expect("a name");
            assert_eq!(name, "a", "{source}");
        }
        for source in ["struct A { b: }", "pub enum A { B C }", "struct A"] {
            let item = type_without_body(source.parse().expect("tokens")).expect("a name");
            assert_eq!(item.ident, "A", "{source}");
        }
        for source in ["fn async a() {}", "fn", "struct A { b: }", ""] {
            assert!(function_name(source.parse().expect("tokens")).is_none());
        }
        for source in ["struct A<T> { b: }", "struct { b: }", ""] {
            assert!(type_without_body(source.parse().expect("tokens")).is_none());
        }
    }
}
