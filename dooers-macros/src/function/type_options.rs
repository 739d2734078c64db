//! The options `type` and `crate`, which name the generated type and the crate that its code calls.

use super::Role;
use super::type_names::{hidden_by, suggest_type_name};
use crate::diagnostic::FunctionMistake;
use crate::options::Options;
use crate::syntax::default_crate_path;
use syn::ext::IdentExt;
use syn::{Ident, Path};

/// The options `type` and `crate`.
pub(crate) struct TypeOptions {
    /// The path of the crate `dooers` in generated code.
    pub(crate) crate_path: Path,
    /// The public name of the type. `None` if the name was refused.
    pub(crate) type_name: Option<Ident>,
}

impl TypeOptions {
    /// Reads the options. The type has the name of the function, unless an option sets another one.
    pub(crate) fn read(options: &mut Options<'_>, role: &'static Role, function: &Ident) -> Self {
        let type_name = type_name(options, role, function);
        Self {
            crate_path: options.path("crate").unwrap_or_else(default_crate_path),
            type_name,
        }
    }
}

fn type_name(options: &mut Options<'_>, role: &'static Role, function: &Ident) -> Option<Ident> {
    let has_option = options.contains("type");
    let given = options.ident("type");
    if has_option && given.is_none() {
        // The option is invalid and has been reported.
        return Some(function.clone());
    }
    let name = given.unwrap_or_else(|| function.clone());
    let Some(hidden) = hidden_by(&name.to_string()) else {
        return Some(name);
    };
    let mistake = FunctionMistake::TypeHides {
        hidden,
        name: name.to_string(),
        suggestion: suggest_type_name(&function.unraw().to_string(), role.type_suffix),
    };
    options.report(name, role.error(mistake));
    None
}
