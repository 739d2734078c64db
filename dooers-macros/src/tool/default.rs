//! The option `default` of an argument, which is JSON.

use crate::diagnostic::{Diagnostic, ToolMistake};
use crate::literal::{InnerLiteral, converted};
use crate::number_literal::NumberLiteral;
use crate::options::Options;
use crate::syntax::{generic_argument, peel_groups, peel_type, type_source};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Lit, Path, Type};

/// The default of an argument, after it has been checked.
pub(super) enum JsonDefault {
    /// A text, a number or a boolean.
    Scalar(TokenStream),
    List(Vec<JsonDefault>),
}

impl JsonDefault {
    /// Generates the JSON.
    pub(super) fn json(&self, crate_path: &Path) -> TokenStream {
        match self {
            Self::Scalar(value) => quote!(#crate_path::__private_tools::json(#value)),
            Self::List(items) => {
                let items = items.iter().map(|item| item.json(crate_path));
                quote!(#crate_path::__private_tools::json_list([#(#items),*]))
            }
        }
    }
}

/// The kind of JSON that a type is read from, as far as its name shows.
#[derive(Clone, Copy)]
enum Kind<'a> {
    Text,
    Boolean,
    Integer { min: i128, max: i128 },
    Number,
    List(&'a Type),
    Any,
}

/// Reads the option, and reports a value that the argument cannot have.
pub(super) fn json_default(ty: &Type, options: &mut Options<'_>) -> Option<JsonDefault> {
    let value = options.expr("default")?;
    let value = peel_groups(&value);
    if let Expr::Path(path) = value
        && path.path.is_ident("None")
    {
        options.report(value, Diagnostic::RedundantDefault);
        return None;
    }
    let inner = generic_argument(ty, "Option").unwrap_or(ty);
    checked(inner, value, options)
}

fn checked(ty: &Type, value: &Expr, options: &mut Options<'_>) -> Option<JsonDefault> {
    let kind = kind_of(ty);
    let value = peel_groups(value);
    if let Expr::Array(list) = value
        && let Kind::List(_) | Kind::Any = kind
    {
        let any = syn::parse_quote!(_);
        let of = if let Kind::List(of) = kind { of } else { &any };
        let items: Vec<_> = list
            .elems
            .iter()
            .map(|item| checked(of, item, options))
            .collect();
        return items
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(JsonDefault::List);
    }
    match (kind, value) {
        (
            Kind::Text | Kind::Any,
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }),
        ) => Some(JsonDefault::Scalar(quote!(#text))),
        (
            Kind::Text | Kind::Any,
            Expr::Lit(ExprLit {
                lit: Lit::Char(letter),
                ..
            }),
        ) => {
            let text = letter.value().to_string();
            Some(JsonDefault::Scalar(quote!(#text)))
        }
        (
            Kind::Boolean | Kind::Any,
            Expr::Lit(ExprLit {
                lit: Lit::Bool(boolean),
                ..
            }),
        ) => Some(JsonDefault::Scalar(quote!(#boolean))),
        (Kind::Integer { .. } | Kind::Number | Kind::Any, _)
            if let Some(number) = NumberLiteral::from_expr(value) =>
        {
            number_default(kind, ty, &number, options)
        }
        _ => {
            report(kind, value, options);
            None
        }
    }
}

fn number_default(
    kind: Kind<'_>,
    ty: &Type,
    number: &NumberLiteral,
    options: &mut Options<'_>,
) -> Option<JsonDefault> {
    if let Kind::Integer { min, max } = kind {
        match number.integer {
            Some(integer) if (min..=max).contains(&integer) => {}
            Some(_) => {
                let diagnostic = Diagnostic::BoundOutOfRange {
                    key: "default".to_owned(),
                    ty: type_source(ty),
                };
                options.report(&number.expr, diagnostic);
                return None;
            }
            None => {
                report(kind, &number.expr, options);
                return None;
            }
        }
    }
    Some(JsonDefault::Scalar(quote!(#number)))
}

/// Reports a value of another kind. The suggestion is the user's value in the right kind, or else an example.
fn report(kind: Kind<'_>, value: &Expr, options: &mut Options<'_>) {
    let literal = InnerLiteral::find(value);
    let (expected, repaired, example) = match kind {
        Kind::Text => (
            "a text in quotes",
            literal.map(|literal| literal.text()),
            "\"…\"",
        ),
        Kind::Boolean => (
            "`true` or `false`",
            literal.and_then(|literal| Some(literal.boolean()?.to_string())),
            "true",
        ),
        Kind::Integer { .. } => (
            "an integer",
            literal.and_then(|literal| literal.number(true)),
            "1",
        ),
        Kind::Number => (
            "a number",
            literal.and_then(|literal| literal.number(false)),
            "0.5",
        ),
        Kind::List(_) => ("a list", None, "[]"),
        Kind::Any => {
            let usage = match converted(value) {
                Expr::Lit(_) if literal.is_some() => literal.map(|literal| literal.text()),
                _ => None,
            };
            let usage = usage.unwrap_or_else(|| "\"…\"".to_owned());
            let usage = format!("default = {usage}");
            options.report(value, ToolMistake::DefaultNotJson { usage });
            return;
        }
    };
    let value_or_example = repaired.unwrap_or_else(|| example.to_owned());
    let diagnostic = Diagnostic::WrongDefaultType {
        subject: "argument",
        expected,
        usage: format!("default = {value_or_example}"),
    };
    options.report(value, diagnostic);
}

fn kind_of(ty: &Type) -> Kind<'_> {
    let integer = |min, max| Kind::Integer { min, max };
    for list in ["Vec", "VecDeque", "HashSet", "BTreeSet"] {
        if let Some(of) = generic_argument(ty, list) {
            return Kind::List(of);
        }
    }
    let Type::Path(path) = peel_type(ty) else {
        return Kind::Any;
    };
    let last = path.path.segments.last();
    let Some(last) = last.filter(|last| path.qself.is_none() && last.arguments.is_none()) else {
        return Kind::Any;
    };
    match last.ident.to_string().as_str() {
        "String" | "char" => Kind::Text,
        "bool" => Kind::Boolean,
        "i8" => integer(i8::MIN.into(), i8::MAX.into()),
        "i16" => integer(i16::MIN.into(), i16::MAX.into()),
        "i32" => integer(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => integer(i64::MIN.into(), i64::MAX.into()),
        "i128" => integer(i64::MIN.into(), u64::MAX.into()),
        "u8" => integer(0, u8::MAX.into()),
        "u16" => integer(0, u16::MAX.into()),
        "u32" => integer(0, u32::MAX.into()),
        "u64" | "usize" | "u128" => integer(0, u64::MAX.into()),
        "f32" | "f64" => Kind::Number,
        _ => Kind::Any,
    }
}
