//! `#[dooers::agent]`.

mod duration;
mod expand;
mod model;
mod parse;
mod policy;
#[cfg(test)]
mod tests;

use crate::diagnostic::Mistakes;
use proc_macro2::TokenStream;

/// The annotated item, followed by what makes it an agent, or by what is wrong with it.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let item = match parse::item(item) {
        Ok(item) => item,
        Err((item, error)) => {
            mistakes.add_foreign(error);
            return expand::untouched(&item, &mistakes);
        }
    };
    match item {
        parse::Item::Function(function) => {
            let agent = model::agent(&function, options, &mut mistakes);
            expand::function(&function, &agent, &mistakes)
        }
        parse::Item::Other(other) => {
            let runtime = model::no_function(&other, options, &mut mistakes);
            expand::other(&other, &runtime, &mistakes)
        }
    }
}
