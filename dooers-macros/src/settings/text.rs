//! The options of texts, secrets, mail addresses and dates.

use super::default::{default_expr, may_be_constant, report_wrong_type};
use super::format::{is_date, is_email};
use super::item::{ConstantCheck, ConstantDefault, FieldDefault};
use super::pattern;
use crate::diagnostic::Diagnostic;
use crate::literal::InnerLiteral;
use crate::options::Options;
use crate::syntax::as_string;
use proc_macro2::TokenStream;
use quote::quote;
use regex_lite::Regex;
use std::collections::HashSet;
use syn::{Expr, LitStr, parse_quote};

/// The bounds of a text, in characters.
#[derive(Clone, Copy)]
struct LengthBounds {
    min: Option<u32>,
    max: Option<u32>,
}

/// The rules of a text that the default must follow too.
pub(super) struct TextRules {
    bounds: LengthBounds,
    pattern: Option<Pattern>,
}

/// A pattern, as the user wrote it and compiled.
struct Pattern {
    text: String,
    compiled: Regex,
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
pub(super) fn rule_setters(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) -> TextRules {
    TextRules {
        bounds: length_setters(options, setters),
        pattern: pattern_setter(options, setters),
    }
}

fn length_setters(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) -> LengthBounds {
    let min = options.count("min_length");
    let max = options.count("max_length");
    let are_swapped = match (&min, &max) {
        (Some((min, expr)), Some((max, _))) if min > max => {
            options.report(expr, Diagnostic::MinLengthAboveMax);
            true
        }
        _ => false,
    };
    // No default has such a length, so its length is not reported as well.
    let used = |bound: Option<(u32, Expr)>| Some(bound.filter(|_| !are_swapped)?.0);
    let (min, max) = (used(min), used(max));
    setters.extend(min.map(|min| quote!(.min_length(#min))));
    setters.extend(max.map(|max| quote!(.max_length(#max))));
    LengthBounds { min, max }
}

fn pattern_setter(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) -> Option<Pattern> {
    let pattern = options.string("pattern")?;
    let text = pattern.value();
    match pattern::translated(&text) {
        Ok(translated) => {
            setters.push(quote!(.pattern(#pattern)));
            // A pattern that is too large for this engine is matched when the server starts.
            let compiled = Regex::new(&translated).ok()?;
            Some(Pattern { text, compiled })
        }
        Err(error) => {
            options.report(&pattern, Diagnostic::UnsupportedPattern { error });
            None
        }
    }
}

/// Reads the remaining options of a text. `listed` is the values of `options(…)`. Returns a default that only the
/// compiler can check.
pub(super) fn text_setters(
    listed: Option<&[String]>,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<FieldDefault> {
    if let Some((rows, _)) = options.count("rows") {
        setters.push(quote!(.rows(#rows)));
    }
    let rules = rule_setters(options, setters);
    let expr = default_expr(options)?;
    if may_be_constant(&expr) {
        return Some(constant_default(expr, listed, rules.bounds));
    }
    let default = string(expr, options)?;
    check_rules(&default, &rules, options);
    if let Some(listed) = listed
        && !listed.is_empty()
        && !listed.contains(&default.value())
    {
        let values = quoted(listed);
        options.report(&default, Diagnostic::DefaultNotAnOption { values });
    }
    setters.push(quote!(.default(#default)));
    None
}

fn quoted(values: &[String]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    quoted.join(", ")
}

/// Leaves the checks of a constant expression to the compiler.
fn constant_default(expr: Expr, listed: Option<&[String]>, bounds: LengthBounds) -> FieldDefault {
    let (function, arguments) = if let Some(listed) = listed {
        let values = quoted(listed);
        ("assert_listed", quote!(&[#(#listed),*], #values))
    } else {
        let (min, max) = (bounds.min.unwrap_or(0), bounds.max.unwrap_or(u32::MAX));
        let range = length_range(bounds).unwrap_or_default();
        ("assert_length", quote!((#min, #max), #range))
    };
    FieldDefault::Constant(Box::new(ConstantDefault {
        ty: parse_quote!(&'static str),
        expr,
        check: Some(ConstantCheck {
            function,
            cast: TokenStream::new(),
            arguments,
        }),
    }))
}

/// Reads the options of a mail address.
pub(super) fn email_setters(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    let rules = rule_setters(options, setters);
    let (reason, usage) = (
        "the compiler cannot check the format of a mail address",
        "default = \"ada@example.org\"",
    );
    let Some(default) = string_default(options, reason, usage) else {
        return;
    };
    if is_email(&default.value()) {
        check_rules(&default, &rules, options);
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
    let (reason, usage) = (
        "the compiler cannot check the format of a date",
        "default = \"2026-02-11\"",
    );
    let Some(default) = string_default(options, reason, usage) else {
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

/// Checks a default as the server checks values.
fn check_rules(default: &LitStr, rules: &TextRules, options: &mut Options<'_>) {
    check_length(default, rules.bounds, options);
    if let Some(pattern) = &rules.pattern
        && !pattern.compiled.is_match(&default.value())
    {
        let pattern = pattern.text.clone();
        options.report(default, Diagnostic::DefaultBreaksPattern { pattern });
    }
}

fn check_length(default: &LitStr, bounds: LengthBounds, options: &mut Options<'_>) {
    let LengthBounds { min, max } = bounds;
    let Some(range) = length_range(bounds) else {
        return;
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

/// Describes the lengths that a text can have, for an error text. `None` for any length.
fn length_range(bounds: LengthBounds) -> Option<String> {
    match (bounds.min, bounds.max) {
        (None, None) => None,
        (Some(min), None) => Some(format!("at least {min}")),
        (None, Some(max)) => Some(format!("at most {max}")),
        (Some(min), Some(max)) => Some(format!("from {min} to {max}")),
    }
}

/// Returns the default of a setting whose format the macro checks, so that it must be a literal.
fn string_default(
    options: &mut Options<'_>,
    reason: &'static str,
    usage: &'static str,
) -> Option<LitStr> {
    let expr = default_expr(options)?;
    if may_be_constant(&expr) {
        options.report(expr, Diagnostic::DefaultNotALiteral { reason, usage });
        return None;
    }
    string(expr, options)
}

/// Returns a string literal. Reports any other expression.
fn string(expr: Expr, options: &mut Options<'_>) -> Option<LitStr> {
    let string = as_string(&expr).cloned();
    if string.is_none() {
        let repaired = InnerLiteral::find(&expr).map(|literal| literal.text());
        report_wrong_type(expr, "a string in quotes", repaired, "\"…\"", options);
    }
    string
}

#[cfg(test)]
mod tests {
    use super::pattern::translated;
    use regex_lite::Regex;

    #[test]
    fn shared_syntax_is_matched_by_the_macro() {
        for (pattern, fitting, other) in [
            ("^[a-z0-9-]{2,8}$", "a-1", "a"),
            ("^(?:ab|c)+$", "abc", "b"),
            (r"^\.\/[\]\-a]$", "./]", "./b"),
            (r"^\n\t\x41\u0042\u{1F600}$", "\n\tAB\u{1F600}", "AB"),
            ("^a.c$", "aéc", "a\nc"),
            ("^[^a]ä{2}$", "bää", "aää"),
            ("b$", "ab", "b\n"),
            ("", "", "\0"),
        ] {
            let compiled = Regex::new(&translated(pattern).unwrap()).unwrap();
            assert!(compiled.is_match(fitting), "{pattern}");
            assert_eq!(compiled.is_match(other), pattern.is_empty(), "{pattern}");
        }
    }
}
