//! `#[derive(SettingChoice)]`.

use crate::attributes::{attributes_named, setting_options};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::incomplete::type_without_body;
use crate::options::{OptionTable, Options};
use crate::rename::{Case, rename_all, renamed};
use crate::syntax::default_crate_path;
use crate::words::{sentence_case, split_words};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Path, Variant};

const ENUM_OPTIONS: OptionTable = OptionTable {
    macro_name: "`#[setting]` on an enum",
    options: &[
        ("rename_all", "rename_all = \"kebab-case\""),
        ("crate", "crate = path"),
    ],
    synonyms: &[
        (
            "write `rename` on each variant, or `rename_all`",
            &["rename"],
        ),
        (
            "write `label` on each variant",
            &["label", "labels", "title"],
        ),
        (
            "write `#[default]` on the variant, or `default` on the field that has this type",
            &["default"],
        ),
    ],
};

const VARIANT_OPTIONS: OptionTable = OptionTable {
    macro_name: "`#[setting]` on a variant",
    options: &[("rename", "rename = \"…\""), ("label", "label = \"…\"")],
    synonyms: &[
        (
            "write `label`",
            &["title", "text", "caption", "display", "description"],
        ),
        ("write `rename`", &["value", "id", "key", "alias"]),
        (
            "write `rename` for the value, or `label` for the text in the form",
            &["name"],
        ),
        (
            "write `#[default]` without `setting` on the variant",
            &["default"],
        ),
    ],
};

/// A variant, after its attributes have been checked.
struct ChoiceVariant {
    ident: Ident,
    value: String,
    label: String,
    is_default: bool,
}

/// Expands to the implementation of `SettingChoice`, and to the errors.
pub(crate) fn expand_choice(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let input: DeriveInput = match syn::parse2(item.clone()) {
        Ok(input) => input,
        Err(error) => {
            diagnostics.add_unreadable(error);
            return match type_without_body(item) {
                Some(input) => {
                    let (crate_path, _) = enum_options(&input, &mut diagnostics);
                    choice_impl(&input.ident, &crate_path, &[], &diagnostics)
                }
                None => diagnostics.to_token_stream(),
            };
        }
    };
    let (crate_path, case) = enum_options(&input, &mut diagnostics);
    if !input.generics.params.is_empty() {
        diagnostics.add(&input.generics, Diagnostic::GenericChoice);
        return diagnostics.to_token_stream();
    }
    let choices = check_variants(&input, case, &mut diagnostics);
    choice_impl(&input.ident, &crate_path, &choices, &diagnostics)
}

/// Reads the path of the crate and the case of the values.
fn enum_options(input: &DeriveInput, diagnostics: &mut Diagnostics) -> (Path, Option<Case>) {
    let tokens = setting_options(&input.attrs, diagnostics);
    let mut options = Options::parse(tokens, &ENUM_OPTIONS, diagnostics);
    let path = options.path("crate");
    let case = rename_all(&input.attrs, &mut options);
    (path.unwrap_or_else(default_crate_path), case)
}

fn check_variants(
    input: &DeriveInput,
    case: Option<Case>,
    diagnostics: &mut Diagnostics,
) -> Vec<ChoiceVariant> {
    let variants = match &input.data {
        Data::Enum(data) => &data.variants,
        Data::Struct(data) => {
            let keyword = "struct";
            diagnostics.add(data.struct_token, Diagnostic::ChoiceNotAnEnum { keyword });
            return Vec::new();
        }
        Data::Union(data) => {
            let keyword = "union";
            diagnostics.add(data.union_token, Diagnostic::ChoiceNotAnEnum { keyword });
            return Vec::new();
        }
    };
    if variants.is_empty() {
        diagnostics.add(&input.ident, Diagnostic::ChoiceWithoutVariants);
    }
    let mut values = HashSet::new();
    let mut has_default = false;
    let mut choice = |variant: &Variant| {
        let choice = check_variant(variant, case, diagnostics);
        if choice.is_default && std::mem::replace(&mut has_default, true) {
            diagnostics.add(&variant.ident, Diagnostic::TwoDefaultChoices);
        }
        if !values.insert(choice.value.clone()) {
            let value = choice.value.clone();
            diagnostics.add(&variant.ident, Diagnostic::DuplicateChoice { value });
        }
        choice
    };
    variants.iter().map(&mut choice).collect()
}

fn check_variant(
    variant: &Variant,
    case: Option<Case>,
    diagnostics: &mut Diagnostics,
) -> ChoiceVariant {
    if !matches!(variant.fields, Fields::Unit) {
        diagnostics.add(&variant.fields, Diagnostic::VariantWithFields);
    }
    let tokens = setting_options(&variant.attrs, diagnostics);
    let mut options = Options::parse(tokens, &VARIANT_OPTIONS, diagnostics);
    let renamed = renamed(&variant.attrs, &mut options);
    let label = options.string("label").map(|label| label.value());
    let name = variant.ident.unraw().to_string();
    let words = split_words(&name);
    let defaults = attributes_named(&variant.attrs, "default");
    for default in &defaults {
        if default.meta.require_path_only().is_err() {
            diagnostics.add(default, Diagnostic::DefaultChoiceWithValue);
        }
    }
    let (place, value): (&dyn ToTokens, _) = match &renamed {
        Some(renamed) => (renamed, renamed.value()),
        None => {
            let value = case.map_or_else(|| words.join("_"), |case| case.of_variant(&name));
            (&variant.ident, value)
        }
    };
    if value.is_empty() {
        diagnostics.add(place, Diagnostic::EmptyChoiceValue);
    }
    ChoiceVariant {
        ident: variant.ident.clone(),
        value,
        label: label.unwrap_or_else(|| sentence_case(&words)),
        is_default: !defaults.is_empty(),
    }
}

fn choice_impl(
    name: &Ident,
    crate_path: &Path,
    choices: &[ChoiceVariant],
    diagnostics: &Diagnostics,
) -> TokenStream {
    let is_valid = diagnostics.is_empty();
    let idents: Vec<_> = choices.iter().map(|choice| &choice.ident).collect();
    let values: Vec<_> = choices.iter().map(|choice| &choice.value).collect();
    let labels = choices.iter().map(|choice| &choice.label);
    let default = choices.iter().find(|choice| choice.is_default);
    let default = default.map(|choice| {
        let value = &choice.value;
        quote!(const DEFAULT: ::core::option::Option<&'static str> = ::core::option::Option::Some(#value);)
    });
    // The empty value lets the checks of a default accept an enum that has errors itself.
    let refused = (!is_valid).then(|| quote!(("", ""),));
    let (choose, value) = if is_valid {
        (
            quote! {
                match __value {
                    #(#values => ::core::option::Option::Some(Self::#idents),)*
                    _ => ::core::option::Option::None,
                }
            },
            quote!(match self { #(Self::#idents => #values),* }),
        )
    } else {
        (quote!(::core::option::Option::None), quote!(""))
    };
    quote! {
        #diagnostics
        const _: () = {
            use #crate_path as __dooers;
            #[automatically_derived]
            impl __dooers::SettingChoice for #name {
                const CHOICES: &'static [(&'static str, &'static str)] = &[#refused #((#values, #labels)),*];
                #default

                #[allow(unused_variables)]
                fn choose(__value: &str) -> ::core::option::Option<Self> {
                    #choose
                }

                fn choice(&self) -> &'static str {
                    #value
                }
            }
        };
    }
}
