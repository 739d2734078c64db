//! The model of a struct of settings, and its checks.

use super::field::check_field;
use super::item::SettingsItem;
use crate::attributes::setting_options;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::options::{OptionTable, Options};
use crate::rename::rename_all;
use crate::syntax::default_crate_path;
use quote::ToTokens;
use std::collections::HashSet;
use syn::{Data, DeriveInput, Fields, Ident, Path};

const STRUCT_OPTIONS: OptionTable = OptionTable {
    macro_name: "`#[setting]` on a struct",
    options: &[
        ("group", "group"),
        ("version", "version = \"…\""),
        ("rename_all", "rename_all = \"kebab-case\""),
        ("crate", "crate = path"),
    ],
    synonyms: &[
        ("write `group`", &["nested", "section", "flatten"]),
        ("write `version`", &["schema_version", "revision"]),
        ("write `rename` on each field, or `rename_all`", &["rename"]),
        (
            "write `label` on the field that contains this group",
            &["label", "title", "name"],
        ),
    ],
};

/// A struct of settings, after it has been checked.
pub(super) struct SettingsModel {
    /// The path of the crate `dooers` in generated code.
    pub(super) crate_path: Path,
    pub(super) name: Ident,
    /// `false` for an enum or a union, which has been reported.
    pub(super) is_struct: bool,
    pub(super) version: String,
    /// `true` if the struct is only a group of other settings.
    pub(super) is_group: bool,
    pub(super) items: Vec<SettingsItem>,
    /// `true` if nothing can be generated, because the struct is generic.
    pub(super) is_generic: bool,
}

/// Checks the struct, its fields and their options.
pub(super) fn check_struct(input: &DeriveInput, diagnostics: &mut Diagnostics) -> SettingsModel {
    let tokens = setting_options(&input.attrs, diagnostics);
    let mut options = Options::parse(tokens, &STRUCT_OPTIONS, diagnostics);
    let is_group = options.flag("group");
    let version = options.string("version").map(|version| version.value());
    let crate_path = options.path("crate");
    let case = rename_all(&input.attrs, &mut options);
    let is_generic = !input.generics.params.is_empty();
    if is_generic {
        diagnostics.add(&input.generics, Diagnostic::GenericSettings);
    }
    let fields = named_fields(input, diagnostics).filter(|_| !is_generic);
    let fields = fields.into_iter().flatten();
    let items: Vec<SettingsItem> = fields
        .filter_map(|field| check_field(field, case, diagnostics))
        .collect();
    check_ids(&items, diagnostics);
    for group in items.iter().filter(|item| is_group && item.is_group()) {
        diagnostics.add(&group.ident, Diagnostic::NestedGroup);
    }
    SettingsModel {
        crate_path: crate_path.unwrap_or_else(default_crate_path),
        name: input.ident.clone(),
        is_struct: matches!(input.data, Data::Struct(_)),
        version: version.unwrap_or_else(|| "1.0".to_owned()),
        is_group,
        items,
        is_generic,
    }
}

fn named_fields<'a>(
    input: &'a DeriveInput,
    diagnostics: &mut Diagnostics,
) -> Option<syn::punctuated::Iter<'a, syn::Field>> {
    let keyword: &dyn ToTokens = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(fields.named.iter()),
            Fields::Unnamed(fields) => {
                diagnostics.add(fields, Diagnostic::UnnamedFields);
                return None;
            }
            Fields::Unit => {
                diagnostics.add(&input.ident, Diagnostic::UnnamedFields);
                return None;
            }
        },
        Data::Enum(data) => &data.enum_token,
        Data::Union(data) => &data.union_token,
    };
    let name = if matches!(input.data, Data::Enum(_)) {
        "enum"
    } else {
        "union"
    };
    diagnostics.add(keyword, Diagnostic::SettingsNotAStruct { keyword: name });
    None
}

fn check_ids(items: &[SettingsItem], diagnostics: &mut Diagnostics) {
    let mut ids = HashSet::new();
    for item in items {
        let id = item.id.clone();
        if !ids.insert(id.clone()) {
            let place: &dyn ToTokens = match &item.renamed {
                Some(renamed) => renamed,
                None => &item.ident,
            };
            diagnostics.add(place, Diagnostic::DuplicateId { id });
        }
    }
}
