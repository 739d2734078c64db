//! The options of texts, secrets, mail addresses and dates.

use super::default::default_expr;
use super::format::{is_date, is_email};
use super::pattern;
use crate::diagnostic::Diagnostic;
use crate::options::Options;
use crate::syntax::as_string;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashSet;
use syn::LitStr;

/// The bounds of a text, in characters.
#[derive(Clone, Copy, Default)]
pub(super) struct LengthBounds {
    min: Option<u32>,
    max: Option<u32>,
}

/// Reads `options(…)`. Returns the values.
pub(super) fn option_list(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<Vec<String>> {
    let (key, pairs) = options.pairs("options")?;
    if pairs.is_empty() {
        options.report(&key, Diagnostic::EmptyOptionList);
    }
    let mut values = HashSet::new();
    for (literal, _) in &pairs {
        let value = literal.value();
        if !values.insert(value.clone()) {
            options.report(literal, Diagnostic::DuplicateListOption { value });
        }
    }
    let pair = pairs.iter().map(|(value, label)| quote!((#value, #label)));
    setters.push(quote!(.options([#(#pair),*])));
    Some(pairs.iter().map(|(value, _)| value.value()).collect())
}

/// Reads `min_length`, `max_length` and `pattern`.
pub(super) fn length_setters(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> LengthBounds {
    let min = options.count("min_length");
    let max = options.count("max_length");
    if let (Some((min, expr)), Some((max, _))) = (&min, &max)
        && min > max
    {
        options.report(expr, Diagnostic::MinLengthAboveMax);
    }
    let (min, max) = (min.map(|(min, _)| min), max.map(|(max, _)| max));
    setters.extend(min.map(|min| quote!(.min_length(#min))));
    setters.extend(max.map(|max| quote!(.max_length(#max))));
    if let Some(pattern) = options.string("pattern") {
        match pattern::translated(&pattern.value()) {
            Ok(_) => setters.push(quote!(.pattern(#pattern))),
            Err(error) => options.report(&pattern, Diagnostic::UnsupportedPattern { error }),
        }
    }
    LengthBounds { min, max }
}

/// Reads the remaining options of a text. `listed` is the values of `options(…)`.
pub(super) fn text_setters(
    listed: Option<&[String]>,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) {
    if let Some((rows, _)) = options.count("rows") {
        setters.push(quote!(.rows(#rows)));
    }
    let bounds = length_setters(options, setters);
    let Some(default) = string_default(options) else {
        return;
    };
    check_length(&default, bounds, options);
    if let Some(listed) = listed
        && !listed.is_empty()
        && !listed.contains(&default.value())
    {
        let quoted: Vec<_> = listed.iter().map(|value| format!("`{value}`")).collect();
        let values = quoted.join(", ");
        options.report(&default, Diagnostic::DefaultNotAnOption { values });
    }
    setters.push(quote!(.default(#default)));
}

/// Reads the options of a mail address.
pub(super) fn email_setters(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    let bounds = length_setters(options, setters);
    let Some(default) = string_default(options) else {
        return;
    };
    if is_email(&default.value()) {
        check_length(&default, bounds, options);
        setters.push(quote!(.default(#default)));
    } else {
        let (expected, usage) = ("a mail address", "ada@example.org");
        options.report(
            &default,
            Diagnostic::InvalidDefaultFormat { expected, usage },
        );
    }
}

/// Reads the options of a date.
pub(super) fn date_setters(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    let Some(default) = string_default(options) else {
        return;
    };
    if is_date(&default.value()) {
        setters.push(quote!(.default(#default)));
    } else {
        let (expected, usage) = ("a date", "2026-02-11");
        options.report(
            &default,
            Diagnostic::InvalidDefaultFormat { expected, usage },
        );
    }
}

fn check_length(default: &LitStr, bounds: LengthBounds, options: &mut Options<'_>) {
    let LengthBounds { min, max } = bounds;
    let range = match (min, max) {
        (None, None) => return,
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (Some(min), Some(max)) => format!("from {min} to {max}"),
    };
    let length = default.value().chars().count();
    let is_valid = min.is_none_or(|min| length >= min as usize)
        && max.is_none_or(|max| length <= max as usize);
    if !is_valid {
        options.report(
            default,
            Diagnostic::DefaultLengthOutOfRange { length, range },
        );
    }
}

fn string_default(options: &mut Options<'_>) -> Option<LitStr> {
    let expr = default_expr(options)?;
    let string = as_string(&expr).cloned();
    if string.is_none() {
        let (expected, usage) = ("a string in quotes", "default = \"…\"");
        options.report(expr, Diagnostic::WrongDefaultType { expected, usage });
    }
    string
}
