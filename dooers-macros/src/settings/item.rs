//! The model of a setting or a group.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Path, Type};

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
        validate: Option<Path>,
        /// The default of an enum of choices, which the compiler checks.
        default: Option<ChoiceDefault>,
        /// The type, if the macro does not recognize its name.
        unresolved: Option<Box<UnresolvedType>>,
    },
}

/// A type that the macro does not recognize by its name: an enum of choices, or a struct of settings that is not marked
/// as a group. Only the compiler can tell these apart.
pub(super) struct UnresolvedType {
    /// The type, without the `Option` around it.
    pub(super) ty: Type,
    pub(super) is_optional: bool,
    /// `true` if an enum of choices would need a default here.
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

    /// Reports if the item needs a default, should its type be an enum of choices.
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
