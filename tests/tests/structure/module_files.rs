//! The contents of `mod.rs` files.

use crate::sources::Sources;

#[test]
fn mod_rs_contains_only_docs_and_declarations() {
    let mut wrong = Vec::new();
    for (module, source) in Sources::of_runtime().iter() {
        if source.is_mod_file && !source.definitions.is_empty() {
            wrong.push(format!(
                "{}: {}",
                module.join("::"),
                source.definitions.join(", ")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "a `mod.rs` has documentation, `mod` and `use`; move the rest to files of their own:\n{}",
        wrong.join("\n")
    );
}
