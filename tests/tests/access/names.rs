//! The names of frames in the source of the runtime.

use std::collections::BTreeSet;
use syn::{Item, LitStr};

/// Returns the names on the wire of the variants of an enum.
pub(crate) fn names(source: &str, of: &str) -> BTreeSet<String> {
    let file = syn::parse_file(source).unwrap();
    let mut names = BTreeSet::new();
    for item in file.items {
        let Item::Enum(item) = item else { continue };
        if item.ident != of {
            continue;
        }
        for variant in item.variants {
            let mut attributes = variant.attrs.iter();
            let serde = attributes.find(|attribute| attribute.path().is_ident("serde"));
            let renaming = serde.expect("every variant has its name on the wire");
            renaming
                .parse_nested_meta(|meta| {
                    assert!(meta.path.is_ident("rename"));
                    names.insert(meta.value()?.parse::<LitStr>()?.value());
                    Ok(())
                })
                .unwrap();
        }
    }
    assert!(!names.is_empty(), "there is no enum `{of}`");
    names
}
