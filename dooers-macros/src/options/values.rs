//! Getters for the values of options, one for each kind of value. A getter reports values of other kinds.

use super::parse::{GivenOption, OptionValue, Options};
use crate::diagnostic::{Diagnostic, ValueKind};
use crate::number_literal::NumberLiteral;
use crate::syntax::{as_path, as_string, meant_boolean, peel_groups};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token};

impl Options<'_> {
    /// Returns true if an option without a value is present.
    pub(crate) fn flag(&mut self, key: &str) -> bool {
        let Some(given) = self.remove(key) else {
            return false;
        };
        if let OptionValue::Expr(value) = given.value {
            let key = key.to_owned();
            self.report(value, Diagnostic::UnexpectedValue { key });
        }
        true
    }

    /// Returns the value of `key = true`.
    pub(crate) fn boolean(&mut self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        match peel_groups(&value) {
            Expr::Lit(ExprLit {
                lit: Lit::Bool(boolean),
                ..
            }) => Some(boolean.value),
            _ => self.invalid_value(key, ValueKind::Bool, &value),
        }
    }

    /// Returns the value of `key = false`. The key without a value means `true`.
    pub(crate) fn switch(&mut self, key: &str) -> Option<bool> {
        let is_bare =
            |given: &GivenOption| given.key == key && matches!(given.value, OptionValue::Missing);
        if self.given.iter().any(is_bare) {
            self.discard(key);
            return Some(true);
        }
        self.boolean(key)
    }

    /// Returns the value of `key = 4`, and its expression.
    pub(crate) fn count(&mut self, key: &str) -> Option<(u32, Expr)> {
        let value = self.value(key)?;
        let count = match peel_groups(&value) {
            Expr::Lit(ExprLit {
                lit: Lit::Int(count),
                ..
            }) if count.suffix().is_empty() => count.base10_parse().ok(),
            _ => None,
        };
        match count {
            Some(count) => Some((count, value)),
            None => self.invalid_value(key, ValueKind::Count, &value),
        }
    }

    /// Returns the value of `key = 0.5`.
    pub(crate) fn number(&mut self, key: &str) -> Option<NumberLiteral> {
        let value = self.value(key)?;
        let number = NumberLiteral::from_expr(&value);
        number.or_else(|| self.invalid_value(key, ValueKind::Number, &value))
    }

    /// Returns the value of `key = …`, which may be any expression.
    pub(crate) fn expr(&mut self, key: &str) -> Option<Expr> {
        self.value(key)
    }

    /// Returns the value of `key = some::path` or `key = |value| …`.
    pub(crate) fn function(&mut self, key: &str) -> Option<Expr> {
        let value = self.value(key)?;
        let value = peel_groups(&value);
        match value {
            Expr::Path(path) if path.attrs.is_empty() => Some(value.clone()),
            Expr::Closure(_) => Some(value.clone()),
            _ => self.invalid_value(key, ValueKind::Function, value),
        }
    }

    /// Returns the key and the pairs of `key("a" = "b", …)`. A value without a label is its own label.
    pub(crate) fn pairs(&mut self, key: &str) -> Option<(Ident, Vec<(LitStr, LitStr)>)> {
        let (name, list) = self.list(key, list_in)?;
        let pair = |input: ParseStream<'_>| {
            let value: LitStr = input.parse()?;
            if input.parse::<Option<Token![=]>>()?.is_none() {
                return Ok((value.clone(), value));
            }
            Ok((value, input.parse()?))
        };
        let pairs = |input: ParseStream<'_>| {
            syn::punctuated::Punctuated::<_, Token![,]>::parse_terminated_with(input, pair)
        };
        match pairs.parse2(list) {
            Ok(pairs) => Some((name, pairs.into_iter().collect())),
            Err(error) => {
                let usage = self.table.usage(key);
                let error = syn::Error::new(error.span(), Diagnostic::InvalidPair { usage });
                self.diagnostics.add_syn_error(error);
                None
            }
        }
    }

    /// Returns the values of `key(a, b, …)`. `bare_list` is that of [`list`](Self::list).
    pub(crate) fn exprs(
        &mut self,
        key: &str,
        bare_list: impl FnOnce(&Expr) -> Option<String>,
    ) -> Option<Vec<Expr>> {
        let (_, list) = self.list(key, bare_list)?;
        let mut exprs = Vec::new();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                exprs.push(input.parse()?);
                if !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
                    return Err(input.error(Diagnostic::MissingComma));
                }
            }
            Ok(())
        };
        match read.parse2(list) {
            Ok(()) => Some(exprs),
            Err(error) => {
                self.diagnostics.add_syn_error(error);
                None
            }
        }
    }

    /// Returns the key and the tokens of `key(…)`. `bare_list` rewrites a value without parentheses as such a list, for the
    /// suggestion.
    fn list(
        &mut self,
        key: &str,
        bare_list: impl FnOnce(&Expr) -> Option<String>,
    ) -> Option<(Ident, TokenStream)> {
        let given = self.remove(key)?;
        match given.value {
            OptionValue::List(list) => return Some((given.key, list)),
            OptionValue::Invalid => {}
            OptionValue::Missing => self.missing_value(&given.key, &given.key),
            OptionValue::Expr(value) => self.not_a_list(key, &value, bare_list(&value)),
        }
        None
    }

    /// Reports a list without parentheses. `list` is the list in them, for the suggestion.
    fn not_a_list(&mut self, key: &str, value: &Expr, list: Option<String>) {
        let usage = list.map(|list| format!("{key}({list})"));
        let usage = usage.unwrap_or_else(|| self.table.usage(key));
        let key = key.to_owned();
        self.report(value, Diagnostic::ListWithoutParentheses { key, usage });
    }

    /// Returns the value of `key = "text"`.
    pub(crate) fn string(&mut self, key: &str) -> Option<LitStr> {
        let value = self.value(key)?;
        let text = as_string(&value).cloned();
        text.or_else(|| self.invalid_value(key, ValueKind::String, &value))
    }

    /// Returns the value of `key = Name`.
    pub(crate) fn ident(&mut self, key: &str) -> Option<Ident> {
        let value = self.value(key)?;
        let name = as_path(&value).and_then(|path| path.get_ident().cloned());
        // `self`, `super` and `crate` are paths with one segment, but not names.
        let name = name.filter(|name| syn::parse2::<Ident>(name.to_token_stream()).is_ok());
        name.or_else(|| self.invalid_value(key, ValueKind::Ident, &value))
    }

    /// Returns the value of `key = some::path`.
    pub(crate) fn path(&mut self, key: &str) -> Option<Path> {
        let value = self.value(key)?;
        let path = as_path(&value).cloned();
        path.or_else(|| self.invalid_value(key, ValueKind::Path, &value))
    }

    fn value(&mut self, key: &str) -> Option<Expr> {
        let given = self.remove(key)?;
        match given.value {
            OptionValue::Expr(value) => Some(*value),
            OptionValue::Invalid => None,
            OptionValue::Missing | OptionValue::List(_) => {
                self.missing_value(&given.key, &given.key);
                None
            }
        }
    }

    /// Reports a value of the wrong kind. The suggestion contains the user's value if it can be corrected.
    fn invalid_value<T>(&mut self, key: &str, kind: ValueKind, value: &Expr) -> Option<T> {
        let text = as_string(value).map(LitStr::value);
        let usage = match (kind, text) {
            (ValueKind::Ident, Some(text)) if syn::parse_str::<Ident>(&text).is_ok() => {
                format!("{key} = {text}")
            }
            (ValueKind::Path | ValueKind::Function, Some(text))
                if syn::parse_str::<Path>(&text).is_ok() =>
            {
                format!("{key} = {text}")
            }
            (ValueKind::String, None) if is_word(value) => {
                format!("{key} = \"{}\"", value.to_token_stream())
            }
            (ValueKind::Bool, _) if let Some(boolean) = boolean_in(value) => {
                format!("{key} = {boolean}")
            }
            (ValueKind::Count, text) if let Some(count) = count_in(text.as_deref(), value) => {
                format!("{key} = {count}")
            }
            _ => self.table.usage(key),
        };
        let key = key.to_owned();
        self.report(value, Diagnostic::WrongValue { key, kind, usage });
        None
    }
}

/// Rewrites `"a"`, `["a", "b"]` and `[("a", "A")]` as the list that belongs in parentheses.
fn list_in(value: &Expr) -> Option<String> {
    let item = |item: &Expr| {
        let text = |expr| Some(as_string(expr)?.to_token_stream().to_string());
        match peel_groups(item) {
            Expr::Tuple(pair) if pair.elems.len() == 2 => {
                let pair: Option<Vec<_>> = pair.elems.iter().map(text).collect();
                Some(pair?.join(" = "))
            }
            other => text(other),
        }
    };
    match peel_groups(value) {
        Expr::Array(list) => {
            let items: Option<Vec<_>> = list.elems.iter().map(item).collect();
            items
                .filter(|items| !items.is_empty())
                .map(|items| items.join(", "))
        }
        Expr::Reference(list) => list_in(&list.expr),
        Expr::Macro(list) if list.mac.path.is_ident("vec") => {
            let list = list.mac.tokens.clone();
            list_in(&syn::parse2(quote!([#list])).ok()?)
        }
        other => item(other),
    }
}

/// Reads the boolean in a string, a number or a name, such as `"yes"`, `0` or `off`.
fn boolean_in(value: &Expr) -> Option<bool> {
    match peel_groups(value) {
        Expr::Lit(ExprLit { lit, .. }) => meant_boolean(lit),
        Expr::Path(path) => {
            let name = path.path.get_ident()?;
            meant_boolean(&Lit::Str(LitStr::new(&name.to_string(), name.span())))
        }
        _ => None,
    }
}

/// Reads the count in a string, or before a suffix such as `s` or `u8`.
fn count_in(text: Option<&str>, value: &Expr) -> Option<u32> {
    match (text, peel_groups(value)) {
        (Some(text), _) => text.trim().parse().ok(),
        (
            None,
            Expr::Lit(ExprLit {
                lit: Lit::Int(count),
                ..
            }),
        ) => count.base10_parse().ok(),
        _ => None,
    }
}

/// Returns true if the value only lacks quotes to be a string.
fn is_word(value: &Expr) -> bool {
    let source = value.to_token_stream().to_string();
    let is_in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    source.chars().all(is_in_word)
}
