//! The parser for the options of a macro.

use super::table::{Meaning, OptionTable};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::syntax::source;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::fmt;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitBool, LitStr, Token};

/// The options that a user wrote. Each getter removes its option, and reports an invalid value.
pub(crate) struct Options<'a> {
    pub(super) table: &'a OptionTable,
    pub(super) given: Vec<GivenOption>,
    /// The meanings of the unknown keys, which have been reported.
    meant: Vec<Meaning>,
    pub(super) diagnostics: &'a mut Diagnostics,
}

pub(super) struct GivenOption {
    pub(super) key: Ident,
    pub(super) value: OptionValue,
}

pub(super) enum OptionValue {
    /// No value: `key`.
    Missing,
    /// The value of `key = …`.
    Expr(Box<Expr>),
    /// The tokens in the parentheses of `key("a" = "b", …)`.
    List(TokenStream),
    /// A value that has been reported as invalid.
    Invalid,
}

impl<'a> Options<'a> {
    /// Parses a list of options. Unknown and duplicate keys are reported and left out.
    pub(crate) fn parse(
        tokens: TokenStream,
        table: &'a OptionTable,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let mut options = Self {
            table,
            given: Vec::new(),
            meant: Vec::new(),
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
            let key = self.table.key_of_texts();
            let first: TokenTree = input.parse()?;
            let diagnostic = match (key, syn::parse2::<LitStr>(first.to_token_stream())) {
                (Some(key), Ok(text)) => Diagnostic::TextWithoutKey {
                    macro_name,
                    usage: format!("{key} = {}", text.to_token_stream()),
                },
                _ => Diagnostic::ExpectedOption { macro_name, usages },
            };
            self.report(first, diagnostic);
            return skip_to_comma(input);
        }
        let key = Ident::parse_any(input)?;
        if input.peek(Token![::]) {
            let (macro_name, usages) = (self.table.macro_name, self.table.usages());
            self.report(key, Diagnostic::ExpectedOption { macro_name, usages });
            return skip_to_comma(input);
        }
        let value = self.parse_value(&key, input)?;
        self.insert(key, value);
        if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
            return Ok(());
        }
        let next: TokenTree = input.fork().parse()?;
        self.report(next, Diagnostic::MissingComma);
        if input.peek(Ident::peek_any) {
            Ok(())
        } else {
            skip_to_comma(input)
        }
    }

    fn parse_value(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<OptionValue> {
        // Only a list can be in parentheses. Some other macros take `key(value)`.
        if input.peek(syn::token::Paren) {
            let call: TokenTree = input.parse()?;
            if self.table.takes_list(&key.to_string())
                && let TokenTree::Group(list) = &call
            {
                return Ok(OptionValue::List(list.stream()));
            }
            if self.table.contains(&key.to_string()) {
                self.value_in_parentheses(key, &call);
            }
            return Ok(OptionValue::Invalid);
        }
        let Some(equals) = input.parse::<Option<Token![=]>>()? else {
            return self.value_without_equals(key, input);
        };
        let ahead = input.fork();
        if let Ok(value) = ahead.parse() {
            input.advance_to(&ahead);
            return Ok(OptionValue::Expr(value));
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

    /// Reports `key(value)`. The suggestion keeps the value.
    fn value_in_parentheses(&mut self, key: &Ident, call: &TokenTree) {
        let name = key.to_string();
        match call {
            TokenTree::Group(list)
                if !self.table.is_flag(&name) && syn::parse2::<Expr>(list.stream()).is_ok() =>
            {
                let usage = usage_with(&name, &list.stream());
                self.report(call, Diagnostic::MissingEquals { key: name, usage });
            }
            _ => self.missing_value(key, call),
        }
    }

    /// Reports a value without `=` before it, as in `min 0` and `min: 0`.
    fn value_without_equals(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
    ) -> syn::Result<OptionValue> {
        let name = key.to_string();
        let is_next_key = input.peek(Ident::peek_any) && !input.peek(LitBool);
        if input.is_empty() || input.peek(Token![,]) || is_next_key {
            return Ok(OptionValue::Missing);
        }
        let place: TokenTree = input.fork().parse()?;
        input.parse::<Option<Token![:]>>()?;
        let rest = skip_value(input)?;
        if !self.table.contains(&name) {
            return Ok(OptionValue::Invalid);
        }
        if self.table.takes_list(&name)
            && let Ok(list) = syn::parse2(rest.clone())
        {
            return Ok(OptionValue::Expr(list));
        }
        if self.table.is_flag(&name) || self.table.takes_list(&name) {
            self.missing_value(key, place);
            return Ok(OptionValue::Invalid);
        }
        let usage = if rest.is_empty() {
            self.table.usage(&name)
        } else {
            usage_with(&name, &rest)
        };
        self.report(place, Diagnostic::MissingEquals { key: name, usage });
        Ok(OptionValue::Invalid)
    }

    fn insert(&mut self, key: Ident, value: OptionValue) {
        let name = key.to_string();
        if !self.table.contains(&name) {
            let macro_name = self.table.macro_name;
            let meaning = self.table.meaning(&name);
            self.meant.extend(meaning);
            let diagnostic = match meaning {
                Some(Meaning::Misspelled(suggestion)) => Diagnostic::MisspelledOption {
                    macro_name,
                    key: name,
                    suggestion,
                },
                Some(Meaning::Synonym(advice)) => Diagnostic::OptionOfAnotherLibrary {
                    macro_name,
                    key: name,
                    advice,
                },
                None => Diagnostic::UnknownOption {
                    macro_name,
                    key: name,
                    usages: self.table.usages(),
                },
            };
            self.report(key, diagnostic);
        } else if self.given.iter().any(|given| given.key == key) {
            self.report(key, Diagnostic::DuplicateOption { key: name });
        } else {
            self.given.push(GivenOption { key, value });
        }
    }

    /// Returns the keys of the options that no getter has removed yet.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Ident> {
        self.given.iter().map(|given| &given.key)
    }

    /// Returns the key of an option if it is present, as the user wrote it.
    pub(crate) fn key(&self, key: &str) -> Option<Ident> {
        self.keys().find(|given| *given == key).cloned()
    }

    /// Returns true if an option is present.
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.key(key).is_some()
    }

    /// Returns true if an unknown key most likely stands for this option, or for this type. The mistake has been
    /// reported, so its consequences should not be reported as well.
    pub(crate) fn was_meant(&self, key: &str) -> bool {
        self.meant.iter().any(|meaning| meaning.names(key))
    }

    /// Removes an option that has been reported as invalid.
    pub(crate) fn discard(&mut self, key: &str) {
        self.remove(key);
    }

    /// Reports an error at these tokens.
    pub(crate) fn report(&mut self, tokens: impl ToTokens, diagnostic: impl fmt::Display) {
        self.diagnostics.add(tokens, diagnostic);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<GivenOption> {
        let at = self.given.iter().position(|given| given.key == key)?;
        Some(self.given.swap_remove(at))
    }

    pub(super) fn missing_value(&mut self, key: &Ident, place: impl ToTokens) {
        let key = key.to_string();
        let usage = self.table.usage(&key);
        let diagnostic = if self.table.is_flag(&key) {
            Diagnostic::UnexpectedValue { key }
        } else if self.table.takes_list(&key) {
            Diagnostic::ListWithoutParentheses { key, usage }
        } else {
            Diagnostic::MissingValue { key, usage }
        };
        self.report(place, diagnostic);
    }
}

/// Writes an option with the user's value.
fn usage_with(key: &str, value: &TokenStream) -> String {
    let value = source(value);
    // A token stream has a space after the sign of a number.
    let value = value
        .strip_prefix("- ")
        .map_or(value.clone(), |of| format!("-{of}"));
    format!("{key} = {value}")
}

/// Takes the tokens up to the next comma.
fn skip_value(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut skipped = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        skipped.extend([input.parse::<TokenTree>()?]);
    }
    Ok(skipped)
}

/// Skips the tokens up to the next comma, and the comma.
fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    skip_value(input)?;
    input.parse::<Option<Token![,]>>()?;
    Ok(())
}
