//! The values of options, by their kind. A getter reports a value of another kind.

use super::parse::{OptionValue, Options};
use crate::diagnostic::{Diagnostic, ValueKind};
use crate::number_literal::NumberLiteral;
use crate::syntax::{as_path, as_string, peel_groups};
use proc_macro2::Ident;
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token};

impl Options<'_> {
    /// Whether an option without a value is given.
    pub(crate) fn flag(&mut self, key: &str) -> bool {
        let Some(given) = self.remove(key) else {
            return false;
        };
        if let OptionValue::Expr(value) = given.value {
            let key = key.to_owned();
            self.diagnostics
                .add(value, Diagnostic::UnexpectedValue { key });
        }
        true
    }

    /// The value of `key = true`.
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

    /// The value of `key = 4`: a count.
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

    /// The value of `key = 0.5`, with the key.
    pub(crate) fn number(&mut self, key: &str) -> Option<NumberLiteral> {
        let value = self.value(key)?;
        let number = NumberLiteral::from_expr(&value);
        number.or_else(|| self.invalid_value(key, ValueKind::Number, &value))
    }

    /// The value of `key = anything`.
    pub(crate) fn expr(&mut self, key: &str) -> Option<Expr> {
        self.value(key)
    }

    /// The pairs of `key("a" = "b", …)`, with the place of the key.
    pub(crate) fn pairs(&mut self, key: &str) -> Option<(Ident, Vec<(LitStr, LitStr)>)> {
        let given = self.remove(key)?;
        let OptionValue::List(list) = given.value else {
            let usage = self.table.usage(key);
            let key = key.to_owned();
            self.diagnostics
                .add(&given.key, Diagnostic::MissingValue { key, usage });
            return None;
        };
        let pair = |input: ParseStream<'_>| {
            let value = input.parse()?;
            input.parse::<Token![=]>()?;
            Ok((value, input.parse()?))
        };
        let pairs = |input: ParseStream<'_>| {
            syn::punctuated::Punctuated::<_, Token![,]>::parse_terminated_with(input, pair)
        };
        match pairs.parse2(list.clone()) {
            Ok(pairs) => Some((given.key, pairs.into_iter().collect())),
            Err(error) => {
                let usage = self.table.usage(key);
                let place = syn::Error::new(error.span(), Diagnostic::InvalidPair { usage });
                self.diagnostics.add_syn_error(place);
                None
            }
        }
    }

    /// The value of `key = "text"`.
    pub(crate) fn string(&mut self, key: &str) -> Option<LitStr> {
        let value = self.value(key)?;
        let text = as_string(&value).cloned();
        text.or_else(|| self.invalid_value(key, ValueKind::String, &value))
    }

    /// The value of `key = Name`.
    pub(crate) fn ident(&mut self, key: &str) -> Option<Ident> {
        let value = self.value(key)?;
        let name = as_path(&value).and_then(|path| path.get_ident().cloned());
        // `self`, `super` and `crate` are paths of one name, too.
        let name = name.filter(|name| syn::parse2::<Ident>(name.to_token_stream()).is_ok());
        name.or_else(|| self.invalid_value(key, ValueKind::Ident, &value))
    }

    /// The value of `key = some::path`.
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

    /// Notes the mistake; the text shows the user's own value put right, where that can be.
    fn invalid_value<T>(&mut self, key: &str, kind: ValueKind, value: &Expr) -> Option<T> {
        let text = as_string(value).map(LitStr::value);
        let usage = match (kind, text) {
            (ValueKind::Ident, Some(text)) if syn::parse_str::<Ident>(&text).is_ok() => {
                format!("{key} = {text}")
            }
            (ValueKind::Path, Some(text)) if syn::parse_str::<Path>(&text).is_ok() => {
                format!("{key} = {text}")
            }
            (ValueKind::String, None) if is_word(value) => {
                format!("{key} = \"{}\"", value.to_token_stream())
            }
            (ValueKind::Count, text) if let Some(count) = count_in(text.as_deref(), value) => {
                format!("{key} = {count}")
            }
            _ => self.table.usage(key),
        };
        let key = key.to_owned();
        self.diagnostics
            .add(value, Diagnostic::WrongValue { key, kind, usage });
        None
    }
}

/// The count in a text, or before a unit or a type.
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

/// Whether it needs nothing but quotes to be a text.
fn is_word(value: &Expr) -> bool {
    let written = value.to_token_stream().to_string();
    let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    written.chars().all(is_of_word)
}
