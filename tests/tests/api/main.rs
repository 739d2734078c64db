//! The rules of the public API, which `docs/public-api.md` describes.
//!
//! The checks read what rustdoc writes about `dooers` as JSON. They therefore see what users see, including re-exports and
//! code that macros generate.
#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod api;
mod fixture;
mod review;
mod rules;

use api::Api;
use rules::REASON;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory of the workspace.
fn workspace() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are in the workspace")
}

fn rustdoc() -> PathBuf {
    workspace().join("tests/tests/api/rustdoc")
}

/// The public API of `dooers` with all features.
fn dooers() -> Api {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // These describe the package of this test. Build scripts look at them, and cargo would build dependencies again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_PKG_"]
            .iter()
            .any(|of| name.starts_with(of))
        {
            command.env_remove(&*name);
        }
    }
    let output = command
        .current_dir(workspace())
        .env("RUSTDOC", rustdoc())
        .env("RUSTDOCFLAGS", api::JSON_FLAGS.join(" "))
        // Together these two packages need the features of dependencies that the other checks need.
        .args([
            "doc",
            "--no-deps",
            "--lib",
            "-p",
            "dooers",
            "-p",
            "dooers-tests",
        ])
        .args(["--all-features", "--locked", "--quiet"])
        .output()
        .expect("cargo runs these tests");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo doc failed:\n{errors}");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let json = target.expect("it is in the target directory");
    Api::read(&json.join("doc/dooers.json"), workspace())
}

/// One test for all rules, because each test is a process of its own and rustdoc takes longer than all rules together.
#[test]
fn public_api_follows_its_rules() {
    let api = dooers();
    let open = rules::open_types(&api).into_iter().map(|name| {
        format!("`{name}`: add `#[non_exhaustive]` and a constructor, or a comment `// {REASON} …` above the type")
    });
    let doubled = rules::items_without_one_path(&api).into_iter();
    let doubled = doubled.map(|paths| format!("{paths}: keep one path, besides the prelude"));
    let internal = review::differences_in("Internal types", &rules::internal_types(&api));
    let foreign = review::differences_in("Foreign types", &rules::foreign_types(&api));
    let faults: Vec<_> = open.chain(doubled).chain(internal).chain(foreign).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
