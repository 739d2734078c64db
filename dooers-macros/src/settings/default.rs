//! The options `default` and `default_env`, and the kinds of setting that have no other options.

use super::item::ChoiceDefault;
use crate::diagnostic::Diagnostic;
use crate::options::Options;
use crate::syntax::{as_string, peel_groups};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Lit};

/// Returns the expression of `default`. Reports `default = None`.
pub(super) fn default_expr(options: &mut Options<'_>) -> Option<Expr> {
    let expr = options.expr("default")?;
    let expr = peel_groups(&expr).clone();
    if let Expr::Path(path) = &expr
        && path.path.is_ident("None")
    {
        options.report(expr, Diagnostic::RedundantDefault);
        return None;
    }
    Some(expr)
}

/// Reports and removes the `default` of a secret, which would be in the source code.
pub(super) fn reject_default(options: &mut Options<'_>) {
    if let Some(key) = options.key("default") {
        options.report(key, Diagnostic::SecretWithDefault);
        options.discard("default");
    }
}

/// Reads the environment variable that holds the default of a secret.
pub(super) fn default_env_setter(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    let Some(variable) = options.string("default_env") else {
        return;
    };
    let name = variable.value();
    if name.is_empty() || name.contains(['=', '\0']) {
        options.report(variable, Diagnostic::InvalidVariableName);
    } else {
        setters.push(quote!(.default_env(#variable)));
    }
}

/// Reads the default of a checkbox.
pub(super) fn checkbox_setters(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    match default_expr(options) {
        Some(Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        })) => {
            setters.push(quote!(.default(#value)));
        }
        Some(other) => {
            let (expected, usage) = ("`true` or `false`", "default = true");
            options.report(other, Diagnostic::WrongDefaultType { expected, usage });
        }
        None => {}
    }
}

/// Reads the address and the size of an image.
pub(super) fn image_setters(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    if let Some(src) = options.string("src") {
        setters.push(quote!(.src(#src)));
    }
    if let Some((width, _)) = options.count("width") {
        setters.push(quote!(.width(#width)));
    }
    if let Some((height, _)) = options.count("height") {
        setters.push(quote!(.height(#height)));
    }
}

/// Reads the default of an enum of choices.
pub(super) fn choice_default(options: &mut Options<'_>) -> Option<ChoiceDefault> {
    let expr = default_expr(options)?;
    if let Some(value) = as_string(&expr) {
        return Some(ChoiceDefault::Value(value.clone()));
    }
    if matches!(expr, Expr::Path(_)) {
        return Some(ChoiceDefault::Variant(Box::new(expr)));
    }
    let (expected, usage) = ("a variant, or its value in quotes", "default = \"…\"");
    options.report(expr, Diagnostic::WrongDefaultType { expected, usage });
    None
}
