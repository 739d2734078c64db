//! The procedural macros of dooers. Use them through the crate `dooers`, which documents them.

use proc_macro::TokenStream;

/// See `dooers::agent`.
#[proc_macro_attribute]
pub fn agent(_options: TokenStream, item: TokenStream) -> TokenStream {
    item
}
