//! What a field of text says about its setting.

use super::default::default;
use super::pattern;
use crate::diagnostic::{Mistake, Mistakes};
use crate::options::Options;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashSet;
use syn::{Expr, ExprLit, Lit, LitStr};

/// What `options(…)` gives: the values.
pub(super) fn choices(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<Vec<String>> {
    let (key, pairs) = options.pairs("options")?;
    if pairs.is_empty() {
        options.mistakes().add(&key, Mistake::NoOptions);
    }
    let mut values = HashSet::new();
    for (value, _) in &pairs {
        if !values.insert(value.value()) {
            let value_text = value.value();
            options
                .mistakes()
                .add(value, Mistake::SameOption { value: value_text });
        }
    }
    let pair = pairs.iter().map(|(value, label)| quote!((#value, #label)));
    setters.push(quote!(.options([#(#pair),*])));
    Some(pairs.iter().map(|(value, _)| value.value()).collect())
}

pub(super) type Lengths = (Option<u32>, Option<u32>);

/// `min_length`, `max_length` and `pattern`.
pub(super) fn lengths(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) -> Lengths {
    let min = options.count("min_length");
    let max = options.count("max_length");
    if let (Some((min, written)), Some((max, _))) = (&min, &max)
        && min > max
    {
        options.mistakes().add(written, Mistake::MinLengthAboveMax);
    }
    let (min, max) = (min.map(|(min, _)| min), max.map(|(max, _)| max));
    setters.extend(min.map(|min| quote!(.min_length(#min))));
    setters.extend(max.map(|max| quote!(.max_length(#max))));
    if let Some(pattern) = options.text("pattern") {
        match pattern::translated(&pattern.value()) {
            Ok(_) => setters.push(quote!(.pattern(#pattern))),
            Err(error) => options.mistakes().add(&pattern, Mistake::Pattern { error }),
        }
    }
    (min, max)
}

pub(super) fn check_length(default: &LitStr, (min, max): Lengths, mistakes: &mut Mistakes) {
    let length = default.value().chars().count();
    let is_right = min.is_none_or(|min| length >= min as usize)
        && max.is_none_or(|max| length <= max as usize);
    if !is_right {
        let mistake = Mistake::DefaultLength {
            length,
            least: min.unwrap_or(0).to_string(),
            most: max.map_or_else(|| "any number".to_owned(), |max| max.to_string()),
        };
        mistakes.add(default, mistake);
    }
}

pub(super) fn text(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
    choices: Option<&[String]>,
) {
    if let Some((rows, _)) = options.count("rows") {
        setters.push(quote!(.rows(#rows)));
    }
    let bounds = lengths(options, setters);
    let Some(default) = text_default(options, "a text in quotes", "default = \"…\"") else {
        return;
    };
    check_length(&default, bounds, options.mistakes());
    if let Some(choices) = choices
        && !choices.is_empty()
        && !choices.contains(&default.value())
    {
        let quoted: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        let mistake = Mistake::DefaultNoOption {
            options: quoted.join(", "),
        };
        options.mistakes().add(&default, mistake);
    }
    setters.push(quote!(.default(#default)));
}

pub(super) fn formatted(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
    (what, usage): (&'static str, &'static str),
    is_right: fn(&str) -> bool,
    bounds: Lengths,
) {
    let Some(default) = text_default(options, "a text in quotes", "default = \"…\"") else {
        return;
    };
    if is_right(&default.value()) {
        check_length(&default, bounds, options.mistakes());
        setters.push(quote!(.default(#default)));
    } else {
        options
            .mistakes()
            .add(&default, Mistake::DefaultFormat { what, usage });
    }
}

pub(super) fn text_default(
    options: &mut Options<'_>,
    what: &'static str,
    usage: &'static str,
) -> Option<LitStr> {
    match default(options)? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        other => {
            options
                .mistakes()
                .add(other, Mistake::DefaultType { what, usage });
            None
        }
    }
}
