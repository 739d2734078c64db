//! Writes the code. All logic is in the runtime: generated code only calls it.

use super::field::{ChoiceDefault, Item, What};
use super::model::Settings;
use crate::attributes::joined;
use crate::diagnostic::Mistakes;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

/// The implementations. With mistakes they exist, too, so that uses of the struct are no further mistakes.
pub(super) fn settings(settings: &Settings, mistakes: &Mistakes) -> TokenStream {
    if settings.is_generic {
        return mistakes.to_token_stream();
    }
    let lack_default = settings.items.iter().filter(|item| item.lacks_default());
    let refused: Vec<_> = lack_default.map(refused).collect();
    let is_right = mistakes.count() == 0 && refused.is_empty();
    let has_groups = settings.items.iter().any(Item::is_group);
    let items = is_right.then(|| constants(settings));
    let group = (!has_groups || !is_right).then(|| group(settings, is_right));
    let whole = (!settings.is_group).then(|| whole(settings, has_groups, is_right));
    let default = default(settings, is_right);
    let named = settings.is_struct.then(|| named(settings));
    let runtime = &settings.runtime;
    quote! {
        #mistakes
        const _: () = {
            use #runtime as __dooers;
            #[allow(unused_imports)]
            use __dooers::__private::settings as __settings;
            #(#refused)*
            #items
            #group
            #whole
            #default
            #named
        };
    }
}

/// Refuses a field of a type whose name says nothing: a group is reported as one, an enum as one that needs a default.
fn refused(item: &Item) -> TokenStream {
    let place = item.ident.span();
    quote_spanned!(place=> const _: () = __settings::refuse_without_default(&#item);)
}

/// Says that a type is a struct of settings, which a field that is not marked as a group reports.
fn named(settings: &Settings) -> TokenStream {
    let name = &settings.name;
    quote! {
        #[automatically_derived]
        #[doc(hidden)]
        impl __settings::NamedType for #name {
            type Is = __settings::StructOfSettings;
        }
    }
}

fn constant(at: usize) -> Ident {
    format_ident!("__{at}", span = Span::mixed_site())
}

/// A typed constant for each field, and what the compiler checks beyond the macro's sight.
fn constants(settings: &Settings) -> TokenStream {
    let constants = settings.items.iter().enumerate().map(|(at, item)| {
        let (name, ty) = (constant(at), &item.ty);
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
    let groups: Vec<_> = places(settings, Item::is_group).collect();
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
    let defaults = settings.items.iter().enumerate().filter_map(|(at, item)| {
        let What::Field {
            default: Some(ChoiceDefault::Value(value)),
            ..
        } = &item.what
        else {
            return None;
        };
        let name = constant(at);
        Some(quote_spanned! {value.span()=>
            const _: () = __settings::assert_choice(#name.choices(), #value);
        })
    });
    quote!(#(#constants)* #(#distinct)* #(#defaults)*)
}

fn places(settings: &Settings, is_wanted: fn(&Item) -> bool) -> impl Iterator<Item = Ident> + '_ {
    let wanted = move |(at, item)| is_wanted(item).then(|| constant(at));
    settings.items.iter().enumerate().filter_map(wanted)
}

/// The description of one field or group.
fn described(at: usize, item: &Item) -> TokenStream {
    let (name, setters) = (constant(at), &item.setters);
    let description = (!item.description.is_empty()).then(|| {
        let description = joined(&item.description);
        quote!(.description(#description))
    });
    let What::Field {
        validate, default, ..
    } = &item.what
    else {
        return quote!(#name.group() #(#setters)* #description);
    };
    let default = default.as_ref().map(|default| match default {
        ChoiceDefault::Value(value) => quote!(.default(#value)),
        ChoiceDefault::Variant(variant) => quote!(.default(#name.json(#variant))),
    });
    let field = quote!(#name.field() #(#setters)* #description #default);
    match validate {
        Some(check) => quote_spanned!(check.span()=> #name.validated(#field, #check)),
        None => field,
    }
}

fn read_and_write(settings: &Settings) -> (TokenStream, TokenStream) {
    let idents: Vec<_> = settings.items.iter().map(|item| &item.ident).collect();
    let names: Vec<_> = places(settings, |_| true).collect();
    let read = quote!(Self { #(#idents: #names.read(__values)),* });
    let write = quote!(#(#names.write(&self.#idents, __values);)*);
    (read, write)
}

/// What makes it a group.
fn group(settings: &Settings, is_right: bool) -> TokenStream {
    let name = &settings.name;
    let ids = settings.items.iter().map(|item| &item.id);
    let (read, write) = if is_right {
        read_and_write(settings)
    } else {
        (quote!(__settings::refused_value()), TokenStream::new())
    };
    let fields = settings
        .items
        .iter()
        .enumerate()
        .map(|(at, item)| described(at, item));
    let fields = is_right.then(|| quote!(#(#fields),*));
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

/// What makes it the settings of an agent.
fn whole(settings: &Settings, has_groups: bool, is_right: bool) -> TokenStream {
    let (name, version) = (&settings.name, &settings.version);
    let schema = if !is_right {
        quote!(__settings::refused_schema())
    } else {
        let items = if has_groups {
            let items = settings
                .items
                .iter()
                .enumerate()
                .map(|(at, item)| described(at, item));
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
    let (read, write) = if has_groups && is_right {
        read_and_write(settings)
    } else {
        (
            quote!(<Self as __dooers::settings::SettingsGroup>::read(__values)),
            quote!(__dooers::settings::SettingsGroup::write(self, __values)),
        )
    };
    quote! {
        #[automatically_derived]
        impl __dooers::settings::WorkerSettings for #name {
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

fn default(settings: &Settings, is_right: bool) -> TokenStream {
    let name = &settings.name;
    let value = match (is_right, settings.is_group) {
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
