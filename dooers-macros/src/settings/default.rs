//! Defaults, and the kinds of setting that have little else.

use super::item::ChoiceDefault;
use crate::diagnostic::Diagnostic;
use crate::options::Options;
use crate::syntax::peel_groups;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Lit};

/// The default as it is written. `None` is said to be none.
pub(super) fn default_expr(options: &mut Options<'_>) -> Option<Expr> {
    let expr = options.expr("default")?;
    let expr = peel_groups(&expr).clone();
    if let Expr::Path(path) = &expr
        && path.path.is_ident("None")
    {
        options
            .diagnostics()
            .add(expr, Diagnostic::RedundantDefault);
        return None;
    }
    Some(expr)
}

/// A secret has no default in the program.
pub(super) fn reject_default(options: &mut Options<'_>) {
    let given = options.keys().find(|key| *key == "default").cloned();
    if let Some(key) = given {
        options
            .diagnostics()
            .add(key, Diagnostic::SecretWithDefault);
        options.discard("default");
    }
}

/// The variable that has the default of a secret.
pub(super) fn default_env_setter(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    let Some(variable) = options.string("default_env") else {
        return;
    };
    let name = variable.value();
    if name.is_empty() || name.contains(['=', '\0']) {
        options
            .diagnostics()
            .add(variable, Diagnostic::InvalidVariableName);
    } else {
        setters.push(quote!(.default_env(#variable)));
    }
}

pub(super) fn checkbox_setters(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    match default_expr(options) {
        Some(Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        })) => {
            setters.push(quote!(.default(#value)));
        }
        Some(other) => {
            let diagnostic = Diagnostic::WrongDefaultType {
                expected: "`true` or `false`",
                usage: "default = true",
            };
            options.diagnostics().add(other, diagnostic);
        }
        None => {}
    }
}

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

pub(super) fn choice_default(options: &mut Options<'_>) -> Option<ChoiceDefault> {
    match default_expr(options)? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(value),
            ..
        }) => Some(ChoiceDefault::Value(value)),
        variant @ Expr::Path(_) => Some(ChoiceDefault::Variant(Box::new(variant))),
        other => {
            let diagnostic = Diagnostic::WrongDefaultType {
                expected: "a variant, or its value in quotes",
                usage: "default = \"…\"",
            };
            options.diagnostics().add(other, diagnostic);
            None
        }
    }
}
