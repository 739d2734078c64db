//! `#[derive(SettingChoice)]`.

use crate::diagnostic::{Mistake, Mistakes};
use crate::options::{Options, Table};
use crate::settings::options_of;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Path, Variant, parse_quote};

const ENUM: Table = Table {
    of: "#[setting] of an enum",
    options: &[("crate", "crate = path")],
};

const VARIANT: Table = Table {
    of: "#[setting] of a variant",
    options: &[("rename", "rename = \"…\""), ("label", "label = \"…\"")],
};

/// A variant as it is to be generated.
struct Choice {
    ident: Ident,
    value: String,
    label: String,
}

/// What makes the enum choices, or what is wrong with it.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let tokens = options_of(&input.attrs, &mut mistakes);
    let runtime = Options::parse(tokens, &ENUM, &mut mistakes).path("crate");
    let runtime: Path = runtime.unwrap_or_else(|| parse_quote!(::dooers));
    if !input.generics.params.is_empty() {
        mistakes.add(&input.generics, Mistake::ChoiceGeneric);
        return mistakes.to_token_stream();
    }
    let choices = choices(&input, &mut mistakes);
    implementation(&input.ident, &runtime, &choices, &mistakes)
}

fn choices(input: &DeriveInput, mistakes: &mut Mistakes) -> Vec<Choice> {
    let variants = match &input.data {
        Data::Enum(data) => &data.variants,
        Data::Struct(data) => {
            let keyword = "struct";
            mistakes.add(data.struct_token, Mistake::ChoiceOfNoEnum { keyword });
            return Vec::new();
        }
        Data::Union(data) => {
            let keyword = "union";
            mistakes.add(data.union_token, Mistake::ChoiceOfNoEnum { keyword });
            return Vec::new();
        }
    };
    if variants.is_empty() {
        mistakes.add(&input.ident, Mistake::ChoiceWithoutVariants);
    }
    let mut values = HashSet::new();
    let mut choice = |variant: &Variant| {
        let choice = choice(variant, mistakes);
        if !values.insert(choice.value.clone()) {
            let value = choice.value.clone();
            mistakes.add(&variant.ident, Mistake::SameChoice { value });
        }
        choice
    };
    variants.iter().map(&mut choice).collect()
}

fn choice(variant: &Variant, mistakes: &mut Mistakes) -> Choice {
    if !matches!(variant.fields, Fields::Unit) {
        mistakes.add(&variant.fields, Mistake::ChoiceWithFields);
    }
    let tokens = options_of(&variant.attrs, mistakes);
    let mut options = Options::parse(tokens, &VARIANT, mistakes);
    let renamed = options.text("rename");
    let label = options.text("label").map(|label| label.value());
    let words = words(&variant.ident.unraw().to_string());
    let value = match &renamed {
        Some(renamed) => renamed.value(),
        None => words.join("_"),
    };
    if value.is_empty() {
        mistakes.add(renamed, Mistake::EmptyChoice);
    }
    Choice {
        ident: variant.ident.clone(),
        value,
        label: label.unwrap_or_else(|| sentence(&words)),
    }
}

/// `VeryFriendly` as `very` and `friendly`.
fn words(name: &str) -> Vec<String> {
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

fn sentence(words: &[String]) -> String {
    let text = words.join(" ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn implementation(
    name: &Ident,
    runtime: &Path,
    choices: &[Choice],
    mistakes: &Mistakes,
) -> TokenStream {
    let is_right = mistakes.count() == 0;
    let idents: Vec<_> = choices.iter().map(|choice| &choice.ident).collect();
    let values: Vec<_> = choices.iter().map(|choice| &choice.value).collect();
    let labels = choices.iter().map(|choice| &choice.label);
    let (choose, value) = if is_right {
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
        #mistakes
        const _: () = {
            use #runtime as __dooers;
            #[automatically_derived]
            impl __dooers::settings::SettingChoice for #name {
                const CHOICES: &'static [(&'static str, &'static str)] = &[#((#values, #labels)),*];

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
    use super::{sentence, words};

    #[test]
    fn a_variants_name_becomes_words() {
        for (name, expected) in [
            ("Friendly", "friendly"),
            ("VeryFriendly", "very friendly"),
            ("Gpt4", "gpt4"),
            ("HTTP", "http"),
            ("A", "a"),
            ("with_underscore", "with underscore"),
        ] {
            assert_eq!(words(name).join(" "), expected);
        }
        assert_eq!(sentence(&words("VeryFriendly")), "Very friendly");
    }
}
