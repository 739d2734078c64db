//! The errors of one annotated item.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use std::fmt;

/// The errors of one annotated item. They are collected, so that one build shows all of them.
#[derive(Default)]
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
    /// The error of an item that could not be parsed.
    unreadable: Option<syn::Error>,
}

impl Diagnostics {
    /// Adds an error at these tokens.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, diagnostic: impl fmt::Display) {
        self.errors
            .push(syn::Error::new_spanned(tokens, diagnostic));
    }

    /// Adds an error of the parser.
    pub(crate) fn add_syn_error(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    /// Adds the error of an item that could not be parsed. The compiler has parsed the item before and most likely
    /// reported the same mistake. This error is therefore shown only if it is the only one.
    pub(crate) fn add_unreadable(&mut self, error: syn::Error) {
        self.unreadable = Some(error);
    }

    /// Returns true if there are no errors.
    pub(crate) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Returns the number of errors.
    pub(crate) fn count(&self) -> usize {
        self.errors.len() + usize::from(self.unreadable.is_some())
    }
}

impl ToTokens for Diagnostics {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.errors.iter().map(syn::Error::to_compile_error));
        tokens.extend(self.unreadable.as_ref().map(unreadable));
    }
}

/// Generates the error of an item that could not be parsed. It is a lint, because the compiler checks lints last, and
/// only in code without errors.
fn unreadable(error: &syn::Error) -> TokenStream {
    let text = format!("dooers cannot read this item: {error}");
    quote_spanned! {error.span()=>
        const _: () = {
            #[allow(dead_code)]
            #[must_use = #text]
            const fn unreadable_item() {}
            #[allow(dead_code)]
            #[deny(unused_must_use)]
            fn __unreadable() {
                unreadable_item();
            }
        };
    }
}
