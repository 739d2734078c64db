//! The options `default` and `default_env`, and the kinds of setting that have no other options.

use super::item::{ConstantDefault, FieldDefault};
use crate::diagnostic::Diagnostic;
use crate::literal::{InnerLiteral, converted};
use crate::options::Options;
use crate::syntax::{as_string, peel_groups, source};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Lit, parse_quote};

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

/// Returns true if the compiler may be able to evaluate the expression at compile time. It is not a literal of another
/// type, and not a conversion, which is not constant or not needed.
pub(super) fn may_be_constant(expr: &Expr) -> bool {
    let is_syntax = !matches!(expr, Expr::Verbatim(_) | Expr::Closure(_) | Expr::Tuple(_));
    is_syntax && InnerLiteral::find(expr).is_none() && is_same(converted(expr), expr)
}

fn is_same(one: &Expr, other: &Expr) -> bool {
    std::ptr::eq(one, other) || matches!(other, Expr::Paren(_))
}

/// Reports a default of another type. The suggestion is the user's value in the right type, or else an example.
pub(super) fn report_wrong_type(
    expr: Expr,
    expected: &'static str,
    repaired: Option<String>,
    example: &str,
    options: &mut Options<'_>,
) {
    let value = converted(&expr);
    let value = repaired.unwrap_or_else(|| match value {
        Expr::Path(_) if !is_same(value, &expr) => source(value),
        _ => example.to_owned(),
    });
    let usage = format!("default = {value}");
    options.report(
        expr,
        Diagnostic::WrongDefaultType {
            subject: "setting",
            expected,
            usage,
        },
    );
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
pub(super) fn checkbox_default(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<FieldDefault> {
    let expr = default_expr(options)?;
    if let Expr::Lit(ExprLit {
        lit: Lit::Bool(value),
        ..
    }) = &expr
    {
        setters.push(quote!(.default(#value)));
        return None;
    }
    if may_be_constant(&expr) {
        return Some(FieldDefault::Constant(Box::new(ConstantDefault {
            ty: parse_quote!(bool),
            expr,
            check: None,
        })));
    }
    let boolean = InnerLiteral::find(&expr).and_then(|literal| literal.boolean());
    let boolean = boolean.map(|boolean| boolean.to_string());
    report_wrong_type(expr, "`true` or `false`", boolean, "true", options);
    None
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
pub(super) fn choice_default(options: &mut Options<'_>) -> Option<FieldDefault> {
    let expr = default_expr(options)?;
    if let Some(value) = as_string(&expr) {
        return Some(FieldDefault::Choice(value.clone()));
    }
    if matches!(expr, Expr::Path(_)) {
        return Some(FieldDefault::Variant(Box::new(expr)));
    }
    Some(FieldDefault::NotAChoice(Box::new(expr)))
}
