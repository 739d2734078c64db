//! Cases that the macros refuse, and their error messages.

#![expect(clippy::unwrap_used, reason = "a test, and its helpers")]

use std::fs;
use std::path::{Path, PathBuf};

/// The macros, by the directories of their cases.
const MACROS: [&str; 4] = ["agent", "tool", "settings", "choice"];

/// Compares the messages of one version of the compiler. `TRYBUILD=overwrite` records them again.
#[rustversion::attr(not(stable(1.95)), ignore = "recorded with Rust 1.95")]
#[test]
fn error_messages_are_as_recorded() {
    let tests = trybuild::TestCases::new();
    for of in MACROS {
        tests.compile_fail(format!("tests/ui/{of}/fail/*.rs"));
    }
}

/// A second error for the same mistake would make its reader look for a second mistake.
#[test]
fn one_mistake_gives_one_error() {
    for case in cases() {
        let source = fs::read_to_string(&case).unwrap();
        let expected = source.strip_prefix("// errors: ").map_or(1, |rest| {
            let count = rest.lines().next().unwrap();
            count.parse().unwrap()
        });
        let name = case.file_stem().unwrap().to_string_lossy();
        assert_eq!(
            expected > 1,
            name.starts_with("several_"),
            "{name}: only the name of a file with several mistakes starts with `several_`"
        );
        let stderr = stderr_of(&case);
        let is_headline = |line: &&str| line.starts_with("error");
        let errors = stderr.lines().filter(is_headline).count();
        assert_eq!(errors, expected, "error lines of {name}");
        let warnings = stderr.lines().filter(|line| line.starts_with("warning"));
        assert_eq!(warnings.count(), 0, "warnings of {name}");
    }
}

#[test]
fn every_error_text_is_in_a_ui_case() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../dooers-macros/src/diagnostic"
    );
    let files = fs::read_dir(folder).unwrap();
    let texts: Vec<String> = files
        .flat_map(|file| format_strings(&fs::read_to_string(file.unwrap().path()).unwrap()))
        .collect();
    assert!(texts.len() > 20, "the error texts are not in {folder}");
    let mut shown: Vec<String> = cases().iter().map(|case| stderr_of(case)).collect();
    // A text for other features than those of the cases is in a snapshot of the macro crate.
    let snapshot = Path::new(folder).join("../tool/snapshots/without_feature.rs");
    shown.push(fs::read_to_string(snapshot).unwrap().replace('\\', ""));
    for text in &texts {
        let is_shown = shown.iter().any(|stderr| contains(stderr, text));
        assert!(is_shown, "no UI case shows `{text}`");
    }
}

/// Both crates need these files. Neither can depend on the other for them.
#[test]
fn shared_files_are_the_same_in_both_crates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in ["settings/pattern.rs", "settings/step.rs"] {
        let read = |of: &str| fs::read_to_string(root.join(of).join("src").join(file)).unwrap();
        assert_eq!(read("dooers"), read("dooers-macros"), "{file}");
    }
}

#[test]
fn missing_error_text_is_detected() {
    assert!(contains("error: a `b` c `d`", "a `{x}` c"));
    assert!(contains("error: takes {braces}", "takes {{braces}}"));
    assert!(!contains("error: a `b` d", "a `{x}` c"));
    assert!(!contains("error: c `b` a", "a `{x}` c"));
    let source = r#"fn f() { match x { A => write!(f, "a {x}"), B => write!(f, "b") } }"#;
    assert_eq!(format_strings(source), ["a {x}", "b"]);
}

/// Returns true if the text occurs, with any values for its placeholders.
fn contains(stderr: &str, text: &str) -> bool {
    // A doubled brace is an escaped brace.
    let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let pieces = text.split('{').enumerate().map(|(at, piece)| match at {
        0 => piece,
        _ => piece.split_once('}').unwrap().1,
    });
    let mut rest = stderr;
    for piece in pieces {
        let piece = piece.replace('\u{1}', "{").replace('\u{2}', "}");
        match rest.split_once(piece.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// Returns the format string of each `write!` in the source.
fn format_strings(source: &str) -> Vec<String> {
    #[derive(Default)]
    struct Found(Vec<String>);

    impl<'a> syn::visit::Visit<'a> for Found {
        fn visit_macro(&mut self, called: &'a syn::Macro) {
            if called.path.is_ident("write") {
                let arguments = called
                    .parse_body_with(
                        syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated,
                    )
                    .unwrap();
                if let syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) = &arguments[1]
                {
                    self.0.push(text.value());
                }
            }
        }
    }

    let mut found = Found::default();
    syn::visit::Visit::visit_file(&mut found, &syn::parse_file(source).unwrap());
    found.0
}

fn cases() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files_of = |of: &&str| fs::read_dir(here.join(format!("tests/ui/{of}/fail"))).unwrap();
    let files = MACROS.iter().flat_map(files_of);
    let mut cases: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    cases.sort();
    cases
}

fn stderr_of(case: &Path) -> String {
    fs::read_to_string(case.with_extension("stderr")).unwrap_or_default()
}
