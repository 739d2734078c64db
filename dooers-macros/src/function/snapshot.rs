//! Snapshots of generated code.

use expect_test::ExpectFile;
use proc_macro2::TokenStream;

/// Compares an expansion with its snapshot. The items beside the hidden type follow the others.
pub(crate) fn check_expansion(expansion: TokenStream, expected: &ExpectFile) {
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
