//! Snapshots of the generated code.

use crate::function::check_expansion;
use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::quote;

fn check(options: TokenStream, item: TokenStream, expected: &ExpectFile) {
    check_expansion(super::expand_agent(options, item), expected);
}

#[test]
fn function_without_arguments_is_expanded() {
    check(
        quote!(),
        quote!(
            async fn hello() {}
        ),
        &expect_file!["snapshots/minimal.rs"],
    );
}

#[test]
fn function_with_all_options_is_expanded() {
    check(
        quote!(
            name = "help-desk", default, run = "manual", timeout = "1m30s", retry = 2, on_busy = "queue", queue = 8,
            private_threads, type = HelpDesk, crate = crate::runtime
        ),
        quote! {
            /// Answers questions.
            ///
            #[doc = include_str!("support.md")]
            #[cfg(feature = "support")]
            #[tracing::instrument]
            pub(crate) async fn support(mut request: WorkerRequest, State(db): State<Db>) -> Result<String, MyError> {
                Ok(request.message)
            }
        },
        &expect_file!["snapshots/everything.rs"],
    );
}

#[cfg(feature = "tools")]
#[test]
fn function_with_tools_is_expanded() {
    check(
        quote!(tools(weather, shop::refund)),
        quote!(
            async fn support(tools: Tools) {}
        ),
        &expect_file!["snapshots/tools.rs"],
    );
}

#[cfg(not(feature = "tools"))]
#[test]
fn tools_without_the_feature_are_one_error() {
    let item = quote!(
        async fn support() {}
    );
    let expansion = super::expand_agent(quote!(tools(weather)), item).to_string();
    assert_eq!(expansion.matches("compile_error").count(), 1);
    assert!(expansion.contains("the option `tools` needs the feature `tools`"));
}

#[test]
fn unknown_option_does_not_stop_other_checks() {
    check(
        quote!(nmae = "help-desk"),
        quote!(
            async fn support(request: WorkerRequest) -> impl IntoReply {
                request.message
            }
        ),
        &expect_file!["snapshots/wrong_option.rs"],
    );
}

#[test]
fn invalid_function_still_implements_agent() {
    check(
        quote!(),
        quote!(
            pub const async fn support(request: &WorkerRequest) {}
        ),
        &expect_file!["snapshots/refused.rs"],
    );
}

#[test]
fn annotated_type_still_implements_agent() {
    check(
        quote!(),
        quote!(
            pub struct Support;
        ),
        &expect_file!["snapshots/struct.rs"],
    );
}
