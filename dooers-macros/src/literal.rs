//! Literals inside of conversions, such as the 1 in `Some(1)`. Error texts suggest to write only the literal.

use crate::syntax::{meant_boolean, peel_groups};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

/// Functions that return their argument in another type.
const CONVERSIONS: [&str; 3] = ["Some", "from", "new"];

/// Methods that return their receiver in another type.
const CONVERTING_METHODS: [&str; 6] =
    ["to_string", "to_owned", "into", "parse", "unwrap", "as_str"];

/// A literal, and its form in each type of value.
pub(crate) struct InnerLiteral {
    is_negative: bool,
    lit: Lit,
}

impl InnerLiteral {
    /// Finds the literal in an expression that is a literal or a conversion of one. `None` for other expressions,
    /// which may be constant.
    pub(crate) fn find(expr: &Expr) -> Option<Self> {
        match converted(expr) {
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_),
                expr,
                ..
            }) => match peel_groups(expr) {
                Expr::Lit(ExprLit { lit, .. }) => Some(Self {
                    is_negative: true,
                    lit: lit.clone(),
                }),
                _ => None,
            },
            Expr::Lit(ExprLit { lit, .. }) => Some(Self {
                is_negative: false,
                lit: lit.clone(),
            }),
            _ => None,
        }
    }

    /// Returns the number that it contains, as code.
    pub(crate) fn number(&self, is_integer: bool) -> Option<String> {
        let sign = if self.is_negative { "-" } else { "" };
        let digits = match &self.lit {
            Lit::Int(number) => number.base10_digits().to_owned(),
            Lit::Float(number) => number.base10_digits().to_owned(),
            Lit::Str(text) => text.value().trim().to_owned(),
            _ => return None,
        };
        let is_number = if is_integer {
            digits.parse::<i128>().is_ok()
        } else {
            digits.parse::<f64>().is_ok_and(f64::is_finite)
        };
        is_number.then(|| format!("{sign}{digits}"))
    }

    /// Returns its text in quotes.
    pub(crate) fn text(&self) -> String {
        let text = match &self.lit {
            Lit::Str(text) => text.value(),
            Lit::Char(letter) => letter.value().to_string(),
            Lit::Bool(value) => value.value.to_string(),
            _ => self.number(false).unwrap_or_else(|| "…".to_owned()),
        };
        format!("{text:?}")
    }

    /// Returns the `true` or `false` that it means.
    pub(crate) fn boolean(&self) -> Option<bool> {
        meant_boolean(&self.lit)
    }
}

/// Removes the conversions around a value.
pub(crate) fn converted(expr: &Expr) -> &Expr {
    match peel_groups(expr) {
        Expr::Paren(paren) => converted(&paren.expr),
        Expr::Reference(reference) => converted(&reference.expr),
        Expr::Call(call) if is_conversion(&call.func) => match call.args.first() {
            Some(value) if call.args.len() == 1 => converted(value),
            _ => expr,
        },
        Expr::MethodCall(call)
            if call.args.is_empty()
                && CONVERTING_METHODS.iter().any(|name| call.method == name) =>
        {
            converted(&call.receiver)
        }
        other => other,
    }
}

fn is_conversion(function: &Expr) -> bool {
    let Expr::Path(path) = peel_groups(function) else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|last| CONVERSIONS.iter().any(|name| last.ident == name))
}

#[cfg(test)]
mod tests {
    use super::InnerLiteral;

    fn literal(source: &str) -> Option<InnerLiteral> {
        InnerLiteral::find(&syn::parse_str(source).expect("an expression"))
    }

    #[test]
    fn literal_is_found_in_conversions() {
        for (source, text) in [
            ("\"x\"", "\"x\""),
            ("String::from(\"x\")", "\"x\""),
            ("\"x\".to_owned()", "\"x\""),
            ("Some(\"x\".into())", "\"x\""),
            ("&\"x\"", "\"x\""),
            ("Some(-1)", "\"-1\""),
            ("'x'", "\"x\""),
        ] {
            let found = literal(source).expect("a literal");
            assert_eq!(found.text(), text, "{source}");
        }
        for source in ["LIMIT", "60 * 60", "u8::MAX", "limit(3)", "Some(LIMIT)"] {
            assert!(literal(source).is_none(), "{source}");
        }
    }

    #[test]
    fn literal_has_a_form_in_each_type() {
        let number = |source, is_integer| literal(source)?.number(is_integer);
        assert_eq!(number("\" 5 \"", true).as_deref(), Some("5"));
        assert_eq!(number("Some(-5_i8)", true).as_deref(), Some("-5"));
        assert_eq!(number("\"5.5\"", true), None);
        assert_eq!(number("\"5.5\"", false).as_deref(), Some("5.5"));
        assert_eq!(number("\"five\"", false), None);
        let boolean = |source| literal(source)?.boolean();
        assert_eq!(boolean("\"True\""), Some(true));
        assert_eq!(boolean("0"), Some(false));
        assert_eq!(boolean("\"off\""), Some(false));
        assert_eq!(boolean("2"), None);
    }
}
