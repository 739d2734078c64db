//! Generates the code of a struct of settings. All logic is in the crate `dooers`, which the code calls.

use super::item::{ConstantCheck, FieldDefault, ItemKind, SettingsItem};
use super::model::SettingsModel;
use crate::attributes::concat_docs;
use crate::diagnostic::Diagnostics;
use crate::syntax::type_source;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Pat, Type};

/// Generates the implementations and the errors. A struct with errors still implements the traits, so that its uses do
/// not cause further errors.
pub(super) fn settings(settings: &SettingsModel, diagnostics: &Diagnostics) -> TokenStream {
    if settings.is_generic {
        return diagnostics.to_token_stream();
    }
    let mut refusals: Vec<_> = settings
        .items
        .iter()
        .filter_map(SettingsItem::refusal)
        .collect();
    let is_valid = diagnostics.is_empty() && refusals.is_empty();
    if !is_valid {
        // Without the constants of the fields, nothing else checks for missing defaults.
        let items = settings.items.iter();
        refusals.extend(items.filter_map(|item| item.default_requirement(item)));
    }
    let has_groups = settings.items.iter().any(SettingsItem::is_group);
    let items = is_valid.then(|| constants(settings));
    let group = (!has_groups || !is_valid).then(|| group_impl(settings, is_valid));
    let settings_impls =
        (!settings.is_group).then(|| settings_impls(settings, has_groups, is_valid));
    let default = default_impl(settings, is_valid);
    let named_type_impl = settings.is_struct.then(|| named_type_impl(settings));
    let crate_path = &settings.crate_path;
    quote! {
        #diagnostics
        const _: () = {
            use #crate_path as __dooers;
            #[allow(unused_imports)]
            use __dooers::__private::settings as __settings;
            #(#refusals)*
            #items
            #group
            #settings_impls
            #default
            #named_type_impl
        };
    }
}

/// Generates the marker of a struct of settings. It lets the compiler report a field that should be marked as a group.
fn named_type_impl(settings: &SettingsModel) -> TokenStream {
    let name = &settings.name;
    quote! {
        #[automatically_derived]
        #[doc(hidden)]
        impl __settings::NamedType for #name {
            type Is = __settings::StructOfSettings;
        }
    }
}

fn constant_name(at: usize) -> Ident {
    format_ident!("__{at}", span = Span::mixed_site())
}

/// Generates a typed constant for each field, and the checks that only the compiler can do.
fn constants(settings: &SettingsModel) -> TokenStream {
    let constants = settings.items.iter().enumerate().map(|(at, item)| {
        let (mut name, ty) = (constant_name(at), &item.ty);
        if item.contains_unresolved() {
            // If the type does not exist, rustc suggests a type parameter of the struct. It reports the same error here
            // again unless it can suggest the same.
            name.set_span(settings.name.span());
        }
        let of = if item.is_group() {
            quote!(TypedGroup)
        } else {
            quote!(TypedField)
        };
        quote! {
            #[allow(non_upper_case_globals)]
            const #name: __settings::#of<#ty> = #item;
        }
    });
    let own: Vec<_> = settings.items.iter().map(|item| &item.id).collect();
    let groups: Vec<_> = constant_names(settings, SettingsItem::is_group).collect();
    let group_types = settings.items.iter().filter(|item| item.is_group());
    let distinct = group_types
        .zip(&groups)
        .enumerate()
        .map(|(at, (item, group))| {
            let before = &groups[..at];
            quote_spanned! {item.ty.span()=>
                const _: () =
                    __settings::assert_distinct(&[&[#(#own),*], #(#before.ids()),*], #group.ids());
            }
        });
    let items = settings.items.iter().enumerate();
    let defaults = items.filter_map(|(at, item)| default_check(at, item));
    quote!(#(#constants)* #(#distinct)* #(#defaults)*)
}

/// Generates the check of a default that only the compiler can evaluate, and the constant that holds it.
fn default_check(at: usize, item: &SettingsItem) -> Option<TokenStream> {
    let ItemKind::Field {
        default,
        unresolved,
        ..
    } = &item.kind
    else {
        return None;
    };
    let name = constant_name(at);
    if let Some(requirement) = item.default_requirement(&name) {
        return Some(requirement);
    }
    match default.as_ref()? {
        FieldDefault::Choice(value) => {
            let name = constant_name(at);
            let ty = unresolved.as_ref().map(|of| type_source(&of.ty));
            Some(quote_spanned! {value.span()=>
                const _: () = __settings::assert_choice(#name.choices(), #value, #ty);
            })
        }
        FieldDefault::Constant(constant) => {
            let (name, ty, expr) = (default_name(at), &constant.ty, &constant.expr);
            let check = constant.check.as_ref().map(|check| {
                let ConstantCheck {
                    function,
                    cast,
                    arguments,
                } = check;
                // The compiler reports a failed check at the whole call.
                let function = Ident::new(function, expr.span());
                quote_spanned! {expr.span()=>
                    const _: () = __settings::#function(#name #cast, #arguments);
                }
            });
            Some(quote! {
                #[allow(non_upper_case_globals, unused_braces, unused_parens)]
                const #name: #ty = #expr;
                #[allow(trivial_numeric_casts)]
                #check
            })
        }
        FieldDefault::Variant(_) | FieldDefault::NotAChoice(_) => None,
    }
}

/// The name of the constant that holds the default of a field.
fn default_name(at: usize) -> Ident {
    format_ident!("__default{at}", span = Span::mixed_site())
}

fn constant_names(
    settings: &SettingsModel,
    is_wanted: fn(&SettingsItem) -> bool,
) -> impl Iterator<Item = Ident> + '_ {
    let wanted = move |(at, item)| is_wanted(item).then(|| constant_name(at));
    settings.items.iter().enumerate().filter_map(wanted)
}

/// Generates the description of a field or a group.
fn item_schema(at: usize, item: &SettingsItem) -> TokenStream {
    let (name, setters) = (constant_name(at), &item.setters);
    let description = (!item.description.is_empty()).then(|| {
        let description = concat_docs(&item.description);
        quote!(.description(#description))
    });
    let ItemKind::Field {
        validate,
        default,
        is_optional,
        ..
    } = &item.kind
    else {
        return quote!(#name.group() #(#setters)* #description);
    };
    let default = default.as_ref().map(|default| match default {
        FieldDefault::Choice(value) => quote!(.default(#value)),
        FieldDefault::Variant(value) | FieldDefault::NotAChoice(value) => {
            quote!(.default(#name.json(#value)))
        }
        FieldDefault::Constant(constant) => {
            let value = default_name(at);
            match constant.ty {
                Type::Reference(_) => quote!(.default(#value)),
                _ => quote!(.default(__settings::json(#value))),
            }
        }
    });
    let field = quote!(#name.field() #(#setters)* #description #default);
    match validate {
        Some(check) => validated(&name, &field, check, *is_optional),
        None => field,
    }
}

/// Generates the call that adds the user's check to a field.
///
/// A function is called by a closure, so that a reference can be coerced to the type of its argument: `&String` to
/// `&str`. A closure without types is passed as it is, so that the compiler infers the types.
fn validated(name: &Ident, field: &TokenStream, check: &Expr, is_optional: bool) -> TokenStream {
    let place = Span::mixed_site().located_at(check.span());
    let method = Ident::new(
        if is_optional {
            "validated_if_present"
        } else {
            "validated"
        },
        place,
    );
    let is_inferred = matches!(check, Expr::Closure(closure)
        if !matches!(closure.inputs.first(), Some(Pat::Type(_))));
    if is_inferred {
        return quote_spanned!(place=> #name.#method(#field, #check));
    }
    let value = Ident::new("__value", place);
    quote_spanned!(place=> #name.#method(#field, |#value| (#check)(#value)))
}

fn read_and_write(settings: &SettingsModel) -> (TokenStream, TokenStream) {
    let idents: Vec<_> = settings.items.iter().map(|item| &item.ident).collect();
    let names: Vec<_> = constant_names(settings, |_| true).collect();
    let read = quote!(Self { #(#idents: #names.read(__values)),* });
    let write = quote!(#(#names.write(&self.#idents, __values);)*);
    (read, write)
}

/// Generates the implementation of `SettingsGroup`.
fn group_impl(settings: &SettingsModel, is_valid: bool) -> TokenStream {
    let name = &settings.name;
    let ids = settings.items.iter().map(|item| &item.id);
    let (read, write) = if is_valid {
        read_and_write(settings)
    } else {
        (quote!(__settings::refused_value()), TokenStream::new())
    };
    let fields = settings
        .items
        .iter()
        .enumerate()
        .map(|(at, item)| item_schema(at, item));
    let fields = is_valid.then(|| quote!(#(#fields),*));
    quote! {
        #[automatically_derived]
        impl __dooers::settings::SettingsGroup for #name {
            const IDS: &'static [&'static str] = &[#(#ids),*];

            fn fields() -> ::std::vec::Vec<__dooers::settings::Field> {
                ::std::vec![#fields]
            }

            fn read(__values: &__dooers::settings::Reader<'_>) -> Self {
                #read
            }

            #[allow(unused_variables)]
            fn write(&self, __values: &mut __dooers::settings::SettingsValues) {
                #write
            }
        }
    }
}

/// Generates the implementations of `WorkerSettings` and `FromTurn`.
fn settings_impls(settings: &SettingsModel, has_groups: bool, is_valid: bool) -> TokenStream {
    let (name, version) = (&settings.name, &settings.version);
    let schema = if !is_valid {
        quote!(__settings::refused_schema())
    } else {
        let items = if has_groups {
            let items = settings
                .items
                .iter()
                .enumerate()
                .map(|(at, item)| item_schema(at, item));
            quote!(::std::vec![#(__settings::item(#items)),*])
        } else {
            quote!(__settings::items::<#name>())
        };
        quote! {
            static __SCHEMA: __settings::LazyLock<__dooers::settings::SettingsSchema> =
                __settings::LazyLock::new(|| __settings::schema(#version, #items));
            &__SCHEMA
        }
    };
    let (read, write) = if has_groups && is_valid {
        read_and_write(settings)
    } else {
        (
            quote!(<Self as __dooers::settings::SettingsGroup>::read(__values)),
            quote!(__dooers::settings::SettingsGroup::write(self, __values)),
        )
    };
    quote! {
        #[automatically_derived]
        impl __dooers::WorkerSettings for #name {
            fn schema() -> &'static __dooers::settings::SettingsSchema {
                #schema
            }

            fn read(__values: &__dooers::settings::Reader<'_>) -> Self {
                #read
            }

            fn write(&self, __values: &mut __dooers::settings::SettingsValues) {
                #write
            }
        }

        #[automatically_derived]
        impl __dooers::FromTurn for #name {
            fn from_turn(
                __turn: &__dooers::Turn,
            ) -> impl ::core::future::Future<Output = ::core::result::Result<Self, __dooers::AgentError>>
            + ::core::marker::Send {
                __settings::from_turn(__turn)
            }

            fn requires(__requirements: &mut __dooers::Requirements) {
                __settings::require::<Self>(__requirements);
            }
        }
    }
}

fn default_impl(settings: &SettingsModel, is_valid: bool) -> TokenStream {
    let name = &settings.name;
    let value = match (is_valid, settings.is_group) {
        (false, _) => quote!(__settings::refused_value()),
        (true, true) => quote!(__settings::group_defaults()),
        (true, false) => quote!(__settings::defaults()),
    };
    quote! {
        #[automatically_derived]
        impl ::core::default::Default for #name {
            fn default() -> Self {
                #value
            }
        }
    }
}
