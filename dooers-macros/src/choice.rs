//! `#[derive(SettingChoice)]`.

use crate::attributes::setting_options;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::incomplete::type_without_body;
use crate::options::{OptionTable, Options};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Path, Variant, parse_quote};

const ENUM_OPTIONS: OptionTable = OptionTable {
    macro_name: "`#[setting]` on an enum",
    options: &[("crate", "crate = path")],
    synonyms: &[
        ("write `rename` on each variant", &["rename_all", "rename"]),
        (
            "write `label` on each variant",
            &["label", "labels", "title"],
        ),
        (
            "write `default` on the field that has this type",
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
            "write `default` on the field that has this type",
            &["default"],
        ),
    ],
};

/// A variant, after its attributes have been checked.
struct ChoiceVariant {
    ident: Ident,
    value: String,
    label: String,
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
                    let crate_path = crate_path(&input, &mut diagnostics);
                    choice_impl(&input.ident, &crate_path, &[], &diagnostics)
                }
                None => diagnostics.to_token_stream(),
            };
        }
    };
    let crate_path = crate_path(&input, &mut diagnostics);
    if !input.generics.params.is_empty() {
        diagnostics.add(&input.generics, Diagnostic::GenericChoice);
        return diagnostics.to_token_stream();
    }
    let choices = check_variants(&input, &mut diagnostics);
    choice_impl(&input.ident, &crate_path, &choices, &diagnostics)
}

fn crate_path(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Path {
    let tokens = setting_options(&input.attrs, diagnostics);
    let path = Options::parse(tokens, &ENUM_OPTIONS, diagnostics).path("crate");
    path.unwrap_or_else(|| parse_quote!(::dooers))
}

fn check_variants(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Vec<ChoiceVariant> {
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
    let mut choice = |variant: &Variant| {
        let choice = check_variant(variant, diagnostics);
        if !values.insert(choice.value.clone()) {
            let value = choice.value.clone();
            diagnostics.add(&variant.ident, Diagnostic::DuplicateChoice { value });
        }
        choice
    };
    variants.iter().map(&mut choice).collect()
}

fn check_variant(variant: &Variant, diagnostics: &mut Diagnostics) -> ChoiceVariant {
    if !matches!(variant.fields, Fields::Unit) {
        diagnostics.add(&variant.fields, Diagnostic::VariantWithFields);
    }
    let tokens = setting_options(&variant.attrs, diagnostics);
    let mut options = Options::parse(tokens, &VARIANT_OPTIONS, diagnostics);
    let renamed = options.string("rename");
    let label = options.string("label").map(|label| label.value());
    let words = split_words(&variant.ident.unraw().to_string());
    let (place, value): (&dyn ToTokens, _) = match &renamed {
        Some(renamed) => (renamed, renamed.value()),
        None => (&variant.ident, words.join("_")),
    };
    if value.is_empty() {
        diagnostics.add(place, Diagnostic::EmptyChoiceValue);
    }
    ChoiceVariant {
        ident: variant.ident.clone(),
        value,
        label: label.unwrap_or_else(|| sentence_case(&words)),
    }
}

/// Splits `VeryFriendly` into `very` and `friendly`.
fn split_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_upper = true;
    for letter in name.chars() {
        let begins = letter.is_uppercase() && !was_upper;
        was_upper = letter.is_uppercase();
        if letter == '_' {
            was_upper = false;
            words.push(String::new());
            continue;
        }
        if begins || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn sentence_case(words: &[String]) -> String {
    let text = words.join(" ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
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

#[cfg(test)]
mod tests {
    use super::{sentence_case, split_words};

    #[test]
    fn variant_name_is_split_into_words() {
        for (name, expected) in [
            ("Friendly", "friendly"),
            ("VeryFriendly", "very friendly"),
            ("Gpt4", "gpt4"),
            ("HTTP", "http"),
            ("A", "a"),
            ("with_underscore", "with underscore"),
        ] {
            assert_eq!(split_words(name).join(" "), expected);
        }
        assert_eq!(sentence_case(&split_words("VeryFriendly")), "Very friendly");
    }
}
