//! The steps of the derive macro: parse, check, expand.

use super::{expand, model};
use crate::diagnostic::Diagnostics;
use proc_macro2::TokenStream;
use syn::DeriveInput;

/// Expands to the implementations of the settings traits, and to the errors.
pub(crate) fn expand_settings(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let model = model::check_struct(&input, &mut diagnostics);
    expand::settings(&model, &diagnostics)
}
