//! `#[derive(WorkerSettings)]`.

mod allowed_keys;
mod default;
mod expand;
mod field;
mod field_type;
mod format;
mod model;
mod number;
mod pattern;
pub(crate) mod step;
#[cfg(test)]
mod tests;
mod text;

use crate::diagnostic::Diagnostics;
use proc_macro2::TokenStream;
use syn::DeriveInput;

/// What makes the struct settings, or what is wrong with it.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let model = model::check_struct(&input, &mut diagnostics);
    expand::settings(&model, &diagnostics)
}

/// The tokens of all `#[setting(…)]` of an item, one after the other.
pub(crate) fn setting_options(
    attributes: &[syn::Attribute],
    diagnostics: &mut Diagnostics,
) -> TokenStream {
    let mut all = TokenStream::new();
    for attribute in crate::attributes::attributes_named(attributes, "setting") {
        match attribute.meta.require_list() {
            Ok(list) => {
                if !all.is_empty() {
                    all.extend(quote::quote!(,));
                }
                all.extend(list.tokens.clone());
            }
            Err(_) => diagnostics.add(
                &attribute,
                crate::diagnostic::Diagnostic::InvalidAttributeForm,
            ),
        }
    }
    all
}
