//! What a field of text says about its setting.

use super::default::default_expr;
use super::pattern;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::options::Options;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashSet;
use syn::{Expr, ExprLit, Lit, LitStr};

/// What `options(…)` gives: the values.
pub(super) fn option_list(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<Vec<String>> {
    let (key, pairs) = options.pairs("options")?;
    if pairs.is_empty() {
        options.diagnostics().add(&key, Diagnostic::EmptyOptionList);
    }
    let mut values = HashSet::new();
    for (value, _) in &pairs {
        if !values.insert(value.value()) {
            let value_text = value.value();
            options
                .diagnostics()
                .add(value, Diagnostic::DuplicateListOption { value: value_text });
        }
    }
    let pair = pairs.iter().map(|(value, label)| quote!((#value, #label)));
    setters.push(quote!(.options([#(#pair),*])));
    Some(pairs.iter().map(|(value, _)| value.value()).collect())
}

pub(super) type LengthBounds = (Option<u32>, Option<u32>);

/// `min_length`, `max_length` and `pattern`.
pub(super) fn length_setters(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> LengthBounds {
    let min = options.count("min_length");
    let max = options.count("max_length");
    if let (Some((min, written)), Some((max, _))) = (&min, &max)
        && min > max
    {
        options
            .diagnostics()
            .add(written, Diagnostic::MinLengthAboveMax);
    }
    let (min, max) = (min.map(|(min, _)| min), max.map(|(max, _)| max));
    setters.extend(min.map(|min| quote!(.min_length(#min))));
    setters.extend(max.map(|max| quote!(.max_length(#max))));
    if let Some(pattern) = options.string("pattern") {
        match pattern::translated(&pattern.value()) {
            Ok(_) => setters.push(quote!(.pattern(#pattern))),
            Err(error) => options
                .diagnostics()
                .add(&pattern, Diagnostic::UnsupportedPattern { error }),
        }
    }
    (min, max)
}

pub(super) fn check_length(
    default: &LitStr,
    (min, max): LengthBounds,
    diagnostics: &mut Diagnostics,
) {
    let length = default.value().chars().count();
    let is_valid = min.is_none_or(|min| length >= min as usize)
        && max.is_none_or(|max| length <= max as usize);
    if !is_valid {
        let diagnostic = Diagnostic::DefaultLengthOutOfRange {
            length,
            min: min.unwrap_or(0).to_string(),
            max: max.map_or_else(|| "any number".to_owned(), |max| max.to_string()),
        };
        diagnostics.add(default, diagnostic);
    }
}

pub(super) fn text_setters(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
    choices: Option<&[String]>,
) {
    if let Some((rows, _)) = options.count("rows") {
        setters.push(quote!(.rows(#rows)));
    }
    let bounds = length_setters(options, setters);
    let Some(default) = text_default(options, "a text in quotes", "default = \"…\"") else {
        return;
    };
    check_length(&default, bounds, options.diagnostics());
    if let Some(choices) = choices
        && !choices.is_empty()
        && !choices.contains(&default.value())
    {
        let quoted: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        let diagnostic = Diagnostic::DefaultNotAnOption {
            options: quoted.join(", "),
        };
        options.diagnostics().add(&default, diagnostic);
    }
    setters.push(quote!(.default(#default)));
}

pub(super) fn formatted_setters(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
    (expected, usage): (&'static str, &'static str),
    is_valid: fn(&str) -> bool,
    bounds: LengthBounds,
) {
    let Some(default) = text_default(options, "a text in quotes", "default = \"…\"") else {
        return;
    };
    if is_valid(&default.value()) {
        check_length(&default, bounds, options.diagnostics());
        setters.push(quote!(.default(#default)));
    } else {
        options.diagnostics().add(
            &default,
            Diagnostic::InvalidDefaultFormat { expected, usage },
        );
    }
}

pub(super) fn text_default(
    options: &mut Options<'_>,
    expected: &'static str,
    usage: &'static str,
) -> Option<LitStr> {
    match default_expr(options)? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        other => {
            options
                .diagnostics()
                .add(other, Diagnostic::WrongDefaultType { expected, usage });
            None
        }
    }
}
