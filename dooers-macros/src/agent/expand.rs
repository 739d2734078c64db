//! Generates the code of an agent. All logic is in the crate `dooers`, which the code calls.

use super::model::AgentModel;
use crate::attributes::{allowed_lints, concat_docs, doc_comment};
use crate::function::{Function, at_the_function, located_at};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Path, ReturnType, Type};

/// Generates the implementation of `Agent` for a type that is annotated by mistake.
pub(super) fn refused_impl(crate_path: &Path, type_name: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #crate_path::Agent for #type_name {
            const DEFINITION: #crate_path::AgentDefinition =
                #crate_path::AgentDefinition::new("", "", #crate_path::__private::refused);
        }
    }
}

/// Generates the implementation of `Agent`. An agent with errors is not registered.
pub(super) fn agent_impl(
    function: &Function,
    agent: &AgentModel,
    agent_type: &Ident,
    is_valid: bool,
) -> TokenStream {
    let AgentModel { name, policy, .. } = agent;
    let crate_path = &agent.type_options.crate_path;
    let description = concat_docs(&doc_comment(&function.attributes));
    let is_default = agent.is_default.then(|| quote!(.with_default()));
    let has_manual_runs = agent.has_manual_runs.then(|| quote!(.with_manual_runs()));
    let private_threads = agent
        .private_threads
        .map(|private| quote!(.with_private_threads(#private)));
    let policy = policy.setters(crate_path);
    let tools = agent
        .tools
        .as_ref()
        .map(|tools| with_tools(tools, crate_path));
    let types = agent.argument_types.as_ref();
    let handler = types.map(|types| handler_fn(function, agent, types));
    let handled_by = match handler {
        Some(_) => quote!(__handler),
        None => quote!(#crate_path::__private::refused),
    };
    let registration = is_valid.then(|| {
        quote! {
            #crate_path::__private::inventory::submit! {
                #crate_path::__private::Registered(#crate_path::AgentDefinition::of::<#agent_type>)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #crate_path::Agent for #agent_type {
            const DEFINITION: #crate_path::AgentDefinition = {
                #handler
                #crate_path::AgentDefinition::new(#name, #description, #handled_by)
                    #is_default
                    #has_manual_runs
                    #private_threads
                    #policy
                    #tools
            };
        }
        #registration
    }
}

/// Generates the method call that adds the tools. A path that is not a tool is an error at the path.
fn with_tools(tools: &[Path], crate_path: &Path) -> TokenStream {
    quote! {
        .with_annotated_part(|| #crate_path::__private_tools::part(
            #crate_path::Tools::new()
                #(.with_tool(<#tools as #crate_path::Tool>::definition()))*
        ))
    }
}

/// Generates the function that returns the handler: the arguments, the call of the user's function and the conversion of the
/// return value.
///
/// Each of the user's types is checked once, at its own tokens, so that one mistake gives one error.
fn handler_fn(function: &Function, agent: &AgentModel, types: &[Type]) -> TokenStream {
    let crate_path = &agent.type_options.crate_path;
    let allowed_lints = allowed_lints(&function.attributes);
    let ident = &function.signature.ident;
    let names: Vec<_> = (0..types.len())
        .map(|at| format_ident!("__{at}", span = Span::mixed_site()))
        .collect();
    let handler = at_the_function(ident, "__handler");
    let (mut arguments, mut values) = (quote!(()), quote!(()));
    for (ty, name) in types.iter().zip(&names).rev() {
        arguments = quote!(<#ty as #crate_path::__private::AnyType>::argument().and(#arguments));
        values = quote!((#name, #values));
    }
    // The compiler reports a future that is not `Send` at the function's name. With a bound instead of the coercion of the
    // box, the error would also name our function.
    let call =
        quote_spanned!(located_at(ident.span())=> ::std::boxed::Box::pin(#ident(#(#names),*)));
    let into_reply = into_reply(function, crate_path);
    quote! {
        #[allow(deprecated, unreachable_code)]
        #(#[allow(#allowed_lints)])*
        fn #handler() -> #crate_path::__private::Handler {
            #crate_path::__private::handler(#arguments, |#values| #call, #into_reply)
        }
    }
}

/// Generates the function that converts the return value.
fn into_reply(function: &Function, crate_path: &Path) -> TokenStream {
    if let ReturnType::Default = function.signature.output {
        return quote!(<() as #crate_path::IntoReply>::into_reply);
    }
    if let Some(ty) = function.nameable_output() {
        return quote!(<#ty as #crate_path::IntoReply>::into_reply);
    }
    let reply = Ident::new("__reply", located_at(function.output_span()));
    quote!(|#reply| #crate_path::IntoReply::into_reply(#reply))
}
