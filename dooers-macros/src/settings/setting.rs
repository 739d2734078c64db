//! The checks of a single setting.

use super::allowed_keys::{ON_ALL_FIELDS, ON_ALL_ITEMS, allowed_keys, check_keys};
use super::default::{
    checkbox_default, choice_default, default_env_setter, image_setters, reject_default,
};
use super::field_type::{FieldKind, FieldType, classify};
use super::formatted::{formatted_default, list_setters};
use super::item::{FieldDefault, ItemKind, UnresolvedType};
use super::number::number_setters;
use super::text::{date_setters, email_setters, option_list, rule_setters, text_setters};
use crate::diagnostic::Diagnostic;
use crate::options::Options;
use crate::syntax::{generic_argument, type_source};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Field, Ident};

/// The options that give a setting an initial value.
const DEFAULT_KEYS: [&str; 3] = ["default", "default_env", "src"];

/// Checks a field that is not marked as a group.
pub(super) fn check_setting(
    field: &Field,
    ident: &Ident,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<ItemKind> {
    let ty = || type_source(&field.ty);
    let Some(field_type) = classify(&field.ty) else {
        options.report(&field.ty, Diagnostic::UnsupportedType { ty: ty() });
        return None;
    };
    let is_list = matches!(field_type.kind, FieldKind::List { .. });
    if is_list && field_type.is_optional {
        options.report(&field.ty, Diagnostic::OptionalList);
        return None;
    }
    let has_default = is_list
        || DEFAULT_KEYS
            .iter()
            .any(|key| options.contains(key) || options.was_meant(key))
        || options.was_meant("Option<");
    let lacks_default = !has_default && !field_type.is_optional;
    let is_unresolved = field_type.kind == FieldKind::Unresolved;
    if is_unresolved
        && !has_default
        && let Some(key) = options.key("collapsible")
    {
        // The user most likely forgot `group`.
        options.report(key, Diagnostic::CollapsibleNotAGroup { ty: ty() });
        return None;
    }
    if field_type.kind == FieldKind::Secret {
        reject_default(options);
    }
    let allowed = allowed_keys(field_type.kind, options.contains("options"));
    let subject = if is_unresolved {
        format!("`{}`", ty())
    } else {
        allowed.subject.to_owned()
    };
    check_keys(
        options,
        &subject,
        &[ON_ALL_ITEMS, ON_ALL_FIELDS, allowed.keys],
    );
    if lacks_default && !is_unresolved {
        report_missing_default(field, ident, field_type.kind, options);
    }
    access_setters(&field_type, has_default, options, setters);
    let default = value_setters(&field_type, options, setters);
    if let Some(placeholder) = options.string("placeholder") {
        setters.push(quote!(.placeholder(#placeholder)));
    }
    let validate = options.function("validate");
    let unresolved = is_unresolved.then(|| {
        Box::new(UnresolvedType {
            ty: field_type.ty.clone(),
            is_optional: field_type.is_optional,
            lacks_default,
        })
    });
    Some(ItemKind::Field {
        validate,
        default,
        is_optional: field_type.is_optional,
        unresolved,
    })
}

fn report_missing_default(
    field: &Field,
    ident: &Ident,
    kind: FieldKind,
    options: &mut Options<'_>,
) {
    let (place, diagnostic): (&dyn ToTokens, _) = match kind {
        FieldKind::Secret => (&field.ty, Diagnostic::SecretMissingDefault),
        FieldKind::Image => (ident, Diagnostic::ImageMissingSource),
        _ => (ident, Diagnostic::MissingDefault),
    };
    options.report(place, diagnostic);
}

/// Adds the setters for who can see and change the setting.
fn access_setters(
    field_type: &FieldType<'_>,
    has_default: bool,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) {
    let internal = options.key("internal");
    let is_creator = options.flag("creator");
    if options.flag("internal") {
        setters.push(quote!(.internal()));
        if is_creator {
            options.report(internal, Diagnostic::ConflictingVisibility);
        }
    } else if is_creator {
        setters.push(quote!(.creator()));
    }
    let readonly = options.key("readonly");
    if options.flag("readonly") {
        setters.push(quote!(.readonly()));
        if field_type.is_optional && !has_default {
            options.report(readonly, Diagnostic::ReadonlyMissingDefault);
        }
    }
    if options.flag("required") {
        setters.push(quote!(.required()));
    }
    if let Some(user_editable) = options.boolean("user_editable") {
        setters.push(quote!(.user_editable(#user_editable)));
    }
}

/// Adds the setters for the values of the setting. Returns a default that only the compiler can check.
fn value_setters(
    field_type: &FieldType<'_>,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<FieldDefault> {
    match field_type.kind {
        FieldKind::Text => {
            let listed = option_list(options, setters);
            return text_setters(listed.as_deref(), options, setters);
        }
        FieldKind::Secret => {
            rule_setters(options, setters);
            default_env_setter(options, setters);
        }
        FieldKind::Email => email_setters(options, setters),
        FieldKind::Date => date_setters(options, setters),
        FieldKind::Integer { .. } | FieldKind::Decimal { .. } => {
            return number_setters(field_type, options, setters);
        }
        FieldKind::Formatted(format) => return formatted_default(format, field_type.ty, options),
        FieldKind::List { is_choice } => {
            let choice = generic_argument(field_type.ty, "Vec").filter(|_| is_choice);
            return list_setters(choice, options, setters);
        }
        FieldKind::Checkbox => return checkbox_default(options, setters),
        FieldKind::Image => image_setters(options, setters),
        FieldKind::Unresolved => return choice_default(options),
    }
    None
}
