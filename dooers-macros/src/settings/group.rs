//! The checks of a group.

use super::allowed_keys::{ON_ALL_ITEMS, check_keys};
use super::field_type::{FieldKind, FieldType, classify};
use super::item::ItemKind;
use crate::diagnostic::Diagnostic;
use crate::options::Options;
use crate::syntax::type_source;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Field;

/// Checks a field that is marked as a group.
pub(super) fn check_group(
    field: &Field,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<ItemKind> {
    check_keys(options, "a group", &[ON_ALL_ITEMS, &["collapsible"]]);
    if options.flag("creator") {
        setters.push(quote!(.creator()));
    }
    if let Some(value) = options.string("collapsible") {
        match value.value().as_str() {
            "open" => setters.push(quote!(.collapsible(__dooers::settings::Collapsible::Open))),
            "closed" => setters.push(quote!(.collapsible(__dooers::settings::Collapsible::Closed))),
            other => {
                let diagnostic = Diagnostic::InvalidCollapsible {
                    value: other.to_owned(),
                };
                options.report(&value, diagnostic);
            }
        }
    }
    let ty = type_source(&field.ty);
    match classify(&field.ty) {
        Some(FieldType {
            kind: FieldKind::Unresolved,
            is_optional: false,
            ..
        }) => Some(ItemKind::Group),
        Some(FieldType {
            is_optional: true, ..
        }) => {
            options.report(&field.ty, Diagnostic::OptionalGroup);
            None
        }
        _ => {
            options.report(&field.ty, Diagnostic::InvalidGroupType { ty });
            None
        }
    }
}
