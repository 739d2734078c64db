//! Snapshots of generated code.

use crate::function::check_expansion;
use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::quote;

fn check(options: TokenStream, item: TokenStream, expected: &ExpectFile) {
    check_expansion(super::expand_tool(options, item), expected);
}

#[test]
fn function_without_arguments_is_expanded() {
    check(
        quote!(),
        quote!(
            async fn now() -> String {
                String::new()
            }
        ),
        &expect_file!["snapshots/minimal.rs"],
    );
}

#[test]
fn function_with_arguments_is_expanded() {
    check(
        quote!(effect = "read"),
        quote! {
            /// Looks up the weather of a city.
            pub async fn weather(
                /// The city, for example "Paris".
                city: String,
                /// Degrees.
                #[tool(default = "celsius")]
                unit: Unit,
                #[allow(unused)]
                #[tool(context)]
                State(http): State<Http>,
                #[tool(default = [1, -2.5, true])] mut r#type: Vec<Value>,
            ) -> Result<Weather> {
                http.get(city).await
            }
        },
        &expect_file!["snapshots/arguments.rs"],
    );
}

#[test]
fn function_with_all_options_is_expanded() {
    check(
        quote!(
            name = "give-refund", timeout = "1m30s", approve = shop::is_large, effect = "write", strict, type = Refund,
            crate = crate::runtime
        ),
        quote! {
            /// Gives money back.
            #[doc = include_str!("refund.md")]
            #[cfg(feature = "shop")]
            #[allow(clippy::pedantic)]
            pub(crate) async fn refund(#[tool(context)] user: WorkerRequest, cents: u64) -> impl Serialize {}
        },
        &expect_file!["snapshots/everything.rs"],
    );
}

#[test]
fn approval_of_all_calls_is_expanded() {
    check(
        quote!(approve = "always"),
        quote!(
            async fn refund() {}
        ),
        &expect_file!["snapshots/approval.rs"],
    );
}

#[test]
fn invalid_function_still_implements_tool() {
    check(
        quote!(nmae = "refund"),
        quote!(
            pub const fn refund(
                /// The city.
                city: &str,
                city: u8,
            ) {
            }
        ),
        &expect_file!["snapshots/refused.rs"],
    );
}

#[test]
fn annotated_type_still_implements_tool() {
    check(
        quote!(),
        quote!(
            pub struct Refund;
        ),
        &expect_file!["snapshots/struct.rs"],
    );
}

#[test]
fn tool_without_the_feature_is_one_error() {
    let item = quote!(
        async fn refund(#[tool(default = 1)] cents: u64) {}
    );
    let expected = expect_file!["snapshots/without_feature.rs"];
    check_expansion(super::without_feature(item), &expected);
}
