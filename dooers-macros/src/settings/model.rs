//! What a struct of settings says, once it is checked.

use super::field::{Item, item};
use super::options_of;
use crate::diagnostic::{Mistake, Mistakes};
use crate::options::{Options, Table};
use quote::ToTokens;
use std::collections::HashSet;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Path, parse_quote};

const TABLE: Table = Table {
    of: "#[setting] of a struct",
    options: &[
        ("group", "group"),
        ("version", "version = \"…\""),
        ("crate", "crate = path"),
    ],
};

/// A struct of settings as it is to be generated.
pub(super) struct Settings {
    /// How generated code names the runtime crate.
    pub(super) runtime: Path,
    pub(super) name: Ident,
    /// Whether it is a struct, which an enum or a union is not.
    pub(super) is_struct: bool,
    pub(super) version: String,
    /// Whether it is only a group of another.
    pub(super) is_group: bool,
    pub(super) items: Vec<Item>,
    /// Whether it is so generic that nothing can be generated for it.
    pub(super) is_generic: bool,
}

/// Checks all of it: the struct, its fields, their options.
pub(super) fn settings(input: &DeriveInput, mistakes: &mut Mistakes) -> Settings {
    let tokens = options_of(&input.attrs, mistakes);
    let mut options = Options::parse(tokens, &TABLE, mistakes);
    let is_group = options.flag("group");
    let version = options.text("version").map(|version| version.value());
    let runtime = options.path("crate");
    let is_generic = !input.generics.params.is_empty();
    if is_generic {
        mistakes.add(&input.generics, Mistake::SettingsGeneric);
    }
    let fields = fields(input, mistakes).filter(|_| !is_generic);
    let fields = fields.into_iter().flatten();
    let items: Vec<Item> = fields.filter_map(|field| item(field, mistakes)).collect();
    check_ids(&items, mistakes);
    for group in items.iter().filter(|item| is_group && item.is_group()) {
        mistakes.add(&group.ident, Mistake::GroupInAGroup);
    }
    Settings {
        runtime: runtime.unwrap_or_else(|| parse_quote!(::dooers)),
        name: input.ident.clone(),
        is_struct: matches!(input.data, Data::Struct(_)),
        version: version.unwrap_or_else(|| "1.0".to_owned()),
        is_group,
        items,
        is_generic,
    }
}

fn fields<'a>(
    input: &'a DeriveInput,
    mistakes: &mut Mistakes,
) -> Option<syn::punctuated::Iter<'a, syn::Field>> {
    let keyword: &dyn ToTokens = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(fields.named.iter()),
            Fields::Unnamed(fields) => {
                mistakes.add(fields, Mistake::SettingsWithoutNames);
                return None;
            }
            Fields::Unit => {
                mistakes.add(&input.ident, Mistake::SettingsWithoutNames);
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
    mistakes.add(keyword, Mistake::SettingsOfNoStruct { keyword: name });
    None
}

fn check_ids(items: &[Item], mistakes: &mut Mistakes) {
    let mut ids = HashSet::new();
    for item in items {
        let id = item.id.clone();
        if !ids.insert(id.clone()) {
            let place: &dyn ToTokens = match &item.renamed {
                Some(renamed) => renamed,
                None => &item.ident,
            };
            mistakes.add(place, Mistake::SameId { id });
        }
    }
}

/// The id that `rename` gives, if it is right.
pub(super) fn check_id(renamed: Option<&LitStr>, ident: &Ident, mistakes: &mut Mistakes) -> String {
    const LONGEST: usize = 128;
    let Some(renamed) = renamed else {
        return syn::ext::IdentExt::unraw(ident).to_string();
    };
    let id = renamed.value();
    let length = id.len();
    if id.is_empty() {
        mistakes.add(renamed, Mistake::EmptyId);
    } else if length > LONGEST {
        let longest = LONGEST;
        mistakes.add(renamed, Mistake::LongId { length, longest });
    }
    id
}
