//! Number literals in options.

use crate::syntax::peel_groups;
use bigdecimal::BigDecimal;
use proc_macro2::{Literal as Token, TokenStream};
use quote::{ToTokens, quote};
use std::cmp::Ordering;
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

/// A number literal, which may be negative.
#[derive(Clone)]
pub(crate) struct NumberLiteral {
    /// The expression that the user wrote.
    pub(crate) expr: Expr,
    /// The exact value, if the literal is an integer.
    pub(crate) integer: Option<i128>,
    decimal: Option<BigDecimal>,
    approximate: f64,
}

impl NumberLiteral {
    /// Reads an expression. `None` if it is not a number literal.
    pub(crate) fn from_expr(expr: &Expr) -> Option<Self> {
        let (sign, literal) = match peel_groups(expr) {
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_),
                expr,
                ..
            }) => ("-", peel_groups(expr)),
            other => ("", other),
        };
        let Expr::Lit(ExprLit { lit, .. }) = literal else {
            return None;
        };
        let (digits, is_integer) = match lit {
            Lit::Int(whole) => (whole.base10_digits(), true),
            Lit::Float(decimal) => (decimal.base10_digits(), false),
            _ => return None,
        };
        let text = format!("{sign}{digits}");
        let approximate = text.parse::<f64>().ok()?;
        let integer = is_integer.then(|| text.parse().ok()).flatten();
        Some(Self {
            expr: expr.clone(),
            integer,
            decimal: text.parse().ok(),
            approximate,
        })
    }

    pub(crate) fn is_integer(&self) -> bool {
        self.integer.is_some()
    }

    pub(crate) fn is_positive(&self) -> bool {
        self.approximate > 0.0
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self.integer, other.integer) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => self.approximate.total_cmp(&other.approximate),
        }
    }

    /// Reports if the number is in this range.
    pub(crate) fn is_within(&self, min: f64, max: f64) -> bool {
        (min..=max).contains(&self.approximate)
    }

    /// Returns the exact value, unless it has too many digits.
    pub(crate) fn decimal(&self) -> Option<&BigDecimal> {
        self.decimal.as_ref()
    }

    /// Returns the number as the user wrote it.
    pub(crate) fn source(&self) -> String {
        self.expr.to_token_stream().to_string().replace("- ", "-")
    }
}

impl ToTokens for NumberLiteral {
    /// Writes the number with a suffix of a type that can hold it, independent of the type of the field.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let literal = match self.integer {
            Some(whole) => match (i64::try_from(whole), u64::try_from(whole)) {
                (Ok(signed), _) => Token::i64_suffixed(signed),
                (_, Ok(unsigned)) => Token::u64_suffixed(unsigned),
                _ => Token::f64_suffixed(self.approximate),
            },
            None => Token::f64_suffixed(self.approximate),
        };
        tokens.extend(quote!(#literal));
    }
}
