//! The checks of a field of a struct, which is a setting or a group.

use super::field_type::{FieldKind, classify};
use super::group::check_group;
use super::item::SettingsItem;
use super::setting::check_setting;
use crate::attributes::{doc_comment, setting_options};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::options::{OptionTable, Options};
use crate::rename::{Case, renamed};
use crate::words::{sentence_case, split_words};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Field, Ident, LitStr};

/// The longest id of a setting, in bytes.
const MAX_ID_BYTES: usize = 128;

const FIELD_OPTIONS: OptionTable = OptionTable {
    macro_name: "`#[setting]` on a field",
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
    synonyms: &[
        (
            "write `min` and `max`, or `min_length` and `max_length` for a text",
            &["range", "between", "bounds", "clamp"],
        ),
        (
            "write `min`",
            &["minimum", "lower", "from", "ge", "gt", "gte"],
        ),
        (
            "write `max`",
            &["maximum", "upper", "to", "le", "lt", "lte", "limit"],
        ),
        (
            "write `min_length` and `max_length`",
            &["length", "len", "chars", "minlen", "maxlen"],
        ),
        (
            "write `step`",
            &["increment", "interval", "multiple_of", "precision"],
        ),
        (
            "write `pattern`",
            &["regex", "regexp", "re", "matches", "format"],
        ),
        ("write `placeholder`", &["hint", "example", "sample"]),
        (
            "write `label`",
            &["title", "caption", "display", "display_name", "text"],
        ),
        (
            "write `rename` for the id, or `label` for the text in the form",
            &["id", "name", "key", "alias"],
        ),
        (
            "write a doc comment (`/// …`) on the field",
            &[
                "description",
                "desc",
                "help",
                "doc",
                "docs",
                "about",
                "info",
                "tooltip",
            ],
        ),
        (
            "write `internal`",
            &["hidden", "private", "skip", "ignore", "invisible"],
        ),
        (
            "write `creator` for a setting that only owners and managers see, or `internal` for one that only the program sees",
            &[
                "visibility",
                "visible",
                "access",
                "role",
                "roles",
                "admin",
                "owner",
                "manager",
            ],
        ),
        (
            "write the type `Option<Secret>`",
            &["secret", "password", "sensitive", "masked", "confidential"],
        ),
        ("write the type `Option<…>`", &["optional", "nullable"]),
        (
            "write `options(\"value\" = \"Label\")`, or use an enum with `#[derive(SettingChoice)]`",
            &[
                "choices", "choice", "one_of", "oneof", "values", "variants", "enum", "select",
                "allowed",
            ],
        ),
        (
            "write `rows`",
            &["lines", "multiline", "textarea", "multi_line"],
        ),
        ("write `src`", &["url", "href", "image", "source"]),
        (
            "write `default_env`",
            &["env", "from_env", "env_var", "variable"],
        ),
        (
            "write `default`",
            &["value", "initial", "init", "preset", "default_value"],
        ),
        (
            "write `validate`",
            &["check", "custom", "validator", "validation", "with"],
        ),
        (
            "write `readonly`",
            &["disabled", "immutable", "constant", "locked", "fixed"],
        ),
        ("write `required`", &["mandatory", "non_empty", "not_empty"]),
        ("write `user_editable`", &["editable", "writable"]),
        (
            "write `group`",
            &["flatten", "nested", "nest", "section", "fieldset"],
        ),
        (
            "write `collapsible = \"open\"` or `collapsible = \"closed\"`",
            &["collapsed", "open", "closed", "expanded"],
        ),
        (
            "the type of the field determines its input in the form",
            &["kind", "type", "ty", "input", "widget", "as"],
        ),
        (
            "the form shows the fields in the order of the struct",
            &["order", "position", "index"],
        ),
    ],
};

/// Checks a field. `None` if the errors leave nothing to generate.
pub(super) fn check_field(
    field: &Field,
    case: Option<Case>,
    diagnostics: &mut Diagnostics,
) -> Option<SettingsItem> {
    let ident = field.ident.clone()?;
    let tokens = setting_options(&field.attrs, diagnostics);
    let mut options = Options::parse(tokens, &FIELD_OPTIONS, diagnostics);
    let is_group = options.flag("group") || options.was_meant("group") && is_named(field);
    let renamed = renamed(&field.attrs, &mut options);
    let id = check_id(renamed.as_ref(), &ident, case, &mut options);
    let mut setters = Vec::new();
    let name = ident.unraw().to_string();
    if let Some(label) = options.string("label") {
        setters.push(quote!(.label(#label)));
    } else if id != name {
        // The description of the field knows only the id.
        let label = sentence_case(&split_words(&name));
        setters.push(quote!(.label(#label)));
    }
    let kind = if is_group {
        check_group(field, &mut options, &mut setters)?
    } else {
        check_setting(field, &ident, &mut options, &mut setters)?
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

/// Returns true if the macro does not know the type by its name, so that it may be a group.
fn is_named(field: &Field) -> bool {
    let classified = classify(&field.ty);
    classified.is_some_and(|of| of.kind == FieldKind::Unresolved && !of.is_optional)
}

/// Returns the id of a field: the value of `rename`, or the name of the field in the case of `rename_all`.
fn check_id(
    renamed: Option<&LitStr>,
    ident: &Ident,
    case: Option<Case>,
    options: &mut Options<'_>,
) -> String {
    let name = ident.unraw().to_string();
    let (place, id): (&dyn ToTokens, _) = match (renamed, case) {
        (Some(renamed), _) => (renamed, renamed.value()),
        (None, Some(case)) => (ident, case.of_field(&name)),
        (None, None) => (ident, name),
    };
    let length = id.len();
    if id.is_empty() {
        options.report(place, Diagnostic::EmptyId);
    } else if length > MAX_ID_BYTES {
        let max = MAX_ID_BYTES;
        options.report(place, Diagnostic::IdTooLong { length, max });
    }
    id
}
