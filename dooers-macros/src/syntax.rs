//! Expressions and types as they stand in the user's source.

use proc_macro2::Span;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Expr, ExprLit, GenericArgument, Ident, Lit, LitStr, Path, PathArguments, PathSegment, Token,
    Type, TypeImplTrait,
};

/// The path of the crate `dooers`, unless the option `crate` sets another one.
pub(crate) fn default_crate_path() -> Path {
    Path {
        leading_colon: Some(Token![::](Span::call_site())),
        segments: [PathSegment::from(Ident::new("dooers", Span::call_site()))]
            .into_iter()
            .collect(),
    }
}

/// Removes the invisible groups that `macro_rules!` puts around its fragments.
pub(crate) fn peel_groups(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

/// Returns the string literal if the expression is one.
pub(crate) fn as_string(expr: &Expr) -> Option<&LitStr> {
    match peel_groups(expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(string),
            ..
        }) => Some(string),
        _ => None,
    }
}

/// Returns the boolean that a literal stands for, such as `"Yes"` or `0`, for a suggestion.
pub(crate) fn meant_boolean(lit: &Lit) -> Option<bool> {
    let word = match lit {
        Lit::Bool(value) => return Some(value.value),
        Lit::Str(text) => text.value().trim().to_lowercase(),
        Lit::Int(number) => number.base10_digits().to_owned(),
        _ => return None,
    };
    match word.as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Returns the path if the expression is one.
pub(crate) fn as_path(expr: &Expr) -> Option<&Path> {
    match peel_groups(expr) {
        Expr::Path(path) if path.attrs.is_empty() && path.qself.is_none() => Some(&path.path),
        _ => None,
    }
}

/// Removes parentheses and the invisible groups that `macro_rules!` puts around its fragments.
pub(crate) fn peel_type(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            _ => return ty,
        }
    }
}

/// Returns the only generic argument of a type with this name.
pub(crate) fn generic_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = peel_type(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if last.ident == name && arguments.args.len() == 1 => {
            Some(inner)
        }
        _ => None,
    }
}

/// Finds the first `impl Trait` in a type.
pub(crate) fn first_impl_trait(ty: &Type) -> Option<&TypeImplTrait> {
    #[derive(Default)]
    struct First<'a>(Option<&'a TypeImplTrait>);

    impl<'a> Visit<'a> for First<'a> {
        fn visit_type_impl_trait(&mut self, found: &'a TypeImplTrait) {
            self.0.get_or_insert(found);
        }

        fn visit_type(&mut self, ty: &'a Type) {
            if self.0.is_none() {
                visit::visit_type(self, ty);
            }
        }
    }

    let mut first = First::default();
    first.visit_type(ty);
    first.0
}

/// Formats a type as rustfmt would, for an error text.
pub(crate) fn type_source(ty: &Type) -> String {
    source(ty)
}

/// Formats code roughly as rustfmt would, for an error text. Token streams print a space between all tokens.
pub(crate) fn source(tokens: &impl ToTokens) -> String {
    let mut source = tokens.to_token_stream().to_string();
    for (printed, formatted) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ;", ";"),
        ("& ", "&"),
    ] {
        source = source.replace(printed, formatted);
    }
    source
}

#[cfg(test)]
mod tests {
    use super::type_source;

    #[test]
    fn type_source_has_the_usual_spaces() {
        for source in [
            "u8",
            "Option<Vec<String>>",
            "std::option::Option<i128>",
            "::std::string::String",
            "&'static str",
            "&mut dooers::WorkerRequest",
            "(u8, String)",
            "HashMap<String, u8>",
            "[u8; 4]",
        ] {
            let ty = syn::parse_str(source).expect("a type");
            assert_eq!(type_source(&ty), source);
        }
    }
}
