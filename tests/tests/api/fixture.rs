//! A small crate with every fault that the rules find.

use crate::api::{Api, JSON_FLAGS};
use crate::{rules, rustdoc};
use std::process::Command;

const SOURCE: &str = r#"
extern crate proc_macro;

mod inner {
    pub struct Unit;
    #[non_exhaustive]
    pub struct Closed { pub field: u8 }
    pub struct Opaque(u8);
    pub struct Open { pub field: u8 }
    // Exhaustive: it is a pair.
    #[derive(Debug)]
    pub struct Reasoned(pub u8, pub u8);
    // It is a pair.
    pub struct Commented(pub u8, pub u8);
    pub enum Choice { One { foreign: proc_macro::Span } }
    pub struct Secret;
    pub trait Sealed {}
    impl Opaque {
        pub fn secret(&self) -> Option<Vec<Secret>> { None }
        fn private(_: proc_macro::Literal) {}
    }
    impl Sealed for proc_macro::Punct {}
    impl From<Opaque> for proc_macro::Ident {
        fn from(_: Opaque) -> Self { loop {} }
    }
    impl From<proc_macro::Group> for Secret {
        fn from(_: proc_macro::Group) -> Self { Secret }
    }
}

pub use inner::{Choice, Closed, Commented, Opaque, Open, Reasoned, Unit};
pub use proc_macro::TokenStream;

pub mod again {
    pub use crate::inner::Closed;
    pub fn generic<T: crate::inner::Sealed>(_: T) {}
    #[doc(hidden)]
    pub fn hidden(_: proc_macro::LexError) {}
}

pub mod prelude {
    pub use crate::{Opaque, Open};
    pub use std::fmt::Write;
}
"#;

fn fixture() -> (tempfile::TempDir, Api) {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("fixture.rs");
    std::fs::write(&source, SOURCE).expect("it can be written");
    let output = Command::new(rustdoc())
        .current_dir(directory.path())
        .args(["fixture.rs", "--edition", "2024", "-o", "."])
        .args(JSON_FLAGS)
        .output()
        .expect("rustdoc runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let api = Api::read(&directory.path().join("fixture.json"), directory.path());
    (directory, api)
}

#[test]
fn open_types_without_a_reason_are_found() {
    let (_directory, api) = fixture();
    let mut open = rules::open_types(&api);
    open.sort();
    let expected = [
        "Choice",
        "Commented",
        "Open, fixture::prelude::Open",
        "Unit",
    ];
    assert_eq!(open, expected.map(|name| format!("fixture::{name}")));
}

#[test]
fn items_with_two_paths_are_found() {
    let (_directory, api) = fixture();
    assert_eq!(
        rules::items_without_one_path(&api),
        [
            "fixture::Closed, fixture::again::Closed",
            "fixture::prelude::Write"
        ]
    );
}

#[test]
fn internal_types_in_signatures_are_found() {
    let (_directory, api) = fixture();
    let uses = rules::internal_types(&api);
    let expected = [
        (
            "fixture::inner::Sealed".to_owned(),
            ["fixture::again::generic".to_owned()].into(),
        ),
        (
            "fixture::inner::Secret".to_owned(),
            ["Opaque::secret".to_owned()].into(),
        ),
    ];
    assert_eq!(uses, expected.into());
}

#[test]
fn foreign_types_in_signatures_are_found() {
    let (_directory, api) = fixture();
    let uses = rules::foreign_types(&api);
    let names: Vec<_> = uses.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "proc_macro::Ident",
            "proc_macro::Span",
            "proc_macro::TokenStream"
        ]
    );
}
