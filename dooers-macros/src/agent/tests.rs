//! The expansions, word for word.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::quote;

fn check(options: TokenStream, item: TokenStream, expected: &ExpectFile) {
    let expansion = super::expand(options, item);
    let file = syn::parse2(expansion).expect("generated code is Rust");
    expected.assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn a_function_without_arguments() {
    check(
        quote!(),
        quote!(
            async fn hello() {}
        ),
        &expect_file!["snapshots/minimal.rs"],
    );
}

#[test]
fn everything_at_once() {
    check(
        quote!(name = "help-desk", default, run = "manual", type = HelpDesk, crate = crate::runtime),
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

#[test]
fn a_wrong_option_leaves_the_rest_checked() {
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
fn a_function_that_cannot_be_called_is_an_agent_nevertheless() {
    check(
        quote!(),
        quote!(
            pub const async fn support(request: &WorkerRequest) {}
        ),
        &expect_file!["snapshots/refused.rs"],
    );
}

#[test]
fn a_type_is_an_agent_nevertheless() {
    check(
        quote!(),
        quote!(
            pub struct Support;
        ),
        &expect_file!["snapshots/struct.rs"],
    );
}
