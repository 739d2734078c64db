//! Generates the code of a tool. All logic is in the crate `dooers`, which the code calls.

use super::approve::Approve;
use super::argument::ToolArgument;
use super::model::ToolModel;
use crate::attributes::{allowed_lints, concat_docs, doc_comment};
use crate::function::{Function, at_the_function, located_at};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Path, ReturnType};

/// Generates the implementation of `Tool` for a type that is annotated by mistake.
pub(super) fn refused_impl(crate_path: &Path, type_name: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #crate_path::Tool for #type_name {
            const NAME: &'static ::core::primitive::str = "";

            fn definition() -> #crate_path::DynamicTool {
                #crate_path::__private_tools::refused()
            }
        }
    }
}

/// Generates the implementation of `Tool`.
pub(super) fn tool_impl(function: &Function, tool: &ToolModel, tool_type: &Ident) -> TokenStream {
    let crate_path = &tool.type_options.crate_path;
    let name = &tool.name;
    let made = match &tool.arguments {
        Some(arguments) => made_tool(function, tool, arguments),
        None => quote!(#crate_path::__private_tools::refused()),
    };
    let setters = setters(tool);
    let allowed_lints = allowed_lints(&function.attributes);
    let definition = at_the_function(&function.signature.ident, "definition");
    quote! {
        #[automatically_derived]
        impl #crate_path::Tool for #tool_type {
            const NAME: &'static ::core::primitive::str = #name;

            #[allow(deprecated, unreachable_code)]
            #(#[allow(#allowed_lints)])*
            fn #definition() -> #crate_path::DynamicTool {
                #made #setters
            }
        }
    }
}

/// Generates the method calls that set the options.
fn setters(tool: &ToolModel) -> TokenStream {
    let crate_path = &tool.type_options.crate_path;
    let timeout = tool
        .timeout
        .map(|timeout| quote!(.with_timeout(::core::time::Duration::from_millis(#timeout))));
    let approval = match tool.approve {
        Some(Approve::Always) => {
            Some(quote!(.with_approval(#crate_path::tool::Approval::always())))
        }
        Some(Approve::If(_)) | None => None,
    };
    let effect = tool
        .is_read_only
        .then(|| quote!(.with_effect(#crate_path::tool::ToolEffect::Read)));
    let strict = tool.is_strict.then(|| quote!(.with_strict()));
    quote!(#timeout #approval #effect #strict)
}

/// Generates the tool: the arguments, the call of the user's function and the conversion of the return value.
///
/// Each of the user's types is checked once, at its own tokens, so that one mistake gives one error.
fn made_tool(function: &Function, tool: &ToolModel, arguments: &[ToolArgument]) -> TokenStream {
    let crate_path = &tool.type_options.crate_path;
    let tools = quote!(#crate_path::__private_tools);
    let ident = &function.signature.ident;
    let name = &tool.name;
    let description = concat_docs(&doc_comment(&function.attributes));
    let names: Vec<_> = (0..arguments.len())
        .map(|at| format_ident!("__{at}", span = Span::mixed_site()))
        .collect();
    let (mut list, mut values, mut chosen) = (quote!(()), quote!(()), quote!(()));
    for (argument, name) in arguments.iter().zip(&names).rev() {
        let argument_code = argument_code(argument, crate_path);
        list = quote!(#argument_code.and(#list));
        values = quote!((#name, #values));
        if let ToolArgument::Value { .. } = argument {
            chosen = quote!((#name, #chosen));
        }
    }
    // The compiler reports a future that is not `Send` at the function's name.
    let call =
        quote_spanned!(located_at(ident.span())=> ::std::boxed::Box::pin(#ident(#(#names),*)));
    let converter = converter(function, crate_path);
    if let Some(Approve::If(predicate)) = &tool.approve {
        let is_value =
            |(argument, _): &(&ToolArgument, _)| matches!(argument, ToolArgument::Value { .. });
        // Errors about the arguments and the return type of the predicate are at its path.
        let place = located_at(predicate.span());
        let pairs = arguments.iter().zip(&names).filter(is_value);
        let names = pairs.map(|(_, name)| Ident::new(&name.to_string(), place));
        let asked = quote_spanned!(place=> #predicate(#(#names),*));
        return quote! {
            #tools::annotated_with_approval(
                #name, #description, #list, |#chosen| #asked, |#values| #call, #converter
            )
        };
    }
    quote!(#tools::annotated(#name, #description, #list, |#values| #call, #converter))
}

/// Generates one argument.
fn argument_code(argument: &ToolArgument, crate_path: &Path) -> TokenStream {
    let any = quote!(#crate_path::__private_tools::AnyArgument);
    match argument {
        ToolArgument::Value {
            name,
            description,
            ty,
            default,
        } => {
            let description = concat_docs(description);
            let default = default.as_ref().map(|default| {
                let json = default.json(crate_path);
                quote!(.with_default(#json))
            });
            quote!(<#ty as #any>::value(#name, #description) #default)
        }
        ToolArgument::Context(ty) => quote!(<#ty as #any>::context()),
    }
}

/// Generates the function that converts the return value.
fn converter(function: &Function, crate_path: &Path) -> TokenStream {
    let tools = quote!(#crate_path::__private_tools);
    if let ReturnType::Default = function.signature.output {
        return quote!(<() as #tools::AnyReturn>::returned().converter());
    }
    // A type that a tool cannot return is an error at the place of the whole expression.
    let place = located_at(function.output_span());
    if let Some(ty) = function.nameable_output() {
        return quote_spanned!(place=> <#ty as #tools::AnyReturn>::returned().converter());
    }
    quote_spanned!(place=> |__output| (#tools::returned)(&__output).converter()(__output))
}
