//! The model of a setting or a group.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Path, Type};

/// A setting or a group, as it is to be generated.
pub(super) struct SettingsItem {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) id: String,
    pub(super) renamed: Option<LitStr>,
    pub(super) description: Vec<Expr>,
    /// The calls that complete it.
    pub(super) setters: Vec<TokenStream>,
    pub(super) kind: ItemKind,
}

/// Which of the two it is.
pub(super) enum ItemKind {
    Group,
    Field {
        /// The user's own check.
        validate: Option<Path>,
        /// The default of an enum of choices, to be checked by the compiler.
        default: Option<ChoiceDefault>,
        /// The type, if its name says nothing to the macro.
        unresolved: Option<Box<UnresolvedType>>,
    },
}

/// A type whose name says nothing to the macro: an enum of choices, or a struct of settings that is not marked as a group.
/// Only the compiler can see which.
pub(super) struct UnresolvedType {
    /// The type, without the `Option` around it.
    pub(super) ty: Type,
    pub(super) is_optional: bool,
    /// `true` if the default is missing that an enum of choices needs.
    pub(super) lacks_default: bool,
}

/// The default of an enum of choices.
pub(super) enum ChoiceDefault {
    /// `"friendly"`.
    Value(LitStr),
    /// `Tone::Friendly`.
    Variant(Box<Expr>),
}

impl SettingsItem {
    pub(super) fn is_group(&self) -> bool {
        matches!(self.kind, ItemKind::Group)
    }

    pub(super) fn lacks_default(&self) -> bool {
        let ItemKind::Field { unresolved, .. } = &self.kind else {
            return false;
        };
        unresolved
            .as_ref()
            .is_some_and(|unresolved| unresolved.lacks_default)
    }
}

impl ToTokens for SettingsItem {
    /// The typed constant by which generated code reaches the field: the one place that asks for its type's trait.
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
