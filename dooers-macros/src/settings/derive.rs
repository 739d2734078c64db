//! The steps of the derive macro: parse, check, expand.

use super::{expand, model};
use crate::diagnostic::Diagnostics;
use crate::incomplete::type_without_body;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::DeriveInput;

/// Expands to the implementations of the settings traits, and to the errors.
pub(crate) fn expand_settings(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let input: DeriveInput = match syn::parse2(item.clone()) {
        Ok(input) => input,
        Err(error) => {
            diagnostics.add_unreadable(error);
            match type_without_body(item) {
                Some(input) => input,
                None => return diagnostics.to_token_stream(),
            }
        }
    };
    let model = model::check_struct(&input, &mut diagnostics);
    expand::settings(&model, &diagnostics)
}
