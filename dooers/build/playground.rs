//! Compresses the files of the playground, and writes the list of them as Rust code.

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The folder of the files, in the folder of the crate.
const FOLDER: &str = "playground";

/// The file that is served as the page itself.
const INDEX: &str = "index.html";

/// The extensions of the files that are served, with their `ContentType`. Other files stay out.
const TYPES: [(&str, &str); 6] = [
    ("css", "Css"),
    ("html", "Html"),
    ("js", "Js"),
    ("png", "Png"),
    ("svg", "Svg"),
    ("txt", "Txt"),
];

/// Compresses the files one after the other into `playground/assets.bin`, in the folder of the build, and writes their list as
/// `playground/assets.rs`. Both depend on nothing but the files and the version of the compressor.
///
/// The list consists of numbers where it can: each reference in a `static` is 40 bytes of the program.
pub(crate) fn compress() -> Result<()> {
    println!("cargo::rerun-if-changed=build/playground.rs");
    println!("cargo::rerun-if-changed={FOLDER}");
    let folder = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join(FOLDER);
    let output = PathBuf::from(variable("OUT_DIR")?).join(FOLDER);
    fs::create_dir_all(&output)?;
    let mut files = Vec::new();
    collect(&folder, "", &mut files)?;
    files.sort();
    if !files.iter().any(|(path, _)| path == INDEX) {
        return Err(format!("{FOLDER}/{INDEX} is missing").into());
    }
    let mut code = "[\n".to_owned();
    let mut bodies = Vec::new();
    for (path, content_type) in files {
        let gzip = gzip(&fs::read(folder.join(&path))?)?;
        let (start, digest) = (bodies.len(), digest(&gzip)?);
        bodies.extend(gzip);
        let end = bodies.len();
        writeln!(
            code,
            "Asset {{ path: {path:?}, content_type: ContentType::{content_type}, body: ({start}, {end}), digest: {digest} }},"
        )?;
    }
    code.push_str("]\n");
    fs::write(output.join("assets.bin"), bodies)?;
    fs::write(output.join("assets.rs"), code)?;
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    Ok(env::var(name).map_err(|error| format!("{name}: {error}"))?)
}

/// Adds the path and the content type of each file that is served. Paths are relative, with `/` on every system.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, &str)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_folder = entry.file_type()?.is_dir();
        let extension = Path::new(&name).extension();
        let found = TYPES
            .iter()
            .find(|(known, _)| extension.is_some_and(|extension| extension == *known));
        if !is_folder && found.is_none() {
            continue;
        }
        let Some(name) = name.to_str().filter(|name| is_plain(name)) else {
            let text = "the names of files of the playground consist of letters, digits, `-`, `_` and `.`, because they are parts of URLs; rename it";
            return Err(format!("{}: {text}", entry.path().display()).into());
        };
        let path = format!("{prefix}{name}");
        match found {
            Some((_, content_type)) if !is_folder => files.push((path, content_type)),
            _ => collect(&entry.path(), &format!("{path}/"), files)?,
        }
    }
    Ok(())
}

/// Returns true for a name that is the same text in a URL and in a route.
fn is_plain(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().all(is_allowed)
}

/// The header of gzip contains no time and no name, so it has 10 bytes, and the result depends only on the content.
fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

/// The first bytes of the SHA-256 digest, as a number.
fn digest(bytes: &[u8]) -> Result<u64> {
    let digest = Sha256::digest(bytes);
    Ok(u64::from_be_bytes(digest[..8].try_into()?))
}
