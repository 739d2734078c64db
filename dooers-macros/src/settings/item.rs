//! The model of a setting or a group.

use super::field_type::{FieldKind, FieldType, classify};
use crate::syntax::type_source;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Token, Type};

/// A setting or a group, after it has been checked.
pub(super) struct SettingsItem {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) id: String,
    pub(super) renamed: Option<LitStr>,
    pub(super) description: Vec<Expr>,
    /// The method calls that complete its description.
    pub(super) setters: Vec<TokenStream>,
    pub(super) kind: ItemKind,
}

/// The kind of an item.
pub(super) enum ItemKind {
    Group,
    Field {
        /// The function of the user that checks a value.
        validate: Option<Expr>,
        /// The default, if the compiler checks it.
        default: Option<FieldDefault>,
        is_optional: bool,
        /// The type, if the macro does not recognize its name.
        unresolved: Option<Box<UnresolvedType>>,
    },
}

/// A type that the macro does not recognize by its name: an enum of choices, or a struct of settings that is not marked
/// as a group. Only the compiler can distinguish them.
pub(super) struct UnresolvedType {
    /// The type, without the `Option` around it.
    pub(super) ty: Type,
    pub(super) is_optional: bool,
    /// `true` if an enum of choices would need a default here.
    pub(super) lacks_default: bool,
}

/// A default that the compiler checks.
pub(super) enum FieldDefault {
    /// The value of a choice: `"friendly"`.
    Choice(LitStr),
    /// A variant of an enum of choices: `Tone::Friendly`.
    Variant(Box<Expr>),
    /// Anything else on a type that the macro takes for an enum of choices.
    NotAChoice(Box<Expr>),
    /// A constant expression: `60 * 60`.
    Constant(Box<ConstantDefault>),
}

/// A default that is a constant expression. The compiler evaluates it and checks it.
pub(super) struct ConstantDefault {
    /// The type of the constant: that of the field, or `&'static str` for a text.
    pub(super) ty: Type,
    pub(super) expr: Expr,
    pub(super) check: Option<ConstantCheck>,
}

/// A function of the runtime that checks the value of a constant at compile time.
pub(super) struct ConstantCheck {
    pub(super) function: &'static str,
    /// The conversion of the constant to the type of the function, such as `as i128`.
    pub(super) cast: TokenStream,
    /// The arguments after the constant.
    pub(super) arguments: TokenStream,
}

impl SettingsItem {
    pub(super) fn is_group(&self) -> bool {
        matches!(self.kind, ItemKind::Group)
    }

    /// Returns true if the type is an `Option` or a `Vec` of a type that the macro does not recognize.
    pub(super) fn contains_unresolved(&self) -> bool {
        matches!(
            classify(&self.ty),
            Some(
                FieldType {
                    kind: FieldKind::Unresolved,
                    is_optional: true,
                    ..
                } | FieldType {
                    kind: FieldKind::List { is_choice: true },
                    ..
                }
            )
        )
    }

    /// Generates the check that an enum of choices has a default of its own, if the field has none. `field` is the
    /// typed field: its constant, or the expression of this item.
    pub(super) fn default_requirement(&self, field: &impl ToTokens) -> Option<TokenStream> {
        let ItemKind::Field {
            unresolved: Some(unresolved),
            ..
        } = &self.kind
        else {
            return None;
        };
        let place = self.ident.span();
        let unnamed = unnamed();
        unresolved.lacks_default.then(
            || quote_spanned!(place=> const #unnamed: () = __settings::require_default(&#field);),
        )
    }

    /// Generates the error for a type that the macro does not recognize, if it has a default that no choice can have.
    /// Only the compiler knows the type: it reports a missing type, a type that is not a setting, or a struct that is
    /// not marked as a group instead.
    pub(super) fn refusal(&self) -> Option<TokenStream> {
        let ItemKind::Field {
            unresolved: Some(unresolved),
            default,
            ..
        } = &self.kind
        else {
            return None;
        };
        let Some(FieldDefault::NotAChoice(default)) = default else {
            return None;
        };
        let (ty, unnamed) = (type_source(&unresolved.ty), unnamed());
        Some(
            quote_spanned!(default.span()=> const #unnamed: () = __settings::refuse_default(#self.choices(), #ty);),
        )
    }
}

/// The `_` of a check in a constant. For a type that does not exist, rustc would also suggest a type parameter after a name
/// that is in the user's code.
fn unnamed() -> Token![_] {
    Token![_](Span::mixed_site())
}

impl ToTokens for SettingsItem {
    /// Writes the value of the field's constant. It is the only place that requires the trait of the field's type.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (ty, id) = (&self.ty, &self.id);
        let typed = match &self.kind {
            ItemKind::Group => quote_spanned!(ty.span()=> __settings::typed_group::<#ty>(#id)),
            ItemKind::Field {
                unresolved: None, ..
            } => {
                quote_spanned!(ty.span()=> __settings::typed::<#ty>(#id))
            }
            ItemKind::Field {
                unresolved: Some(unresolved),
                ..
            } => {
                let ty = &unresolved.ty;
                let of = if unresolved.is_optional {
                    quote!(optional)
                } else {
                    quote!(named)
                };
                quote_spanned!(ty.span()=> __settings::#of::<#ty>(#id))
            }
        };
        tokens.extend(typed);
    }
}
