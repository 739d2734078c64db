//! Snapshots of the generated code.

use expect_test::{ExpectFile, expect_file};
use quote::quote;

fn check(expanded: proc_macro2::TokenStream, expected: &ExpectFile) {
    let file = syn::parse2(expanded).expect("generated code is Rust");
    expected.assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn struct_with_fields_and_groups_is_expanded() {
    let expanded = super::expand_settings(quote! {
        /// The settings that an operator may tune.
        #[setting(version = "2", crate = crate::runtime)]
        pub(crate) struct Tuning {
            /// The model that answers.
            #[setting(required, default = "small", options("small" = "Small", "large" = "Large"))]
            model: String,
            #[setting(default = -1, min = -5, max = 5, step = 2, validate = odd)]
            depth: i8,
            #[setting(default = "warm")]
            tone: Tone,
            #[setting(default = Tone::Cold, creator)]
            other: Tone,
            #[setting(internal, default_env = "KEY")]
            key: Option<Secret>,
            #[setting(group, label = "More", collapsible = "open")]
            more: More,
        }
    });
    check(expanded, &expect_file!["snapshots/everything.rs"]);
}

#[test]
fn struct_without_groups_can_be_a_group() {
    let expanded = super::expand_settings(quote! {
        struct More {
            #[setting(default = 0.5)]
            temperature: f64,
        }
    });
    check(expanded, &expect_file!["snapshots/simple.rs"]);
}

#[test]
fn marked_group_is_not_settings_of_an_agent() {
    let expanded = super::expand_settings(quote! {
        #[setting(group)]
        struct More {}
    });
    check(expanded, &expect_file!["snapshots/group.rs"]);
}

#[test]
fn invalid_struct_still_implements_settings() {
    let expanded = super::expand_settings(quote! {
        struct Tuning {
            name: String,
        }
    });
    check(expanded, &expect_file!["snapshots/invalid.rs"]);
}

#[test]
fn enum_of_choices_is_expanded() {
    let expanded = crate::choice::expand_choice(quote! {
        enum Tone {
            Warm,
            #[setting(rename = "icy", label = "As cold as ice")]
            Cold,
        }
    });
    check(expanded, &expect_file!["snapshots/choices.rs"]);
}
