//! The options of numbers: bounds, step and default.

use super::default::{default_expr, may_be_constant, report_wrong_type};
use super::field_type::{FieldKind, FieldType};
use super::item::{ConstantCheck, ConstantDefault, FieldDefault};
use super::step;
use crate::diagnostic::Diagnostic;
use crate::literal::InnerLiteral;
use crate::number_literal::NumberLiteral;
use crate::options::Options;
use crate::syntax::type_source;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, Ident};

/// The bounds and the step of a number. `None` if the option is absent or invalid.
struct NumberBounds {
    min: Option<NumberLiteral>,
    max: Option<NumberLiteral>,
    step: Option<NumberLiteral>,
}

/// Reads the options of a number. Returns a default that only the compiler can check.
pub(super) fn number_setters(
    field_type: &FieldType<'_>,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<FieldDefault> {
    let bounds = number_bounds(field_type, options);
    let NumberBounds { min, max, step } = &bounds;
    for (name, literal) in [("min", min), ("max", max), ("step", step)] {
        let setter = Ident::new(name, Span::mixed_site());
        setters.extend(literal.as_ref().map(|literal| quote!(.#setter(#literal))));
    }
    let default = default_expr(options)?;
    if may_be_constant(&default) {
        return constant_default(default, field_type, &bounds, options);
    }
    let default = number_default(default, field_type.kind, &bounds, options)?;
    setters.push(quote!(.default(#default)));
    None
}

/// Checks what is possible for a constant expression, and leaves the rest to the compiler.
fn constant_default(
    expr: Expr,
    field_type: &FieldType<'_>,
    bounds: &NumberBounds,
    options: &mut Options<'_>,
) -> Option<FieldDefault> {
    let NumberBounds { min, max, step } = bounds;
    let range = range(field_type.kind, bounds);
    let (function, cast, arguments) = match field_type.kind {
        FieldKind::Integer {
            min: type_min,
            max: type_max,
        } => {
            let integer = |bound: &Option<NumberLiteral>| bound.as_ref()?.integer;
            let step_source = step.as_ref().map(NumberLiteral::source).unwrap_or_default();
            let (from, step) = (integer(min).unwrap_or(0), integer(step).unwrap_or(1));
            let (min, max) = (
                integer(min).unwrap_or(type_min),
                integer(max).unwrap_or(type_max),
            );
            (
                "assert_integer",
                quote!(as i128),
                quote!((#min, #max), #range, (#from, #step), #step_source),
            )
        }
        _ if step.is_some() => {
            let diagnostic = Diagnostic::DefaultNotALiteral {
                reason: "steps are counted in decimals, which the compiler cannot do",
                usage: "default = 0.5",
            };
            options.report(expr, diagnostic);
            return None;
        }
        _ => {
            let bound = |bound: &Option<NumberLiteral>, none: TokenStream| {
                bound.as_ref().map_or(none, |bound| quote!(#bound as f64))
            };
            let min = bound(min, quote!(f64::MIN));
            let max = bound(max, quote!(f64::MAX));
            (
                "assert_decimal",
                quote!(as f64),
                quote!((#min, #max), #range),
            )
        }
    };
    Some(FieldDefault::Constant(Box::new(ConstantDefault {
        ty: field_type.ty.clone(),
        expr,
        check: Some(ConstantCheck {
            function,
            cast,
            arguments,
        }),
    })))
}

fn number_bounds(field_type: &FieldType<'_>, options: &mut Options<'_>) -> NumberBounds {
    let min = bound("min", field_type, options);
    let max = bound("max", field_type, options);
    let step = options.number("step").filter(|step| {
        let diagnostic = match field_type.kind {
            FieldKind::Integer { .. } if !step.is_integer() => Diagnostic::FractionalBound {
                key: "step".to_owned(),
            },
            _ if !step.is_positive() => Diagnostic::StepNotPositive,
            _ => return true,
        };
        options.report(&step.expr, diagnostic);
        false
    });
    if let (Some(min), Some(max)) = (&min, &max)
        && min.compare(max).is_gt()
    {
        options.report(&min.expr, Diagnostic::MinAboveMax);
        // No default is in this range, and none is on a step that is counted from the wrong end.
        return NumberBounds {
            min: None,
            max: None,
            step: None,
        };
    } else if let (Some(step), Some(max)) = (&step, &max)
        && !is_on_step(max, min.as_ref(), step)
    {
        options.report(&step.expr, Diagnostic::MaxOffStep);
    }
    NumberBounds { min, max, step }
}

fn bound(
    key: &str,
    field_type: &FieldType<'_>,
    options: &mut Options<'_>,
) -> Option<NumberLiteral> {
    let literal = options.number(key)?;
    let key = key.to_owned();
    let diagnostic = match field_type.kind {
        FieldKind::Integer { .. } if !literal.is_integer() => Diagnostic::FractionalBound { key },
        kind if !fits_type(kind, &literal) => Diagnostic::BoundOutOfRange {
            key,
            ty: type_source(field_type.ty),
        },
        _ => return Some(literal),
    };
    options.report(&literal.expr, diagnostic);
    None
}

fn number_default(
    expr: Expr,
    kind: FieldKind,
    bounds: &NumberBounds,
    options: &mut Options<'_>,
) -> Option<NumberLiteral> {
    let is_integer = matches!(kind, FieldKind::Integer { .. });
    let literal = NumberLiteral::from_expr(&expr);
    let Some(literal) = literal.filter(|literal| literal.is_integer() || !is_integer) else {
        let (expected, example) = if is_integer {
            ("an integer", "1")
        } else {
            ("a number", "0.5")
        };
        let repaired = InnerLiteral::find(&expr).and_then(|literal| literal.number(is_integer));
        report_wrong_type(expr, expected, repaired, example, options);
        return None;
    };
    let NumberBounds { min, max, step } = bounds;
    let is_in_bounds = min.as_ref().is_none_or(|min| literal.compare(min).is_ge())
        && max.as_ref().is_none_or(|max| literal.compare(max).is_le())
        && fits_type(kind, &literal);
    let diagnostic = if !is_in_bounds {
        Diagnostic::DefaultOutOfRange {
            range: range(kind, bounds),
        }
    } else if let Some(step) = step
        && !is_on_step(&literal, min.as_ref(), step)
    {
        let step = step.source();
        Diagnostic::DefaultOffStep { step }
    } else {
        return Some(literal);
    };
    options.report(&literal.expr, diagnostic);
    None
}

fn fits_type(kind: FieldKind, literal: &NumberLiteral) -> bool {
    match kind {
        FieldKind::Integer { min, max } => literal
            .integer
            .is_some_and(|integer| (min..=max).contains(&integer)),
        FieldKind::Decimal { min, max } => literal.is_within(min, max),
        _ => true,
    }
}

/// Describes the numbers that a setting takes, for an error text.
fn range(kind: FieldKind, bounds: &NumberBounds) -> String {
    let min = bounds.min.as_ref().map(NumberLiteral::source);
    let max = bounds.max.as_ref().map(NumberLiteral::source);
    let (type_min, type_max) = match kind {
        FieldKind::Integer { min, max } => (min.to_string(), max.to_string()),
        FieldKind::Decimal { min, max } => (format!("{min:e}"), format!("{max:e}")),
        _ => (String::new(), String::new()),
    };
    match (min, max) {
        (Some(min), None) if matches!(kind, FieldKind::Decimal { .. }) => {
            format!("of at least {min}")
        }
        (None, Some(max)) if matches!(kind, FieldKind::Decimal { .. }) => {
            format!("of at most {max}")
        }
        (min, max) => format!(
            "from {} to {}",
            min.unwrap_or(type_min),
            max.unwrap_or(type_max)
        ),
    }
}

/// Returns true if a number is on a step, counted from another number or from 0. The runtime has the same rule.
fn is_on_step(number: &NumberLiteral, from: Option<&NumberLiteral>, step: &NumberLiteral) -> bool {
    let meant = || {
        let from = from.and_then(NumberLiteral::decimal);
        let exact = number.decimal()?;
        let meant = step::meant(exact, from, step.decimal()?)?;
        // An integer is not rounded, however large it is, so it means no other number.
        (!number.is_integer() || meant == *exact).then_some(meant)
    };
    meant().is_some()
}
