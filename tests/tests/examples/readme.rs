//! The promises of the README about the length of code.

use std::fs;
use std::path::Path;

/// Reads a file of the repository.
fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn readme_agent_with_two_tools_has_under_40_lines() {
    let readme = read("README.md");
    let blocks = readme.split("```rust,no_run\n").skip(1);
    let mut codes = blocks.map(|block| block.split_once("```").unwrap().0);
    let code = codes.find(|code| code.contains("OpenAi::new(")).unwrap();
    assert_eq!(code.matches("#[dooers::tool").count(), 2, "{code}");
    assert!(code.contains("async fn main()"), "{code}");
    assert!(code.lines().count() < 40, "{code}");
}

#[test]
fn tools_example_has_under_80_lines() {
    let code = read("examples/tools/src/main.rs");
    assert!(code.lines().count() < 80, "{}", code.lines().count());
}
