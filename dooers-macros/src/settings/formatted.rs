//! The options of durations, times, addresses, colors and lists.

use super::default::{default_expr, may_be_constant, report_wrong_type};
use super::field_type::Format;
use super::item::{ConstantCheck, ConstantDefault, FieldDefault};
use crate::diagnostic::Diagnostic;
use crate::literal::InnerLiteral;
use crate::options::Options;
use crate::syntax::{as_path, as_string, peel_groups, source, type_source};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Type, parse_quote};

/// Reads the default of a text with a format. It is a constant text, or a constant `Duration`. The compiler checks it.
pub(super) fn formatted_default(
    format: Format,
    ty: &Type,
    options: &mut Options<'_>,
) -> Option<FieldDefault> {
    let expr = default_expr(options)?;
    let is_text = as_string(&expr).is_some();
    if !is_text && !may_be_constant(&expr) {
        let (expected, example) = match format {
            Format::Duration => ("a duration in quotes", "\"1m30s\""),
            Format::Time => ("a time of day in quotes", "\"09:30\""),
            Format::Url => ("an address in quotes", "\"https://example.org/\""),
            Format::Color => ("a color in quotes", "\"#ff8000\""),
        };
        let repaired = InnerLiteral::find(&expr).filter(|_| as_conversion_of_text(&expr));
        let repaired = repaired.map(|literal| literal.text());
        report_wrong_type(expr, expected, repaired, example, options);
        return None;
    }
    if format == Format::Duration && !is_text {
        return Some(constant(ty.clone(), expr, None));
    }
    let function = match format {
        Format::Duration => "assert_duration",
        Format::Time => "assert_time",
        Format::Url => "assert_http_url",
        Format::Color => "assert_color",
    };
    Some(constant(parse_quote!(&'static str), expr, Some(function)))
}

/// Returns true if the literal inside of conversions is a text.
fn as_conversion_of_text(expr: &Expr) -> bool {
    as_string(crate::literal::converted(expr)).is_some()
}

fn constant(ty: Type, expr: Expr, function: Option<&'static str>) -> FieldDefault {
    FieldDefault::Constant(Box::new(ConstantDefault {
        ty,
        expr,
        check: function.map(|function| ConstantCheck {
            function,
            cast: TokenStream::new(),
            arguments: TokenStream::new(),
        }),
    }))
}

/// Reads the options of a list. `choice` is the type of its items, if they are choices. Returns the default of the list.
pub(super) fn list_setters(
    choice: Option<&Type>,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<FieldDefault> {
    if let Some((rows, _)) = options.count("rows") {
        setters.push(quote!(.rows(#rows)));
    }
    let expr = default_expr(options)?;
    let is_item = |item: &Expr| match as_string(item) {
        Some(text) => choice.is_none() && is_line(&text.value()),
        None if choice.is_some() => as_path(item).is_some(),
        None => may_be_constant(item),
    };
    match peel_groups(&expr) {
        Expr::Array(array) if array.elems.iter().all(is_item) => {
            let items = array.elems.iter().map(|item| match choice {
                Some(_) => quote!(#item),
                None => quote_spanned!(item.span()=> __settings::item_of_list(#item)),
            });
            let list = quote!(::std::vec![#(#items),*]);
            Some(FieldDefault::Variant(Box::new(Expr::Verbatim(list))))
        }
        _ => {
            let diagnostic = Diagnostic::ListDefault {
                items: match choice {
                    Some(_) => "variants",
                    None => "texts of one line each",
                },
                usage: usage(&expr, choice),
            };
            options.report(expr, diagnostic);
            None
        }
    }
}

/// Suggests a default: the user's own value in an array, or else an example.
fn usage(expr: &Expr, choice: Option<&Type>) -> String {
    let value = match peel_groups(expr) {
        Expr::Reference(reference) => source(&reference.expr),
        Expr::Macro(list) if list.mac.path.is_ident("vec") => {
            format!("[{}]", source(&list.mac.tokens))
        }
        expr => match (as_string(expr), as_path(expr), choice) {
            (Some(text), _, None) if is_line(&text.value()) => format!("[{:?}]", text.value()),
            (None, Some(_), Some(_)) => format!("[{}]", source(expr)),
            (_, _, Some(ty)) => format!("[{}::…]", type_source(ty)),
            _ => "[\"one\", \"two\"]".to_owned(),
        },
    };
    format!("default = {value}")
}

/// Returns true if the text can be an item of a list.
fn is_line(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(['\n', '\r'])
}
