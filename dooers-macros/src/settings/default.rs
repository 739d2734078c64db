//! Defaults, and the kinds of setting that have little else.

use super::field::ChoiceDefault;
use crate::diagnostic::Mistake;
use crate::options::{Options, ungrouped};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Lit};

/// The default as it is written. `None` is said to be none.
pub(super) fn default(options: &mut Options<'_>) -> Option<Expr> {
    let written = options.expression("default")?;
    let written = ungrouped(&written).clone();
    if let Expr::Path(path) = &written
        && path.path.is_ident("None")
    {
        options.mistakes().add(written, Mistake::DefaultNone);
        return None;
    }
    Some(written)
}

/// A secret has no default in the program.
pub(super) fn refuse_default(options: &mut Options<'_>) {
    let given = options.given().find(|key| *key == "default").cloned();
    if let Some(key) = given {
        options.mistakes().add(key, Mistake::DefaultOfSecret);
        options.drop("default");
    }
}

/// The variable that has the default of a secret.
pub(super) fn default_env(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    let Some(variable) = options.text("default_env") else {
        return;
    };
    let name = variable.value();
    if name.is_empty() || name.contains(['=', '\0']) {
        options.mistakes().add(variable, Mistake::VariableName);
    } else {
        setters.push(quote!(.default_env(#variable)));
    }
}

pub(super) fn checkbox(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    match default(options) {
        Some(Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        })) => {
            setters.push(quote!(.default(#value)));
        }
        Some(other) => {
            let mistake = Mistake::DefaultType {
                what: "`true` or `false`",
                usage: "default = true",
            };
            options.mistakes().add(other, mistake);
        }
        None => {}
    }
}

pub(super) fn image(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    if let Some(src) = options.text("src") {
        setters.push(quote!(.src(#src)));
    }
    if let Some((width, _)) = options.count("width") {
        setters.push(quote!(.width(#width)));
    }
    if let Some((height, _)) = options.count("height") {
        setters.push(quote!(.height(#height)));
    }
}

pub(super) fn choice(options: &mut Options<'_>) -> Option<ChoiceDefault> {
    match default(options)? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(value),
            ..
        }) => Some(ChoiceDefault::Value(value)),
        variant @ Expr::Path(_) => Some(ChoiceDefault::Variant(Box::new(variant))),
        other => {
            let mistake = Mistake::DefaultType {
                what: "a variant, or its value in quotes",
                usage: "default = \"…\"",
            };
            options.mistakes().add(other, mistake);
            None
        }
    }
}
