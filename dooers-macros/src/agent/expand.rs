//! Writes the code. All logic is in the runtime: generated code only calls it.

use super::model::{AgentModel, is_agent_attribute};
use super::parse::{Function, NonFunction};
use crate::attributes::concat_docs;
use crate::diagnostic::Diagnostics;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, Path, Type};

/// The item as it is, and what is wrong with it.
pub(super) fn passthrough(item: &TokenStream, diagnostics: &Diagnostics) -> TokenStream {
    quote!(#item #diagnostics)
}

/// Something that is no function. A type is treated as an agent nevertheless, so that uses of it are no further
/// mistakes.
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

/// The function and its agent.
///
/// With mistakes the agent is not registered, but it exists, so that uses of it are no further mistakes.
pub(super) fn function(
    function: &Function,
    agent: &AgentModel,
    diagnostics: &Diagnostics,
) -> TokenStream {
    if function.signature.receiver().is_some() {
        // In an `impl` block no type can be defined.
        return diagnostics.to_token_stream();
    }
    let item = if agent.argument_types.is_some() {
        function.tokens.clone()
    } else {
        sanitized(function)
    };
    if !function.has_body() {
        // It stands in a trait, where no type can be defined.
        return quote!(#item #diagnostics);
    }
    let agent_impl = agent_impl(function, agent, diagnostics.count() == 0);
    let agent_type = agent_type(function, agent, &agent_impl);
    quote!(#item #diagnostics #agent_type)
}

/// The function without what the compiler would refuse for its own part.
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

/// The type that stands for the agent, and all that belongs to it.
///
/// Its own name is an alias: where that name is taken, nothing but the alias is wrong. All is one item, as an
/// attribute brings the rest: in an `impl` block, where no item can be, nothing but that one is wrong.
fn agent_type(function: &Function, agent: &AgentModel, agent_impl: &TokenStream) -> TokenStream {
    let AgentModel {
        crate_path,
        cfg_attributes,
        type_name,
        ..
    } = agent;
    let (visibility, hidden) = (&function.visibility, hidden_type_name(function));
    let doc = format!(
        " The agent of the function [`{0}`](fn@{0}): its name for `WorkerServer::agent`.",
        function.signature.ident
    );
    let alias =
        quote_spanned!(located_at(type_name.span())=> #visibility type #type_name = #hidden;);
    let item = quote_spanned!(hidden.span()=> #visibility struct #hidden {});
    quote! {
        #(#cfg_attributes)*
        #[#crate_path::__private::beside(
            #[doc = #doc]
            #[allow(non_camel_case_types, dead_code)]
            #alias
            #agent_impl
        )]
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #[non_exhaustive]
        #item
    }
}

fn hidden_type_name(function: &Function) -> Ident {
    let name = &function.signature.ident;
    format_ident!("__dooers_{}", name.unraw(), span = located_at(name.span()))
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
    let is_default = agent.is_default.then(|| quote!(.as_default()));
    let has_manual_runs = agent.has_manual_runs.then(|| quote!(.with_manual_runs()));
    let call = agent
        .argument_types
        .as_ref()
        .map(|types| call_fn(function, agent, types));
    let types = agent.argument_types.as_deref().unwrap_or_default();
    let requires = (!types.is_empty()).then(|| requires_fn(agent, types));
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
                        #policy
                        #requiring;
            }
            #registration
        };
    }
}

/// The function that the runtime calls: makes the arguments, calls the user's function, takes what it returns.
///
/// Each check of the user's types is where the value is needed, with their own tokens: one mistake, one error.
fn call_fn(function: &Function, agent: &AgentModel, types: &[Type]) -> TokenStream {
    let allowed_lints = &agent.allowed_lints;
    let ident = &function.signature.ident;
    let turn = Ident::new("__turn", Span::mixed_site());
    let names: Vec<_> = (0..types.len())
        .map(|at| format_ident!("__{at}", span = Span::mixed_site()))
        .collect();
    let future = Ident::new("__future", located_at(ident.span()));
    // A future that is not `Send` is reported at the function's name. A bound of a function of ours would be named, too.
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
        fn __call(#turn: __dooers::Turn) -> __dooers::__private::AgentFuture {
            __dooers::__private::call(async move {
                #(let #names = __dooers::__private::argument::<#types>(&#turn).await?;)*
                let #reply = #handled.await;
                #into_reply(#reply)
            })
        }
    }
}

/// The function that the runtime asks what the arguments need.
fn requires_fn(agent: &AgentModel, types: &[Type]) -> TokenStream {
    let allowed_lints = &agent.allowed_lints;
    let requirements = Ident::new("__requirements", Span::mixed_site());
    quote! {
        #[allow(deprecated)]
        #(#[allow(#allowed_lints)])*
        fn __requires(#requirements: &mut __dooers::Requirements) {
            #[allow(unused_imports)]
            use __dooers::__private::{Requires as _, RequiresNothing as _};
            #((&__dooers::__private::Probe::<#types>::OF).requires(#requirements);)*
        }
    }
}

/// Our code, where the user's stands: messages on it point there and say that it is ours.
fn located_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}
