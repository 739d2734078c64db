//! The attribute macro, made of the steps that it shares with other macros for functions.

use super::argument::clean_arguments;
use super::expand::{refused_impl, tool_impl};
use super::model::{TOOL_OPTIONS, ToolModel, check_tool};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::function::{Function, FunctionMacro, Role, TypeOptions, cleaned, expand};
use crate::options::OptionTable;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, Path};

/// The words for tools.
pub(super) const TOOL: Role = Role {
    name: "tool",
    with_article: "a tool",
    macro_name: "#[dooers::tool]",
    purpose: "a model can call",
    start: "a model calls it",
    caller: "a model calls a tool",
    unit: "call",
    instead_of_str: "write `String`",
    type_suffix: "Tool",
    taken_by: "Tools::with",
};

/// Expands to the annotated item, the implementation of `Tool` and the errors.
pub(crate) fn expand_tool(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::<ToolModel>(options, item)
}

/// Expands to the annotated item and one error, because a program without the feature `tools` has no tools.
pub(crate) fn without_feature(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let item = cleaned::<ToolModel>(item);
    let attribute = quote_spanned!(Span::call_site()=> tool);
    let subject = "`#[dooers::tool]`";
    diagnostics.add(attribute, Diagnostic::FeatureIsMissing { subject });
    quote!(#item #diagnostics)
}

impl FunctionMacro for ToolModel {
    const ROLE: &'static Role = &TOOL;
    const OPTIONS: &'static OptionTable = &TOOL_OPTIONS;

    fn check(function: &Function, options: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        check_tool(function, options, diagnostics)
    }

    fn clean(function: &mut Function) -> bool {
        clean_arguments(&mut function.signature)
    }

    fn type_options(&self) -> &TypeOptions {
        &self.type_options
    }

    fn is_callable(&self) -> bool {
        self.arguments.is_some()
    }

    fn implementation(&self, function: &Function, hidden: &Ident, _: bool) -> TokenStream {
        tool_impl(function, self, hidden)
    }

    fn refused(crate_path: &Path, type_name: &Ident) -> TokenStream {
        refused_impl(crate_path, type_name)
    }
}
