//! What a field of numbers says about its setting.

use super::default::default;
use super::field_type::{Kind, Shape};
use crate::diagnostic::Mistake;
use crate::number_literal::Literal;
use crate::options::Options;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Ident, Type};

/// Its bounds, its steps and its default.
pub(super) fn number(
    shape: &Shape<'_>,
    ty: &Type,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) {
    let min = bound("min", shape, ty, options);
    let max = bound("max", shape, ty, options);
    let step = options.number("step").filter(|step| {
        let mistake = match shape.kind {
            Kind::Integer { .. } if !step.is_whole() => Mistake::BoundType {
                key: "step".to_owned(),
            },
            _ if !step.is_positive() => Mistake::StepNotPositive,
            _ => return true,
        };
        options.mistakes().add(&step.written, mistake);
        false
    });
    if let (Some(min), Some(max)) = (&min, &max)
        && min.compare(max).is_gt()
    {
        options.mistakes().add(&min.written, Mistake::MinAboveMax);
    } else if let (Some(step), Some(max)) = (&step, &max)
        && !max.is_on_a_step(min.as_ref(), step)
    {
        options
            .mistakes()
            .add(&step.written, Mistake::StepDoesNotDivide);
    }
    for (name, literal) in [("min", &min), ("max", &max), ("step", &step)] {
        let setter = Ident::new(name, proc_macro2::Span::mixed_site());
        setters.extend(literal.as_ref().map(|literal| quote!(.#setter(#literal))));
    }
    let Some(written) = default(options) else {
        return;
    };
    let is_integer = matches!(shape.kind, Kind::Integer { .. });
    let literal = Literal::of(&written).filter(|literal| literal.is_whole() || !is_integer);
    let Some(literal) = literal else {
        let (what, usage) = if is_integer {
            ("a whole number", "default = 1")
        } else {
            ("a number", "default = 0.5")
        };
        options
            .mistakes()
            .add(written, Mistake::DefaultType { what, usage });
        return;
    };
    let is_large_enough = min.as_ref().is_none_or(|min| literal.compare(min).is_ge());
    let is_small_enough = max.as_ref().is_none_or(|max| literal.compare(max).is_le());
    let wrong = if !is_large_enough || !is_small_enough || !is_held(shape.kind, &literal) {
        let (least, most) = limits(shape.kind);
        let written = |bound: &Option<Literal>, limit: String| {
            let bound = bound.as_ref();
            bound.map_or(limit, |bound| {
                bound
                    .written
                    .to_token_stream()
                    .to_string()
                    .replace("- ", "-")
            })
        };
        Some(Mistake::DefaultOutOfRange {
            least: written(&min, least),
            most: written(&max, most),
        })
    } else {
        let off = step
            .as_ref()
            .filter(|step| !literal.is_on_a_step(min.as_ref(), step));
        off.map(|step| Mistake::DefaultNotOnAStep {
            step: step.written.to_token_stream().to_string(),
        })
    };
    match wrong {
        Some(mistake) => options.mistakes().add(&literal.written, mistake),
        None => setters.push(quote!(.default(#literal))),
    }
}

fn bound(key: &str, shape: &Shape<'_>, ty: &Type, options: &mut Options<'_>) -> Option<Literal> {
    let literal = options.number(key)?;
    let key = key.to_owned();
    let mistake = match shape.kind {
        Kind::Integer { .. } if !literal.is_whole() => Mistake::BoundType { key },
        kind if !is_held(kind, &literal) => Mistake::BoundOutOfType {
            key,
            ty: ty.to_token_stream().to_string().replace(' ', ""),
        },
        _ => return Some(literal),
    };
    options.mistakes().add(&literal.written, mistake);
    None
}

fn is_held(kind: Kind, literal: &Literal) -> bool {
    match kind {
        Kind::Integer { least, most } => literal
            .whole
            .is_some_and(|whole| (least..=most).contains(&whole)),
        Kind::Decimal { least, most } => literal.is_within(least, most),
        _ => true,
    }
}

fn limits(kind: Kind) -> (String, String) {
    match kind {
        Kind::Integer { least, most } => (least.to_string(), most.to_string()),
        _ => ("any number".to_owned(), "any number".to_owned()),
    }
}
