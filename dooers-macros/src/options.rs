//! The options of a macro: `key`, `key = value`, separated by commas.

use crate::diagnostic::{Diagnostic, Diagnostics, ValueKind};
use crate::number_literal::NumberLiteral;
use crate::suggest::closest;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token};

/// The options that a macro has.
pub(crate) struct OptionTable {
    /// The macro, as users write it.
    pub(crate) macro_name: &'static str,
    /// Each option's key, and an example of its use.
    pub(crate) options: &'static [(&'static str, &'static str)],
}

impl OptionTable {
    /// All options for an error text.
    fn usages(&self) -> String {
        let quoted: Vec<_> = self
            .options
            .iter()
            .map(|(_, usage)| format!("`{usage}`"))
            .collect();
        quoted.join(", ")
    }

    fn contains(&self, key: &str) -> bool {
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
    fn suggest(&self, key: &str) -> Option<&'static str> {
        closest(key, self.options.iter().map(|(known, _)| *known))
    }
}

/// The options that a user gave. Each getter says for itself what is wrong with its option.
pub(crate) struct Options<'a> {
    table: &'a OptionTable,
    given: Vec<GivenOption>,
    diagnostics: &'a mut Diagnostics,
}

struct GivenOption {
    key: Ident,
    value: OptionValue,
}

enum OptionValue {
    Missing,
    Expr(Box<Expr>),
    /// `key("a" = "b", …)`.
    List(TokenStream),
    /// There is one, and what is wrong with it was said.
    Invalid,
}

impl<'a> Options<'a> {
    /// Reads a list. Keys that are unknown or given twice are noted and left out.
    pub(crate) fn parse(
        tokens: TokenStream,
        table: &'a OptionTable,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let mut options = Self {
            table,
            given: Vec::new(),
            diagnostics,
        };
        let list = |input: ParseStream<'_>| {
            while !input.is_empty() {
                options.parse_option(input)?;
            }
            Ok(())
        };
        if let Err(error) = list.parse2(tokens) {
            options.diagnostics.add_syn_error(error);
        }
        options
    }

    fn parse_option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            let (macro_name, usages) = (self.table.macro_name, self.table.usages());
            let first: TokenTree = input.parse()?;
            self.diagnostics
                .add(first, Diagnostic::ExpectedOption { macro_name, usages });
            return skip_to_comma(input);
        }
        let key = Ident::parse_any(input)?;
        if input.peek(Token![::]) {
            let (macro_name, usages) = (self.table.macro_name, self.table.usages());
            self.diagnostics
                .add(key, Diagnostic::ExpectedOption { macro_name, usages });
            return skip_to_comma(input);
        }
        let value = self.parse_value(&key, input)?;
        self.insert(key, value);
        if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
            return Ok(());
        }
        let next: TokenTree = input.fork().parse()?;
        self.diagnostics.add(next, Diagnostic::MissingComma);
        if input.peek(Ident::peek_any) {
            Ok(())
        } else {
            skip_to_comma(input)
        }
    }

    fn parse_value(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<OptionValue> {
        // `key(value)` is how some other macros are told.
        if input.peek(syn::token::Paren) {
            let call: TokenTree = input.parse()?;
            if self.table.takes_list(&key.to_string())
                && let TokenTree::Group(list) = &call
            {
                return Ok(OptionValue::List(list.stream()));
            }
            if self.table.contains(&key.to_string()) {
                self.missing_value(key, &call);
            }
            return Ok(OptionValue::Invalid);
        }
        let Some(equals) = input.parse::<Option<Token![=]>>()? else {
            return Ok(OptionValue::Missing);
        };
        let ahead = input.fork();
        if ahead.parse::<Expr>().is_ok() {
            return Ok(OptionValue::Expr(input.parse()?));
        }
        let rest = skip_value(input)?;
        if !rest.is_empty() {
            return Ok(OptionValue::Expr(Box::new(Expr::Verbatim(rest))));
        }
        if self.table.contains(&key.to_string()) {
            self.missing_value(key, equals);
        }
        Ok(OptionValue::Invalid)
    }

    fn insert(&mut self, key: Ident, value: OptionValue) {
        let name = key.to_string();
        if !self.table.contains(&name) {
            let (macro_name, usages) = (self.table.macro_name, self.table.usages());
            let diagnostic = match self.table.suggest(&name) {
                Some(suggestion) => Diagnostic::MisspelledOption {
                    macro_name,
                    key: name,
                    suggestion,
                    usages,
                },
                None => Diagnostic::UnknownOption {
                    macro_name,
                    key: name,
                    usages,
                },
            };
            self.diagnostics.add(key, diagnostic);
        } else if self.given.iter().any(|given| given.key == key) {
            self.diagnostics
                .add(key, Diagnostic::DuplicateOption { key: name });
        } else {
            self.given.push(GivenOption { key, value });
        }
    }

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

    /// The keys that are given and have not been asked for yet.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Ident> {
        self.given.iter().map(|given| &given.key)
    }

    /// Whether this key is given.
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.keys().any(|given| given == key)
    }

    /// Leaves out an option of which was said what is wrong with it.
    pub(crate) fn discard(&mut self, key: &str) {
        self.remove(key);
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

    /// The mistakes so far, for what a value means.
    pub(crate) fn diagnostics(&mut self) -> &mut Diagnostics {
        self.diagnostics
    }

    fn remove(&mut self, key: &str) -> Option<GivenOption> {
        let at = self.given.iter().position(|given| given.key == key)?;
        Some(self.given.swap_remove(at))
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

    fn missing_value(&mut self, key: &Ident, place: impl ToTokens) {
        let key = key.to_string();
        let usage = self.table.usage(&key);
        let diagnostic = if usage == key {
            Diagnostic::UnexpectedValue { key }
        } else {
            Diagnostic::MissingValue { key, usage }
        };
        self.diagnostics.add(place, diagnostic);
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

/// The expression without the invisible groups that `macro_rules!` puts around its fragments.
pub(crate) fn peel_groups(mut value: &Expr) -> &Expr {
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    value
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

/// The text, if it is one in quotes.
pub(crate) fn as_string(value: &Expr) -> Option<&LitStr> {
    match peel_groups(value) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

fn as_path(value: &Expr) -> Option<&Path> {
    match peel_groups(value) {
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
