//! The checks of a field of a struct, which is a setting or a group.

use super::group::check_group;
use super::item::SettingsItem;
use super::setting::check_setting;
use crate::attributes::{doc_comment, setting_options};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::options::{OptionTable, Options};
use quote::quote;
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
};

/// Checks a field. `None` if the errors leave nothing to generate.
pub(super) fn check_field(field: &Field, diagnostics: &mut Diagnostics) -> Option<SettingsItem> {
    let ident = field.ident.clone()?;
    let tokens = setting_options(&field.attrs, diagnostics);
    let mut options = Options::parse(tokens, &FIELD_OPTIONS, diagnostics);
    let is_group = options.flag("group");
    let renamed = options.string("rename");
    let id = check_id(renamed.as_ref(), &ident, &mut options);
    let mut setters = Vec::new();
    if let Some(label) = options.string("label") {
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

/// Returns the id of a field: the value of `rename`, or the name of the field.
fn check_id(renamed: Option<&LitStr>, ident: &Ident, options: &mut Options<'_>) -> String {
    let Some(renamed) = renamed else {
        return ident.unraw().to_string();
    };
    let id = renamed.value();
    let length = id.len();
    if id.is_empty() {
        options.report(renamed, Diagnostic::EmptyId);
    } else if length > MAX_ID_BYTES {
        let max = MAX_ID_BYTES;
        options.report(renamed, Diagnostic::IdTooLong { length, max });
    }
    id
}
