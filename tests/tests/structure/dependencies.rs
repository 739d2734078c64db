//! The SQLite libraries that programs of users lock.

use std::fs;
use std::process::Command;

/// Cargo allows one package with `links = "sqlite3"` in a lock file. It counts packages of optional dependencies, too,
/// even if no feature enables them.
#[test]
fn postgres_feature_locks_no_sqlite_library() {
    let root = env!("CARGO_MANIFEST_DIR").trim_end_matches("/tests");
    let program = tempfile::tempdir().unwrap();
    let manifest = format!(
        "[package]\nname = \"program\"\nedition = \"2024\"\n[workspace]\n[dependencies.dooers]\npath = \"{root}/dooers\"\n\
         default-features = false\nfeatures = [\"postgres\", \"testing\"]\n"
    );
    fs::create_dir(program.path().join("src")).unwrap();
    fs::write(program.path().join("src/lib.rs"), "").unwrap();
    fs::write(program.path().join("Cargo.toml"), manifest).unwrap();
    // With these versions, cargo needs no network. This command resolves them again and, unlike `cargo metadata`, does
    // not need the packages of other platforms.
    let lock = program.path().join("Cargo.lock");
    fs::copy(format!("{root}/Cargo.lock"), &lock).unwrap();
    let resolved = Command::new(env!("CARGO"))
        .args(["update", "--workspace", "--offline"])
        .current_dir(program.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&resolved.stderr);
    assert!(resolved.status.success(), "{errors}");
    let locked = fs::read_to_string(lock).unwrap();
    assert!(locked.contains("name = \"sqlx-postgres\""), "{locked}");
    for package in ["libsqlite3-sys", "rusqlite", "sqlx-sqlite"] {
        assert!(
            !locked.contains(&format!("name = \"{package}\"")),
            "{package}"
        );
    }
}

#[test]
fn readme_names_the_locked_sqlite_versions() {
    let root = env!("CARGO_MANIFEST_DIR").trim_end_matches("/tests");
    let locked = fs::read_to_string(format!("{root}/Cargo.lock")).unwrap();
    let readme = fs::read_to_string(format!("{root}/README.md")).unwrap();
    for (package, before) in [
        ("libsqlite3-sys", "the default feature `sqlite` needs "),
        ("rusqlite", "`rusqlite` "),
        ("sqlx", "`sqlx` "),
    ] {
        let (_, version) = locked
            .split_once(&format!("name = \"{package}\"\nversion = \""))
            .unwrap();
        let (major, rest) = version.split_once('.').unwrap();
        let (minor, _) = rest.split_once('.').unwrap();
        let text = format!("{before}{major}.{minor}");
        assert!(readme.contains(&text), "the README lacks: {text}");
    }
}
