//! What a field of a struct says about its setting.

use super::allowed_keys::{ON_ALL_FIELDS, ON_ALL_ITEMS, allowed_keys, check_keys};
use super::default::{
    checkbox_setters, choice_default, default_env_setter, image_setters, reject_default,
};
use super::field_type::{FieldKind, FieldType, classify};
use super::format;
use super::item::{ItemKind, SettingsItem, UnresolvedType};
use super::number::number_setters;
use super::text::{formatted_setters, length_setters, option_list, text_setters};
use crate::attributes::{doc_comment, setting_options};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::options::{OptionTable, Options};
use crate::syntax::type_source;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Field, Ident, LitStr};

const FIELD_OPTIONS: OptionTable = OptionTable {
    macro_name: "#[setting]",
    options: &[
        ("label", "label = \"…\""),
        ("default", "default = …"),
        ("default_env", "default_env = \"VARIABLE\""),
        ("placeholder", "placeholder = \"…\""),
        ("min", "min = 0"),
        ("max", "max = 1"),
        ("step", "step = 0.1"),
        ("rows", "rows = 4"),
        ("options", "options(\"value\" = \"Label\")"),
        ("min_length", "min_length = 1"),
        ("max_length", "max_length = 80"),
        ("pattern", "pattern = \"…\""),
        ("validate", "validate = path"),
        ("readonly", "readonly"),
        ("required", "required"),
        ("internal", "internal"),
        ("creator", "creator"),
        ("user_editable", "user_editable = false"),
        ("src", "src = \"…\""),
        ("width", "width = 64"),
        ("height", "height = 64"),
        ("rename", "rename = \"…\""),
        ("group", "group"),
        ("collapsible", "collapsible = \"open\""),
    ],
};

/// The options that give a setting a value before anybody sets one.
const DEFAULTS: [&str; 3] = ["default", "default_env", "src"];

/// Checks a field. None if it is so wrong that nothing can be said about it.
pub(super) fn check_field(field: &Field, diagnostics: &mut Diagnostics) -> Option<SettingsItem> {
    let ident = field.ident.clone()?;
    let tokens = setting_options(&field.attrs, diagnostics);
    let mut options = Options::parse(tokens, &FIELD_OPTIONS, diagnostics);
    let is_group = options.flag("group");
    let renamed = options.string("rename");
    let id = check_id(renamed.as_ref(), &ident, options.diagnostics());
    let mut setters = Vec::new();
    if let Some(label) = options.string("label") {
        setters.push(quote!(.label(#label)));
    }
    let kind = if is_group {
        check_group(field, &mut options, &mut setters)?
    } else {
        check_single_setting(field, &ident, &mut options, &mut setters)?
    };
    Some(SettingsItem {
        ident,
        ty: field.ty.clone(),
        id,
        renamed,
        description: doc_comment(&field.attrs),
        setters,
        kind,
    })
}

/// The id that `rename` gives, if it is right.
fn check_id(renamed: Option<&LitStr>, ident: &Ident, diagnostics: &mut Diagnostics) -> String {
    const MAX_BYTES: usize = 128;
    let Some(renamed) = renamed else {
        return syn::ext::IdentExt::unraw(ident).to_string();
    };
    let id = renamed.value();
    let length = id.len();
    if id.is_empty() {
        diagnostics.add(renamed, Diagnostic::EmptyId);
    } else if length > MAX_BYTES {
        let max = MAX_BYTES;
        diagnostics.add(renamed, Diagnostic::IdTooLong { length, max });
    }
    id
}

fn check_group(
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
                options.diagnostics().add(&value, diagnostic);
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
            options
                .diagnostics()
                .add(&field.ty, Diagnostic::OptionalGroup);
            None
        }
        _ => {
            options
                .diagnostics()
                .add(&field.ty, Diagnostic::InvalidGroupType { ty });
            None
        }
    }
}

fn check_single_setting(
    field: &Field,
    ident: &Ident,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<ItemKind> {
    let ty = type_source(&field.ty);
    let Some(field_type) = classify(&field.ty) else {
        let diagnostic = Diagnostic::UnsupportedType { ty };
        options.diagnostics().add(&field.ty, diagnostic);
        return None;
    };
    let has_default = DEFAULTS.iter().any(|key| options.contains(key));
    let lacks_default = !has_default && !field_type.is_optional;
    let is_unresolved = field_type.kind == FieldKind::Unresolved;
    if is_unresolved && !has_default && reject_collapsible(options, &ty) {
        return None;
    }
    if field_type.kind == FieldKind::Secret {
        reject_default(options);
    }
    let allowed = allowed_keys(field_type.kind, options.contains("options"));
    // Of a name the macro does not know what it is.
    let subject = if is_unresolved {
        format!("`{ty}`")
    } else {
        allowed.subject.to_owned()
    };
    check_keys(
        options,
        &subject,
        &[ON_ALL_ITEMS, ON_ALL_FIELDS, allowed.keys],
    );
    if lacks_default && !is_unresolved {
        let diagnostic = match field_type.kind {
            FieldKind::Secret => Diagnostic::SecretMissingDefault,
            FieldKind::Image => Diagnostic::ImageMissingSource,
            _ => Diagnostic::MissingDefault,
        };
        let place: &dyn ToTokens = if field_type.kind == FieldKind::Secret {
            &field.ty
        } else {
            ident
        };
        options.diagnostics().add(place, diagnostic);
    }
    access_setters(&field_type, has_default, options, setters);
    let default = match field_type.kind {
        FieldKind::Text => {
            let options_given = option_list(options, setters);
            text_setters(options, setters, options_given.as_deref());
            None
        }
        FieldKind::Secret => {
            length_setters(options, setters);
            default_env_setter(options, setters);
            None
        }
        FieldKind::Email => {
            let bounds = length_setters(options, setters);
            formatted_setters(
                options,
                setters,
                ("mail address", "ada@example.org"),
                format::is_email,
                bounds,
            );
            None
        }
        FieldKind::Date => {
            formatted_setters(
                options,
                setters,
                ("date", "2026-02-11"),
                format::is_date,
                (None, None),
            );
            None
        }
        FieldKind::Integer { .. } | FieldKind::Decimal { .. } => {
            number_setters(&field_type, &field.ty, options, setters);
            None
        }
        FieldKind::Checkbox => {
            checkbox_setters(options, setters);
            None
        }
        FieldKind::Image => {
            image_setters(options, setters);
            None
        }
        FieldKind::Unresolved => choice_default(options),
    };
    if let Some(placeholder) = options.string("placeholder") {
        setters.push(quote!(.placeholder(#placeholder)));
    }
    let validate = options.path("validate");
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
        unresolved,
    })
}

/// Whether `collapsible` says that this is meant to be a group, which it does not say itself.
fn reject_collapsible(options: &mut Options<'_>, ty: &str) -> bool {
    let given = options.keys().find(|key| *key == "collapsible").cloned();
    if let Some(key) = &given {
        let ty = ty.to_owned();
        options
            .diagnostics()
            .add(key, Diagnostic::CollapsibleNotAGroup { ty });
    }
    given.is_some()
}

fn access_setters(
    field_type: &FieldType<'_>,
    has_default: bool,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) {
    let internal = options.keys().find(|key| *key == "internal").cloned();
    let is_creator = options.flag("creator");
    if options.flag("internal") {
        setters.push(quote!(.internal()));
        if is_creator {
            options
                .diagnostics()
                .add(internal, Diagnostic::ConflictingVisibility);
        }
    } else if is_creator {
        setters.push(quote!(.creator()));
    }
    let readonly = options.keys().find(|key| *key == "readonly").cloned();
    if options.flag("readonly") {
        setters.push(quote!(.readonly()));
        if field_type.is_optional && !has_default {
            options
                .diagnostics()
                .add(readonly, Diagnostic::ReadonlyMissingDefault);
        }
    }
    if options.flag("required") {
        setters.push(quote!(.required()));
    }
    if let Some(user_editable) = options.boolean("user_editable") {
        setters.push(quote!(.user_editable(#user_editable)));
    }
}
