//! The procedural macros of dooers. Use them through the crate `dooers`, which documents them.

mod agent;
mod attributes;
mod choice;
mod diagnostic;
mod function;
mod incomplete;
mod literal;
mod number_literal;
mod options;
mod rename;
mod settings;
mod suggest;
mod syntax;
mod tool;
mod words;

use proc_macro::TokenStream;

#[expect(
    missing_docs,
    reason = "the crate `dooers` documents it where it exports it"
)]
#[proc_macro_attribute]
pub fn agent(options: TokenStream, item: TokenStream) -> TokenStream {
    agent::expand_agent(options.into(), item.into()).into()
}

#[expect(
    missing_docs,
    reason = "the crate `dooers` documents it where it exports it"
)]
#[proc_macro_attribute]
pub fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    if cfg!(feature = "tools") {
        tool::expand_tool(options.into(), item.into()).into()
    } else {
        tool::without_feature(item.into()).into()
    }
}

#[expect(
    missing_docs,
    reason = "the crate `dooers` documents it where it exports it"
)]
#[proc_macro_derive(WorkerSettings, attributes(setting))]
pub fn worker_settings(item: TokenStream) -> TokenStream {
    settings::expand_settings(item.into()).into()
}

#[expect(
    missing_docs,
    reason = "the crate `dooers` documents it where it exports it"
)]
#[proc_macro_derive(SettingChoice, attributes(setting, default))]
pub fn setting_choice(item: TokenStream) -> TokenStream {
    choice::expand_choice(item.into()).into()
}

/// Expands to the annotated item, followed by the items in the attribute.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn __beside(items: TokenStream, item: TokenStream) -> TokenStream {
    [item, items].into_iter().collect()
}
