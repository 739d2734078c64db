//! The procedural macros of dooers. Use them through the crate `dooers`, which documents them.

mod agent;
mod mistake;
mod options;

use proc_macro::TokenStream;

#[expect(missing_docs, reason = "`dooers` documents it where it passes it on")]
#[proc_macro_attribute]
pub fn agent(options: TokenStream, item: TokenStream) -> TokenStream {
    agent::expand(options.into(), item.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn __beside(items: TokenStream, item: TokenStream) -> TokenStream {
    [item, items].into_iter().collect()
}
