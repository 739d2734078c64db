//! The steps of the attribute macro: parse, check, expand.

use super::{expand, model, parse};
use crate::diagnostic::Diagnostics;
use proc_macro2::TokenStream;

/// Expands to the annotated item, the implementation of `Agent` and the errors.
pub(crate) fn expand_agent(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let item = match parse::parse_item(item) {
        Ok(item) => item,
        Err((item, error)) => {
            diagnostics.add_unreadable(error);
            let Some(function) = parse::incomplete_function(item.clone()) else {
                return expand::passthrough(&item, &diagnostics);
            };
            let agent = model::incomplete_agent(&function, options, &mut diagnostics);
            return expand::function(&function, &agent, &diagnostics);
        }
    };
    match item {
        parse::AnnotatedItem::Function(function) => {
            let agent = model::check_agent(&function, options, &mut diagnostics);
            expand::function(&function, &agent, &diagnostics)
        }
        parse::AnnotatedItem::NonFunction(item) => {
            let crate_path = model::reject_non_function(&item, options, &mut diagnostics);
            expand::non_function(&item, &crate_path, &diagnostics)
        }
    }
}
