//! Writes the code. All logic is in the runtime: generated code only calls it.

use super::model::Agent;
use super::parse::{Function, Other};
use crate::mistake::Mistakes;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, FnArg, Ident, Path, Signature, Type};

/// The item as it is, and what is wrong with it.
pub(super) fn untouched(item: &TokenStream, mistakes: &Mistakes) -> TokenStream {
    quote!(#item #mistakes)
}

/// Something that is no function. A type is treated as an agent nevertheless, so that uses of it are no further
/// mistakes.
pub(super) fn other(other: &Other, runtime: &Path, mistakes: &Mistakes) -> TokenStream {
    let item = &other.tokens;
    let fallback = other.type_name.as_ref().map(|name| {
        quote! {
            const _: () = {
                use #runtime as __dooers;
                #[automatically_derived]
                impl __dooers::Agent for #name {
                    const DEFINITION: __dooers::AgentDefinition =
                        __dooers::AgentDefinition::new("", "", __dooers::__private::refused);
                }
            };
        }
    });
    quote!(#item #mistakes #fallback)
}

/// The function and its agent.
///
/// With mistakes the agent is not registered, but it exists, so that uses of it are no further mistakes.
pub(super) fn function(function: &Function, agent: &Agent, mistakes: &Mistakes) -> TokenStream {
    if function.signature.receiver().is_some() {
        // In an `impl` block no type can be defined.
        return mistakes.to_token_stream();
    }
    let item = if agent.arguments.is_some() {
        function.tokens.clone()
    } else {
        repaired(function)
    };
    let agent_type = agent_type(function, agent);
    let implementation = implementation(function, agent, mistakes.count() == 0);
    quote!(#item #mistakes #agent_type #implementation)
}

/// The function without what the compiler would refuse for its own part.
fn repaired(function: &Function) -> TokenStream {
    let mut signature = function.signature.clone();
    if signature.asyncness.is_some() {
        signature.constness = None;
    }
    let is_variadic = signature.variadic.take().is_some();
    let body = if is_variadic || !function.has_body() {
        quote!({ ::core::unreachable!() })
    } else {
        function.body.clone()
    };
    let unused = is_variadic.then(|| quote!(#[allow(unused_variables)]));
    let (attributes, visibility) = (&function.attributes, &function.visibility);
    quote!(#(#attributes)* #unused #visibility #signature #body)
}

/// The type that stands for the agent.
fn agent_type(function: &Function, agent: &Agent) -> TokenStream {
    let (conditions, visibility) = (&agent.conditions, &function.visibility);
    // Located at the name, but made by the macro: messages on it say so.
    let name = located(&agent.type_name);
    let doc = format!(
        " The agent of the function [`{0}`](fn@{0}): its name for `WorkerServer::agent`.",
        function.signature.ident
    );
    quote! {
        #(#conditions)*
        #[doc = #doc]
        #[allow(non_camel_case_types)]
        #[non_exhaustive]
        #visibility struct #name {}
    }
}

fn implementation(function: &Function, agent: &Agent, is_right: bool) -> TokenStream {
    let Agent {
        runtime,
        name,
        conditions,
        ..
    } = agent;
    let agent_type = located(&agent.type_name);
    let description = description(&agent.description);
    let is_default = agent.is_default.then(|| quote!(.as_default()));
    let has_manual_runs = agent.has_manual_runs.then(|| quote!(.with_manual_runs()));
    let call = agent
        .arguments
        .as_ref()
        .map(|types| call(function, agent, types));
    let called = match call {
        Some(_) => quote!(__call),
        None => quote!(__dooers::__private::refused),
    };
    let registration = is_right.then(|| {
        quote! {
            __dooers::__private::inventory::submit! {
                __dooers::__private::Registered::of::<#agent_type>()
            }
        }
    });
    quote! {
        #(#conditions)*
        const _: () = {
            use #runtime as __dooers;
            #call
            #[automatically_derived]
            impl __dooers::Agent for #agent_type {
                const DEFINITION: __dooers::AgentDefinition =
                    __dooers::AgentDefinition::new(#name, #description, #called)
                        #is_default
                        #has_manual_runs;
            }
            #registration
        };
    }
}

/// The function that the runtime calls: makes the arguments, calls the user's function, takes what it returns.
///
/// Each check of the user's types is where the value is needed, with their own tokens: one mistake, one error.
fn call(function: &Function, agent: &Agent, types: &[Type]) -> TokenStream {
    let allowed = &agent.allowed;
    let Signature { ident, inputs, .. } = &function.signature;
    let turn = Ident::new("__turn", Span::mixed_site());
    let names: Vec<_> = (0..types.len())
        .map(|at| format_ident!("__{at}", span = Span::mixed_site()))
        .collect();
    let arguments = types
        .iter()
        .zip(inputs)
        .zip(&names)
        .map(|((ty, input), name)| {
            let span = span_at(match input {
                FnArg::Typed(argument) => argument.ty.span(),
                FnArg::Receiver(receiver) => receiver.span(),
            });
            let argument = quote_spanned!(span=> __dooers::__private::argument);
            quote!(let #name = #argument::<#ty>(&#turn).await?;)
        });
    // A future that is not `Send` is reported at the function's name.
    let span = span_at(ident.span());
    let handler = quote_spanned!(span=> __dooers::__private::handler(#ident(#(#names),*)));
    let output = function.nameable_output().map(|ty| quote!(::<#ty>));
    let span = span_at(function.signature.output.span());
    let reply = quote_spanned!(span=> __dooers::__private::reply #output);
    quote! {
        #[allow(deprecated)]
        #(#[allow(#allowed)])*
        fn __call(#turn: __dooers::Turn) -> __dooers::__private::AgentFuture {
            __dooers::__private::call(async move {
                #(#arguments)*
                #reply(#handler.await)
            })
        }
    }
}

fn description(pieces: &[Expr]) -> TokenStream {
    match pieces {
        [] => quote!(""),
        [Expr::Lit(text)] => quote!(#text),
        _ => quote!(::core::concat!(#(#pieces),*).trim_ascii()),
    }
}

/// A name of ours, where the user's stands.
fn located(name: &Ident) -> Ident {
    let mut name = name.clone();
    name.set_span(span_at(name.span()));
    name
}

fn span_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}
