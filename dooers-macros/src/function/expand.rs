//! The steps of a macro for functions: parse, check, expand.

use super::generated_type::{generated_type, hidden_type_name};
use super::parse::{AnnotatedItem, Function, NonFunction, incomplete_function, parse_item};
use super::signature::is_entry_point;
use super::{Role, TypeOptions};
use crate::diagnostic::{Diagnostics, FunctionMistake};
use crate::options::{OptionTable, Options};
use crate::syntax::default_crate_path;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Ident, Path};

/// A macro for functions: the model of an annotated function, with the checks and the code that depend on its role.
pub(crate) trait FunctionMacro: Sized {
    const ROLE: &'static Role;
    const OPTIONS: &'static OptionTable;

    /// Checks the function and its options.
    fn check(function: &Function, options: TokenStream, diagnostics: &mut Diagnostics) -> Self;

    /// Removes the parts of a checked function that are only for the macro. Returns true if there are any.
    fn clean(function: &mut Function) -> bool {
        let _ = function;
        false
    }

    fn type_options(&self) -> &TypeOptions;

    /// Returns true if generated code can call the function.
    fn is_callable(&self) -> bool;

    /// Generates the implementation of the trait for the type. `is_valid` is false if there are errors.
    fn implementation(&self, function: &Function, hidden: &Ident, is_valid: bool) -> TokenStream;

    /// Generates an implementation of the trait for a type that the macro refused.
    fn refused(crate_path: &Path, type_name: &Ident) -> TokenStream;
}

/// Expands to the annotated item, the implementation of the trait and the errors.
pub(crate) fn expand<M: FunctionMacro>(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    match parse_item(item) {
        Ok(AnnotatedItem::Function(item)) => function::<M>(*item, options, diagnostics),
        Ok(AnnotatedItem::NonFunction(item)) => non_function::<M>(&item, options, diagnostics),
        Err((item, error)) => {
            diagnostics.add_unreadable(error);
            match incomplete_function(item.clone()) {
                Some(item) => function::<M>(item, options, diagnostics),
                None => quote!(#item #diagnostics),
            }
        }
    }
}

/// Returns an item without the parts that are only for the macro.
pub(crate) fn cleaned<M: FunctionMacro>(item: TokenStream) -> TokenStream {
    match parse_item(item) {
        Ok(AnnotatedItem::Function(mut function)) => {
            clean::<M>(&mut function);
            function.tokens
        }
        Ok(AnnotatedItem::NonFunction(item)) => item.tokens,
        Err((item, _)) => item,
    }
}

fn clean<M: FunctionMacro>(function: &mut Function) {
    if function.is_complete && M::clean(function) {
        function.tokens = function.to_token_stream();
    }
}

/// Generates an item that is not a function, and the errors. A type still implements the trait, so that its uses do not
/// cause further errors.
fn non_function<M: FunctionMacro>(
    item: &NonFunction,
    options: TokenStream,
    mut diagnostics: Diagnostics,
) -> TokenStream {
    let keyword = item.keyword.to_string().replace(' ', "");
    let mistake = FunctionMistake::NotAFunction { keyword };
    diagnostics.add(&item.keyword, M::ROLE.error(mistake));
    // The path of the crate is the only option that is still used.
    let crate_path = Options::parse(options, M::OPTIONS, &mut diagnostics).path("crate");
    let crate_path = crate_path.unwrap_or_else(default_crate_path);
    let type_name = item.type_name.as_ref();
    let fallback = type_name.map(|name| M::refused(&crate_path, name));
    let tokens = &item.tokens;
    quote!(#tokens #diagnostics #fallback)
}

/// Generates the function, its type and the errors.
///
/// The type still implements the trait if there are errors, so that its uses do not cause further errors.
fn function<M: FunctionMacro>(
    mut function: Function,
    options: TokenStream,
    mut diagnostics: Diagnostics,
) -> TokenStream {
    let model = M::check(&function, options, &mut diagnostics);
    clean::<M>(&mut function);
    let function = &function;
    if function.is_associated() && !function.is_in_associated_block {
        // If this is a free function, the compiler also reports its `self` or `Self`.
        return diagnostics.to_token_stream();
    }
    let item = if model.is_callable() || !function.is_complete {
        function.tokens.clone()
    } else if is_entry_point(function) {
        entry_point(function)
    } else {
        sanitized(function)
    };
    if !function.has_body() || function.is_in_associated_block {
        // A trait or an `impl` block cannot contain the type.
        return quote!(#item #diagnostics);
    }
    let hidden = hidden_type_name(function);
    let implementation = model.implementation(function, &hidden, diagnostics.is_empty());
    let generated_type = generated_type(
        M::ROLE,
        function,
        model.type_options(),
        &hidden,
        &implementation,
    );
    // The function must be `async`, even if it awaits nothing.
    quote!(#[allow(clippy::unused_async)] #item #diagnostics #generated_type)
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
        .filter(|attribute| !Role::is_any_given_by(attribute));
    let visibility = &function.visibility;
    quote!(#(#attributes)* #unused #visibility #signature #body)
}
