//! What a field of numbers says about its setting.

use super::default::default_expr;
use super::field_type::{FieldKind, FieldType};
use super::step;
use crate::diagnostic::Diagnostic;
use crate::number_literal::NumberLiteral;
use crate::options::Options;
use crate::syntax::type_source;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Type};

/// Its bounds, its steps and its default.
pub(super) fn number_setters(
    field_type: &FieldType<'_>,
    ty: &Type,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) {
    let min = bound("min", field_type, ty, options);
    let max = bound("max", field_type, ty, options);
    let step = options.number("step").filter(|step| {
        let diagnostic = match field_type.kind {
            FieldKind::Integer { .. } if !step.is_integer() => Diagnostic::FractionalBound {
                key: "step".to_owned(),
            },
            _ if !step.is_positive() => Diagnostic::StepNotPositive,
            _ => return true,
        };
        options.diagnostics().add(&step.expr, diagnostic);
        false
    });
    if let (Some(min), Some(max)) = (&min, &max)
        && min.compare(max).is_gt()
    {
        options
            .diagnostics()
            .add(&min.expr, Diagnostic::MinAboveMax);
    } else if let (Some(step), Some(max)) = (&step, &max)
        && !is_on_step(max, min.as_ref(), step)
    {
        options
            .diagnostics()
            .add(&step.expr, Diagnostic::MaxOffStep);
    }
    for (name, literal) in [("min", &min), ("max", &max), ("step", &step)] {
        let setter = Ident::new(name, proc_macro2::Span::mixed_site());
        setters.extend(literal.as_ref().map(|literal| quote!(.#setter(#literal))));
    }
    let Some(expr) = default_expr(options) else {
        return;
    };
    let is_integer = matches!(field_type.kind, FieldKind::Integer { .. });
    let literal =
        NumberLiteral::from_expr(&expr).filter(|literal| literal.is_integer() || !is_integer);
    let Some(literal) = literal else {
        let (expected, usage) = if is_integer {
            ("a whole number", "default = 1")
        } else {
            ("a number", "default = 0.5")
        };
        options
            .diagnostics()
            .add(expr, Diagnostic::WrongDefaultType { expected, usage });
        return;
    };
    let is_large_enough = min.as_ref().is_none_or(|min| literal.compare(min).is_ge());
    let is_small_enough = max.as_ref().is_none_or(|max| literal.compare(max).is_le());
    let diagnostic =
        if !is_large_enough || !is_small_enough || !fits_type(field_type.kind, &literal) {
            let (type_min, type_max) = type_limits(field_type.kind);
            Some(Diagnostic::DefaultOutOfRange {
                min: min.as_ref().map_or(type_min, NumberLiteral::source),
                max: max.as_ref().map_or(type_max, NumberLiteral::source),
            })
        } else {
            let off = step
                .as_ref()
                .filter(|step| !is_on_step(&literal, min.as_ref(), step));
            off.map(|step| Diagnostic::DefaultOffStep {
                step: step.source(),
            })
        };
    match diagnostic {
        Some(diagnostic) => options.diagnostics().add(&literal.expr, diagnostic),
        None => setters.push(quote!(.default(#literal))),
    }
}

fn bound(
    key: &str,
    field_type: &FieldType<'_>,
    ty: &Type,
    options: &mut Options<'_>,
) -> Option<NumberLiteral> {
    let literal = options.number(key)?;
    let key = key.to_owned();
    let diagnostic = match field_type.kind {
        FieldKind::Integer { .. } if !literal.is_integer() => Diagnostic::FractionalBound { key },
        kind if !fits_type(kind, &literal) => Diagnostic::BoundOutOfRange {
            key,
            ty: type_source(ty),
        },
        _ => return Some(literal),
    };
    options.diagnostics().add(&literal.expr, diagnostic);
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

fn type_limits(kind: FieldKind) -> (String, String) {
    match kind {
        FieldKind::Integer { min, max } => (min.to_string(), max.to_string()),
        _ => ("any number".to_owned(), "any number".to_owned()),
    }
}

/// Reports if a number is on a step, counted from another number or from 0. The runtime has the same rule.
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
