//! The options of a macro: `key`, `key = value`, separated by commas.

use crate::diagnostic::{Mistake, Mistakes, ValueKind};
use crate::number_literal::Literal;
use crate::suggest::nearest;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token};

/// The options that a macro has.
pub(crate) struct Table {
    /// The macro, as users write it.
    pub(crate) of: &'static str,
    /// Each option's key, and an example of its use.
    pub(crate) options: &'static [(&'static str, &'static str)],
}

impl Table {
    /// All options for an error text.
    fn list(&self) -> String {
        let quoted: Vec<_> = self
            .options
            .iter()
            .map(|(_, usage)| format!("`{usage}`"))
            .collect();
        quoted.join(", ")
    }

    fn has(&self, key: &str) -> bool {
        self.options.iter().any(|(known, _)| *known == key)
    }

    /// Whether the option takes a list in parentheses.
    fn takes_list(&self, key: &str) -> bool {
        self.usage(key).starts_with(&format!("{key}("))
    }

    fn usage(&self, key: &str) -> String {
        let known = self.options.iter().find(|(known, _)| *known == key);
        known.map_or_else(String::new, |(_, usage)| (*usage).to_owned())
    }

    /// The option that was probably meant.
    fn nearest(&self, key: &str) -> Option<&'static str> {
        nearest(key, self.options.iter().map(|(known, _)| *known))
    }
}

/// The options that a user gave. Each getter says for itself what is wrong with its option.
pub(crate) struct Options<'a> {
    table: &'a Table,
    given: Vec<Given>,
    mistakes: &'a mut Mistakes,
}

struct Given {
    key: Ident,
    value: Value,
}

enum Value {
    None,
    Some(Box<Expr>),
    /// `key("a" = "b", …)`.
    List(TokenStream),
    /// There is one, and what is wrong with it was said.
    Wrong,
}

impl<'a> Options<'a> {
    /// Reads a list. Keys that are unknown or given twice are noted and left out.
    pub(crate) fn parse(tokens: TokenStream, table: &'a Table, mistakes: &'a mut Mistakes) -> Self {
        let mut options = Self {
            table,
            given: Vec::new(),
            mistakes,
        };
        let list = |input: ParseStream<'_>| {
            while !input.is_empty() {
                options.parse_one(input)?;
            }
            Ok(())
        };
        if let Err(error) = list.parse2(tokens) {
            options.mistakes.add_foreign(error);
        }
        options
    }

    fn parse_one(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            let (of, valid) = (self.table.of, self.table.list());
            let first: TokenTree = input.parse()?;
            self.mistakes.add(first, Mistake::NoOption { of, valid });
            return skip_to_comma(input);
        }
        let key = Ident::parse_any(input)?;
        if input.peek(Token![::]) {
            let (of, valid) = (self.table.of, self.table.list());
            self.mistakes.add(key, Mistake::NoOption { of, valid });
            return skip_to_comma(input);
        }
        let value = self.parse_value(&key, input)?;
        self.take(key, value);
        if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
            return Ok(());
        }
        let next: TokenTree = input.fork().parse()?;
        self.mistakes.add(next, Mistake::MissingComma);
        if input.peek(Ident::peek_any) {
            Ok(())
        } else {
            skip_to_comma(input)
        }
    }

    fn parse_value(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<Value> {
        // `key(value)` is how some other macros are told.
        if input.peek(syn::token::Paren) {
            let call: TokenTree = input.parse()?;
            if self.table.takes_list(&key.to_string())
                && let TokenTree::Group(list) = &call
            {
                return Ok(Value::List(list.stream()));
            }
            if self.table.has(&key.to_string()) {
                self.missing_value(key, &call);
            }
            return Ok(Value::Wrong);
        }
        let Some(equals) = input.parse::<Option<Token![=]>>()? else {
            return Ok(Value::None);
        };
        let ahead = input.fork();
        if ahead.parse::<Expr>().is_ok() {
            return Ok(Value::Some(input.parse()?));
        }
        let rest = skip_value(input)?;
        if !rest.is_empty() {
            return Ok(Value::Some(Box::new(Expr::Verbatim(rest))));
        }
        if self.table.has(&key.to_string()) {
            self.missing_value(key, equals);
        }
        Ok(Value::Wrong)
    }

    fn take(&mut self, key: Ident, value: Value) {
        let name = key.to_string();
        if !self.table.has(&name) {
            let (of, valid) = (self.table.of, self.table.list());
            let mistake = match self.table.nearest(&name) {
                Some(meant) => Mistake::MisspeltOption {
                    of,
                    key: name,
                    meant,
                    valid,
                },
                None => Mistake::UnknownOption {
                    of,
                    key: name,
                    valid,
                },
            };
            self.mistakes.add(key, mistake);
        } else if self.given.iter().any(|given| given.key == key) {
            self.mistakes
                .add(key, Mistake::DuplicateOption { key: name });
        } else {
            self.given.push(Given { key, value });
        }
    }

    /// Whether an option without a value is given.
    pub(crate) fn flag(&mut self, key: &str) -> bool {
        let Some(given) = self.remove(key) else {
            return false;
        };
        if let Value::Some(value) = given.value {
            let key = key.to_owned();
            self.mistakes.add(value, Mistake::FlagWithValue { key });
        }
        true
    }

    /// The keys that are given and have not been asked for yet.
    pub(crate) fn given(&self) -> impl Iterator<Item = &Ident> {
        self.given.iter().map(|given| &given.key)
    }

    /// Whether this key is given.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.given().any(|given| given == key)
    }

    /// Leaves out an option of which was said what is wrong with it.
    pub(crate) fn drop(&mut self, key: &str) {
        self.remove(key);
    }

    /// The value of `key = true`.
    pub(crate) fn boolean(&mut self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        match ungrouped(&value) {
            Expr::Lit(ExprLit {
                lit: Lit::Bool(boolean),
                ..
            }) => Some(boolean.value),
            _ => self.wrong_value(key, ValueKind::Boolean, &value),
        }
    }

    /// The value of `key = 4`: a count.
    pub(crate) fn count(&mut self, key: &str) -> Option<(u32, Expr)> {
        let value = self.value(key)?;
        let count = match ungrouped(&value) {
            Expr::Lit(ExprLit {
                lit: Lit::Int(count),
                ..
            }) if count.suffix().is_empty() => count.base10_parse().ok(),
            _ => None,
        };
        match count {
            Some(count) => Some((count, value)),
            None => self.wrong_value(key, ValueKind::Count, &value),
        }
    }

    /// The value of `key = 0.5`, with the key.
    pub(crate) fn number(&mut self, key: &str) -> Option<Literal> {
        let value = self.value(key)?;
        let number = Literal::of(&value);
        number.or_else(|| self.wrong_value(key, ValueKind::Number, &value))
    }

    /// The value of `key = anything`.
    pub(crate) fn expression(&mut self, key: &str) -> Option<Expr> {
        self.value(key)
    }

    /// The pairs of `key("a" = "b", …)`, with the place of the key.
    pub(crate) fn pairs(&mut self, key: &str) -> Option<(Ident, Vec<(LitStr, LitStr)>)> {
        let given = self.remove(key)?;
        let Value::List(list) = given.value else {
            let usage = self.table.usage(key);
            let key = key.to_owned();
            self.mistakes
                .add(&given.key, Mistake::MissingValue { key, usage });
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
                let place = syn::Error::new(error.span(), Mistake::WrongPair { usage });
                self.mistakes.add_foreign(place);
                None
            }
        }
    }

    /// The value of `key = "text"`.
    pub(crate) fn text(&mut self, key: &str) -> Option<LitStr> {
        let value = self.value(key)?;
        let text = as_text(&value).cloned();
        text.or_else(|| self.wrong_value(key, ValueKind::Text, &value))
    }

    /// The value of `key = Name`.
    pub(crate) fn name(&mut self, key: &str) -> Option<Ident> {
        let value = self.value(key)?;
        let name = as_path(&value).and_then(|path| path.get_ident().cloned());
        // `self`, `super` and `crate` are paths of one name, too.
        let name = name.filter(|name| syn::parse2::<Ident>(name.to_token_stream()).is_ok());
        name.or_else(|| self.wrong_value(key, ValueKind::Name, &value))
    }

    /// The value of `key = some::path`.
    pub(crate) fn path(&mut self, key: &str) -> Option<Path> {
        let value = self.value(key)?;
        let path = as_path(&value).cloned();
        path.or_else(|| self.wrong_value(key, ValueKind::Path, &value))
    }

    /// The mistakes so far, for what a value means.
    pub(crate) fn mistakes(&mut self) -> &mut Mistakes {
        self.mistakes
    }

    fn remove(&mut self, key: &str) -> Option<Given> {
        let at = self.given.iter().position(|given| given.key == key)?;
        Some(self.given.swap_remove(at))
    }

    fn value(&mut self, key: &str) -> Option<Expr> {
        let given = self.remove(key)?;
        match given.value {
            Value::Some(value) => Some(*value),
            Value::Wrong => None,
            Value::None | Value::List(_) => {
                self.missing_value(&given.key, &given.key);
                None
            }
        }
    }

    fn missing_value(&mut self, key: &Ident, place: impl ToTokens) {
        let key = key.to_string();
        let usage = self.table.usage(&key);
        let mistake = if usage == key {
            Mistake::FlagWithValue { key }
        } else {
            Mistake::MissingValue { key, usage }
        };
        self.mistakes.add(place, mistake);
    }

    /// Notes the mistake; the text shows the user's own value put right, where that can be.
    fn wrong_value<T>(&mut self, key: &str, kind: ValueKind, value: &Expr) -> Option<T> {
        let text = as_text(value).map(LitStr::value);
        let usage = match (kind, text) {
            (ValueKind::Name, Some(text)) if syn::parse_str::<Ident>(&text).is_ok() => {
                format!("{key} = {text}")
            }
            (ValueKind::Path, Some(text)) if syn::parse_str::<Path>(&text).is_ok() => {
                format!("{key} = {text}")
            }
            (ValueKind::Text, None) if is_word(value) => {
                format!("{key} = \"{}\"", value.to_token_stream())
            }
            (ValueKind::Count, text) if let Some(count) = count_in(text.as_deref(), value) => {
                format!("{key} = {count}")
            }
            _ => self.table.usage(key),
        };
        let key = key.to_owned();
        self.mistakes
            .add(value, Mistake::WrongValue { key, kind, usage });
        None
    }
}

/// The expression without the invisible groups that `macro_rules!` puts around its fragments.
pub(crate) fn ungrouped(mut value: &Expr) -> &Expr {
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    value
}

/// The count in a text, or before a unit or a type.
fn count_in(text: Option<&str>, value: &Expr) -> Option<u32> {
    match (text, ungrouped(value)) {
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

/// The text, if it is one in quotes.
pub(crate) fn as_text(value: &Expr) -> Option<&LitStr> {
    match ungrouped(value) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

fn as_path(value: &Expr) -> Option<&Path> {
    match ungrouped(value) {
        Expr::Path(path) if path.attrs.is_empty() && path.qself.is_none() => Some(&path.path),
        _ => None,
    }
}

/// Takes what stands before the next comma.
fn skip_value(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut skipped = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        skipped.extend([input.parse::<TokenTree>()?]);
    }
    Ok(skipped)
}

/// Takes what stands before the next comma, and the comma.
fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    skip_value(input)?;
    input.parse::<Option<Token![,]>>()?;
    Ok(())
}
