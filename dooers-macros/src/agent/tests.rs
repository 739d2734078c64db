//! Snapshots of the generated code.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::quote;

fn check(options: TokenStream, item: TokenStream, expected: &ExpectFile) {
    let expansion = super::expand_agent(options, item);
    let mut file: syn::File = syn::parse2(expansion).expect("generated code is Rust");
    let beside = file.items.iter_mut().find_map(taken_beside);
    file.items.extend(beside.into_iter().flatten());
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// Takes the items out of the attribute of the hidden type.
fn taken_beside(item: &mut syn::Item) -> Option<Vec<syn::Item>> {
    let syn::Item::Struct(hidden) = item else {
        return None;
    };
    let is_beside = |attribute: &syn::Attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|segment| segment.ident == "beside")
    };
    let at = hidden.attrs.iter().position(is_beside)?;
    let attribute = hidden.attrs.remove(at);
    let items: syn::File = attribute
        .parse_args()
        .expect("the attribute contains items");
    Some(items.items)
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
