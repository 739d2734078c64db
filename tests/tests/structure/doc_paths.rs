//! The paths of files in the documentation.

use std::fs;
use std::path::{Path, PathBuf};

/// The pages whose paths are checked. Paths may begin at the root of the repository or at `dooers/src`.
const PAGES: &[&str] = &[
    "docs/architecture.md",
    "docs/changing.md",
    "docs/public-api.md",
    "CONTRIBUTING.md",
];

#[test]
fn paths_in_the_docs_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut missing = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let paths: Vec<_> = text
            .split(['`', ' ', '\n', '(', ')', '|'])
            .filter(|word| is_path(word))
            .collect();
        for path in paths {
            let all = alternatives(path);
            for path in all.iter().filter(|path| !exists(&root, path)) {
                missing.push(format!("{page}: {path}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "the docs name files that do not exist:\n{}",
        missing.join("\n")
    );
}

/// Returns true for `folder/file.rs` and `folder/`.
fn is_path(word: &str) -> bool {
    let is_file = word.contains('/') && word.ends_with(".rs");
    let is_folder = word.ends_with('/') && word.len() > 1;
    (is_file || is_folder) && !word.contains("://") && !word.starts_with(['/', '-'])
}

/// The paths that `a/{b,c}.rs` stands for.
fn alternatives(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else {
        return vec![path.to_owned()];
    };
    let (names, after) = rest.split_once('}').unwrap_or((rest, ""));
    names
        .split(',')
        .map(|name| format!("{before}{name}{after}"))
        .collect()
}

fn exists(root: &Path, path: &str) -> bool {
    let roots: [PathBuf; 2] = [root.to_owned(), root.join("dooers/src")];
    roots.iter().any(|root| root.join(path).exists())
}
