//! Names that a generated type must not have.
//!
//! The type is in the module of the function. There its name would hide a crate or a primitive type of the same name, and
//! the compiler would report every use of these.

use std::fmt;
use std::sync::OnceLock;

/// The primitive types.
const PRIMITIVES: [&str; 19] = [
    "bool", "char", "f128", "f16", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str",
    "u128", "u16", "u32", "u64", "u8", "usize",
];

/// The crates that every program can use. A type named `test` hides nothing, because the crate `test` is not among them.
const STANDARD_CRATES: [&str; 4] = ["alloc", "core", "proc_macro", "std"];

/// An item that is visible everywhere, unless a type of the same name hides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    Primitive,
    Crate,
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primitive => "primitive type",
            Self::Crate => "crate",
        })
    }
}

/// Returns the kind of item that a type of this name would hide.
pub(super) fn hidden_by(name: &str) -> Option<Hidden> {
    if PRIMITIVES.contains(&name) {
        return Some(Hidden::Primitive);
    }
    // The macro runs in the compiler, whose arguments name all crates.
    static EXTERNS: OnceLock<Vec<String>> = OnceLock::new();
    let externs = EXTERNS.get_or_init(|| externs(std::env::args()));
    let is_crate = STANDARD_CRATES.contains(&name) || externs.iter().any(|known| known == name);
    is_crate.then_some(Hidden::Crate)
}

/// Returns the crates that the arguments of a compiler name, as in `--extern name`. A path and options can follow and
/// precede the name, as in `--extern priv:name=path`.
fn externs(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut names = Vec::new();
    let mut follows_extern = false;
    for argument in arguments {
        let value = if follows_extern {
            Some(argument.as_str())
        } else {
            argument.strip_prefix("--extern=")
        };
        let given = value.map(|value| value.split('=').next().unwrap_or(value));
        names.extend(given.and_then(|given| given.rsplit(':').next().map(str::to_owned)));
        follows_extern = argument == "--extern";
    }
    names
}

/// Suggests a name for the type: `on_call` becomes `OnCallAgent` with the suffix `Agent`.
pub(super) fn suggest_type_name(name: &str, suffix: &str) -> String {
    let capitalized = name.split('_').flat_map(|word| {
        let mut characters = word.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(characters)
    });
    capitalized.chain(suffix.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Hidden, externs, hidden_by, suggest_type_name};

    #[test]
    fn crates_are_found_in_compiler_arguments() {
        let arguments = "rustc --extern chrono=/a/libchrono.rlib --extern=url=b --extern priv:hex=c --extern log --cfg a";
        let names = externs(arguments.split(' ').map(str::to_owned));
        assert_eq!(names, ["chrono", "url", "hex", "log"]);
    }

    #[test]
    fn hidden_items_are_primitives_and_crates() {
        assert_eq!(hidden_by("str"), Some(Hidden::Primitive));
        assert_eq!(hidden_by("std"), Some(Hidden::Crate));
        assert_eq!(hidden_by("support"), None);
        assert_eq!(hidden_by("test"), None);
    }

    #[test]
    fn suggested_type_name_is_in_camel_case() {
        assert_eq!(suggest_type_name("on_call", "Agent"), "OnCallAgent");
        assert_eq!(suggest_type_name("str", "Tool"), "StrTool");
    }
}
