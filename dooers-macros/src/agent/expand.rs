//! Generates the code of an agent. All logic is in the crate `dooers`, which the code calls.

use super::model::{AgentModel, is_agent_attribute, is_entry_point};
use super::parse::{Function, NonFunction};
use crate::attributes::concat_docs;
use crate::diagnostic::Diagnostics;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, Path, ReturnType, Type};

/// Generates the unchanged item and the errors.
pub(super) fn passthrough(item: &TokenStream, diagnostics: &Diagnostics) -> TokenStream {
    quote!(#item #diagnostics)
}

/// Generates an item that is not a function, and the errors. A type still implements `Agent`, so that its uses do not
/// cause further errors.
pub(super) fn non_function(
    item: &NonFunction,
    crate_path: &Path,
    diagnostics: &Diagnostics,
) -> TokenStream {
    let fallback = item.type_name.as_ref().map(|name| {
        quote! {
            #[automatically_derived]
            impl #crate_path::Agent for #name {
                const DEFINITION: #crate_path::AgentDefinition =
                    #crate_path::AgentDefinition::new("", "", #crate_path::__private::refused);
            }
        }
    });
    let tokens = &item.tokens;
    quote!(#tokens #diagnostics #fallback)
}

/// Generates the function, its agent and the errors.
///
/// An agent with errors is not registered. It still implements `Agent`, so that its uses do not cause further errors.
pub(super) fn function(
    function: &Function,
    agent: &AgentModel,
    diagnostics: &Diagnostics,
) -> TokenStream {
    if function.is_associated() && !function.is_in_associated_block {
        // If this is a free function, the compiler also reports its `self` or `Self`.
        return diagnostics.to_token_stream();
    }
    let item = if agent.argument_types.is_some() || !function.is_complete {
        function.tokens.clone()
    } else if is_entry_point(function) {
        entry_point(function)
    } else {
        sanitized(function)
    };
    if !function.has_body() || function.is_in_associated_block {
        // A trait or an `impl` block cannot contain the type of the agent.
        return quote!(#item #diagnostics);
    }
    let hidden = hidden_type_name(function);
    let agent_impl = agent_impl(function, agent, &hidden, diagnostics.is_empty());
    let agent_type = agent_type(function, agent, &hidden, &agent_impl);
    // An agent must be `async`, even if it awaits nothing.
    quote!(#[allow(clippy::unused_async)] #item #diagnostics #agent_type)
}

/// Replaces a function that the program starts, so that its own attributes and rules cause no further errors.
fn entry_point(function: &Function) -> TokenStream {
    let visibility = &function.visibility;
    let name = &function.signature.ident;
    quote!(#[allow(dead_code)] #visibility fn #name() {})
}

/// Removes the parts of a function that the compiler would report a second time.
fn sanitized(function: &Function) -> TokenStream {
    let mut signature = function.signature.clone();
    signature.constness = None;
    let is_variadic = signature.variadic.take().is_some();
    let (unused, body) = if is_variadic || !function.has_body() {
        (
            Some(quote!(#[allow(unused_variables)])),
            quote!({ ::core::unreachable!() }),
        )
    } else {
        (None, function.body.clone())
    };
    let attributes = function
        .attributes
        .iter()
        .filter(|attribute| !is_agent_attribute(attribute));
    let visibility = &function.visibility;
    quote!(#(#attributes)* #unused #visibility #signature #body)
}

/// Generates the type of the agent and its implementation.
///
/// The type has a hidden name, and its public name is an alias. If the public name is taken, only the alias is an
/// error. All other items are passed to an attribute of the type. In an `impl` block, which cannot contain items, only
/// the type is an error.
fn agent_type(
    function: &Function,
    agent: &AgentModel,
    hidden: &Ident,
    agent_impl: &TokenStream,
) -> TokenStream {
    let AgentModel {
        crate_path,
        cfg_attributes,
        type_name,
        ..
    } = agent;
    let visibility = &function.visibility;
    let alias = type_name.as_ref().map(|name| alias(function, name, hidden));
    let item = quote_spanned!(hidden.span()=> #visibility struct #hidden {});
    quote! {
        #(#cfg_attributes)*
        #[#crate_path::__private::beside(
            #alias
            #agent_impl
        )]
        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_debug_implementations)]
        #[non_exhaustive]
        #item
    }
}

/// Generates the public name of the type.
///
/// The compiler reports a name that is defined twice only once at each place. An alias with the name of the function
/// is at the place of the function, so that a second function of this name is one error, not two.
fn alias(function: &Function, type_name: &Ident, hidden: &Ident) -> TokenStream {
    let visibility = &function.visibility;
    let name = &function.signature.ident;
    let item = if type_name == name {
        let (first, last) = function.ends();
        let keyword = quote_spanned!(first=> type);
        let end = quote_spanned!(last=> ;);
        quote!(#visibility #keyword #type_name = #hidden #end)
    } else {
        let place = located_at(type_name.span());
        quote_spanned!(place=> #visibility type #type_name = #hidden;)
    };
    let doc = format!(" The type of the agent [`{name}`](fn@{name}), for `WorkerServer::agent`.");
    quote! {
        #[doc = #doc]
        #[allow(non_camel_case_types, dead_code)]
        #[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
        #item
    }
}

/// Returns the name of the type. It contains the place, so that a function that was copied and not renamed does not
/// define the same type twice.
fn hidden_type_name(function: &Function) -> Ident {
    let name = &function.signature.ident;
    let place = located_at(name.span());
    let name = name.unraw();
    // Unit tests have no lines and columns.
    if !proc_macro::is_available() {
        return format_ident!("__dooers_{name}", span = place);
    }
    let (line, column) = (place.unwrap().line(), place.unwrap().column());
    format_ident!("__dooers_{name}_{line}_{column}", span = place)
}

fn agent_impl(
    function: &Function,
    agent: &AgentModel,
    agent_type: &Ident,
    is_valid: bool,
) -> TokenStream {
    let AgentModel {
        crate_path,
        name,
        policy,
        ..
    } = agent;
    let description = concat_docs(&agent.description);
    let is_default = agent.is_default.then(|| quote!(.with_default()));
    let has_manual_runs = agent.has_manual_runs.then(|| quote!(.with_manual_runs()));
    let private_threads = agent
        .private_threads
        .map(|private| quote!(.with_private_threads(#private)));
    let policy = policy.setters(crate_path);
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
            };
        }
        #registration
    }
}

/// Generates the function that returns the handler: the arguments, the call of the user's function and the conversion of the
/// return value.
///
/// Each of the user's types is checked once, at its own tokens, so that one mistake gives one error.
fn handler_fn(function: &Function, agent: &AgentModel, types: &[Type]) -> TokenStream {
    let AgentModel {
        crate_path,
        allowed_lints,
        ..
    } = agent;
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

/// Names a generated function that repeats the user's types.
///
/// The name is at the user's function. If a type does not exist, rustc suggests a type parameter after the name of the
/// function, and only reports a type once if all suggestions are the same. For this reason, the types also stand where
/// they are not generic arguments themselves, as in `<#type as …>`.
fn at_the_function(function: &Ident, name: &str) -> Ident {
    Ident::new(name, function.span())
}

/// Returns the span of generated code at a place in the user's code. Errors point there and name the macro.
fn located_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}
