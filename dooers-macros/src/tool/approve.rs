//! The option `approve`.

use crate::diagnostic::ToolMistake;
use crate::options::Options;
use crate::suggest::closest;
use crate::syntax::{as_path, as_string, meant_boolean, peel_groups, source};
use syn::{Expr, ExprLit, LitStr, Path};

/// The values of `approve` that are not the path of a function.
const RULES: [&str; 2] = ["never", "always"];

/// The calls that a person must approve.
pub(super) enum Approve {
    Always,
    /// Those for which this function returns true.
    If(Path),
}

/// Reads the option. `None` if no call must be approved.
pub(super) fn approve(options: &mut Options<'_>) -> Option<Approve> {
    let value = options.expr("approve")?;
    if let Expr::Closure(_) = peel_groups(&value) {
        options.report(value, ToolMistake::ApproveIsAClosure);
        return None;
    }
    let written = as_string(&value).map(LitStr::value);
    match written.as_deref() {
        Some("never") => return None,
        Some("always") => return Some(Approve::Always),
        Some(_) => {}
        None => {
            if let Some(path) = as_path(&value)
                && !RULES.iter().any(|rule| path.is_ident(rule))
            {
                return Some(Approve::If(path.clone()));
            }
        }
    }
    let suggestion = suggestion(&value, written.as_deref());
    let value_source = source(&value);
    let mistake = ToolMistake::InvalidApprove {
        value: value_source,
        suggestion,
    };
    options.report(value, mistake);
    None
}

/// Returns the value that the user most likely meant.
fn suggestion(value: &Expr, written: Option<&str>) -> Option<String> {
    let rule = |rule: &str| format!("approve = \"{rule}\"");
    if let Expr::Lit(ExprLit { lit, .. }) = peel_groups(value)
        && let Some(is_needed) = meant_boolean(lit)
    {
        return Some(rule(if is_needed { "always" } else { "never" }));
    }
    let word = match written {
        Some(word) => word.to_owned(),
        None => as_path(value)?.get_ident()?.to_string(),
    };
    if let Some(known) = closest(&word, RULES) {
        return Some(rule(known));
    }
    let is_path = syn::parse_str::<Path>(&word).is_ok();
    is_path.then(|| format!("approve = {word}"))
}
