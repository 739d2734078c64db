//! The type that names an annotated function.

use super::{Function, Role, TypeOptions};
use crate::attributes::attributes_named;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;

/// Generates the type and its implementation.
///
/// The type has a hidden name, and its public name is an alias. If the public name is taken, only the alias is an
/// error. All other items are passed to an attribute of the type. In an `impl` block, which cannot contain items, only
/// the type is an error.
pub(super) fn generated_type(
    role: &Role,
    function: &Function,
    options: &TypeOptions,
    hidden: &Ident,
    implementation: &TokenStream,
) -> TokenStream {
    let crate_path = &options.crate_path;
    let cfg_attributes = attributes_named(&function.attributes, "cfg");
    let visibility = &function.visibility;
    let type_name = options.type_name.as_ref();
    let alias = type_name.map(|name| alias(role, function, name, hidden));
    let item = quote_spanned!(hidden.span()=> #visibility struct #hidden {});
    quote! {
        #(#cfg_attributes)*
        #[#crate_path::__private::beside(
            #alias
            #implementation
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
fn alias(role: &Role, function: &Function, type_name: &Ident, hidden: &Ident) -> TokenStream {
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
    let Role {
        name: role,
        taken_by,
        ..
    } = role;
    let doc = format!(" The type of the {role} [`{name}`](fn@{name}), for `{taken_by}`.");
    quote! {
        #[doc = #doc]
        #[allow(non_camel_case_types, dead_code)]
        #[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
        #item
    }
}

/// Returns the name of the type. It contains the place, so that a function that was copied and not renamed does not
/// define the same type twice.
pub(super) fn hidden_type_name(function: &Function) -> Ident {
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

/// Names a generated function that repeats the user's types.
///
/// The name is at the user's function. If a type does not exist, rustc suggests a type parameter after the name of the
/// function, and only reports a type once if all suggestions are the same. For this reason, the types also stand where
/// they are not generic arguments themselves, as in `<#type as …>`.
pub(crate) fn at_the_function(function: &Ident, name: &str) -> Ident {
    Ident::new(name, function.span())
}

/// Returns the span of generated code at a place in the user's code. Errors point there and name the macro.
pub(crate) fn located_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}
