//! Generates the code of an agent. All logic is in the crate `dooers`, which the code calls.

use super::model::{AgentModel, is_agent_attribute, is_entry_point};
use super::parse::{Function, NonFunction};
use crate::attributes::concat_docs;
use crate::diagnostic::Diagnostics;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, Path, Type};

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
            const _: () = {
                use #crate_path as __dooers;
                #[automatically_derived]
                impl __dooers::Agent for #name {
                    const DEFINITION: __dooers::AgentDefinition =
                        __dooers::AgentDefinition::new("", "", __dooers::__private::refused);
                }
            };
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
    let agent_impl = agent_impl(function, agent, diagnostics.is_empty());
    let agent_type = agent_type(function, agent, &agent_impl);
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
fn agent_type(function: &Function, agent: &AgentModel, agent_impl: &TokenStream) -> TokenStream {
    let AgentModel {
        crate_path,
        cfg_attributes,
        type_name,
        ..
    } = agent;
    let (visibility, hidden) = (&function.visibility, hidden_type_name(function));
    let alias = type_name
        .as_ref()
        .map(|name| alias(function, name, &hidden));
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

fn agent_impl(function: &Function, agent: &AgentModel, is_valid: bool) -> TokenStream {
    let AgentModel {
        crate_path,
        name,
        policy,
        ..
    } = agent;
    let agent_type = hidden_type_name(function);
    let description = concat_docs(&agent.description);
    let is_default = agent.is_default.then(|| quote!(.with_default()));
    let has_manual_runs = agent.has_manual_runs.then(|| quote!(.with_manual_runs()));
    let private_threads = agent
        .private_threads
        .map(|private| quote!(.with_private_threads(#private)));
    let call = agent
        .argument_types
        .as_ref()
        .map(|types| call_fn(function, agent, types));
    let types = agent.argument_types.as_deref().unwrap_or_default();
    let requires = (!types.is_empty()).then(|| requires_fn(function, agent, types));
    let requiring = requires.as_ref().map(|_| quote!(.requiring(__requires)));
    let called = match call {
        Some(_) => quote!(__call),
        None => quote!(__dooers::__private::refused),
    };
    let registration = is_valid.then(|| {
        quote! {
            __dooers::__private::inventory::submit! {
                __dooers::__private::Registered::of::<#agent_type>()
            }
        }
    });
    quote! {
        const _: () = {
            use #crate_path as __dooers;
            #call
            #requires
            #[automatically_derived]
            impl __dooers::Agent for #agent_type {
                const DEFINITION: __dooers::AgentDefinition =
                    __dooers::AgentDefinition::new(#name, #description, #called)
                        #is_default
                        #has_manual_runs
                        #private_threads
                        #policy
                        #requiring;
            }
            #registration
        };
    }
}

/// Generates the function that the runtime calls. It makes the arguments, calls the user's function and converts the
/// return value.
///
/// Each of the user's types is checked once, at its own tokens, so that one mistake gives one error.
fn call_fn(function: &Function, agent: &AgentModel, types: &[Type]) -> TokenStream {
    let allowed_lints = &agent.allowed_lints;
    let ident = &function.signature.ident;
    let turn = Ident::new("__turn", Span::mixed_site());
    let names: Vec<_> = (0..types.len())
        .map(|at| format_ident!("__{at}", span = Span::mixed_site()))
        .collect();
    let call = at_the_function(ident, "__call");
    let future = Ident::new("__future", located_at(ident.span()));
    // The compiler reports a future that is not `Send` at the function's name. With a bound instead of this coercion,
    // the error would also name our function.
    let handled = quote_spanned! {located_at(ident.span())=> {
        let #future: __dooers::__private::Handled<_> = ::std::boxed::Box::pin(#ident(#(#names),*));
        #future
    }};
    let output = function.nameable_output();
    let reply = Ident::new("__reply", located_at(function.output_span()));
    let into_reply = match output {
        Some(ty) => quote!(<#ty as __dooers::IntoReply>::into_reply),
        None => quote!(__dooers::IntoReply::into_reply),
    };
    quote! {
        #[allow(deprecated, unreachable_code)]
        #(#[allow(#allowed_lints)])*
        fn #call(#turn: __dooers::Turn) -> __dooers::__private::AgentFuture {
            __dooers::__private::call(async move {
                #(let #names = <#types as __dooers::__private::AnyType>::argument(&#turn).await?;)*
                let #reply = #handled.await;
                #into_reply(#reply)
            })
        }
    }
}

/// Generates the function that returns the requirements of the arguments.
fn requires_fn(function: &Function, agent: &AgentModel, types: &[Type]) -> TokenStream {
    let allowed_lints = &agent.allowed_lints;
    let requires = at_the_function(&function.signature.ident, "__requires");
    let requirements = Ident::new("__requirements", Span::mixed_site());
    quote! {
        #[allow(deprecated)]
        #(#[allow(#allowed_lints)])*
        fn #requires(#requirements: &mut __dooers::Requirements) {
            #[allow(unused_imports)]
            use __dooers::__private::{Requires as _, RequiresNothing as _};
            #((&<#types as __dooers::__private::AnyType>::PROBE).requires(#requirements);)*
        }
    }
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
