//! The rules, each as a list of what breaks it.

use crate::api::Api;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The start of a comment that states why a type is exhaustive.
pub(crate) const REASON: &str = "Exhaustive:";

/// Crates whose types need no review: the standard library, and the macros that are released with dooers.
const OWN_CRATES: [&str; 4] = ["alloc", "core", "dooers_macros", "std"];

/// The places at which each type of a list is used.
pub(crate) type Uses = BTreeMap<String, BTreeSet<String>>;

/// The types to which a later version cannot add without breaking programs, and which do not state a reason.
pub(crate) fn open_types(api: &Api) -> Vec<String> {
    let items = api
        .paths
        .iter()
        .map(|(id, paths)| (api.item(*id).expect("it is public"), paths));
    items
        .filter(|(item, _)| is_open(api, item))
        .filter(|(item, _)| {
            let reason = |line: &String| {
                line.strip_prefix("// ")
                    .is_some_and(|line| line.starts_with(REASON))
            };
            !api.lines_above(item).iter().any(reason)
        })
        .map(|(_, paths)| paths.join(", "))
        .collect()
}

fn is_open(api: &Api, item: &Value) -> bool {
    let attributes = item["attrs"].as_array().expect("attributes");
    if attributes
        .iter()
        .any(|attribute| attribute == "non_exhaustive")
    {
        return false;
    }
    let (kind, inner) = api.kind(item);
    // Fields that are private or hidden are not listed.
    let is_any = |fields: &Value| {
        fields
            .as_array()
            .is_some_and(|fields| !fields.iter().all(Value::is_null))
    };
    match kind {
        "enum" => true,
        "struct" => {
            let fields = &inner["kind"];
            fields == "unit" || is_any(&fields["plain"]["fields"]) || is_any(&fields["tuple"])
        }
        _ => false,
    }
}

/// The items with several paths, or with a path in the prelude only.
pub(crate) fn items_without_one_path(api: &Api) -> Vec<String> {
    let foreign =
        api.foreign_exports
            .iter()
            .fold(BTreeMap::<_, Vec<_>>::new(), |mut exports, (id, path)| {
                exports.entry(*id).or_default().push(path.clone());
                exports
            });
    let items = api.paths.values().chain(foreign.values());
    items
        .filter(|paths| {
            let is_own = |path: &&String| path.split("::").nth(1) != Some("prelude");
            paths.iter().filter(is_own).count() != 1
        })
        .map(|paths| paths.join(", "))
        .collect()
}

/// The types of the crate that public signatures name, but that are not public themselves.
pub(crate) fn internal_types(api: &Api) -> Uses {
    uses(api, |id| api.is_internal(id))
}

/// The types of other crates in public signatures, and the re-exported ones.
pub(crate) fn foreign_types(api: &Api) -> Uses {
    let mut found = uses(api, |id| is_for_review(api, id));
    for (id, path) in &api.foreign_exports {
        let name = api.definition(*id).filter(|_| is_for_review(api, *id));
        if let Some(name) = name {
            found.entry(name).or_default().insert(path.clone());
        }
    }
    found
}

fn is_for_review(api: &Api, id: u64) -> bool {
    let path = api.definition(id).filter(|_| api.is_foreign(id));
    path.is_some_and(|path| {
        let name = path.split("::").next();
        !name.is_some_and(|name| OWN_CRATES.contains(&name))
    })
}

/// The uses of all types that the condition selects.
fn uses(api: &Api, is_wanted: impl Fn(u64) -> bool) -> Uses {
    let mut found = Uses::new();
    let mut look = |signature: &Value, place: &str| {
        let types = api.types_in(signature).into_iter();
        for (id, written) in types.filter(|(id, _)| is_wanted(*id)) {
            let name = api.definition(id).unwrap_or(written);
            found.entry(name).or_default().insert(place.to_owned());
        }
    };
    for (id, paths) in &api.paths {
        let item = api.item(*id).expect("it is public");
        for_each_signature(api, item, &paths[0], &mut look);
    }
    for item in api.implementations() {
        let (_, inner) = api.kind(item);
        let name = |of: &Value| of["path"].as_str().map(str::to_owned);
        let of = name(&inner["for"]["resolved_path"]).unwrap_or_else(|| "a type".to_owned());
        let place = match name(&inner["trait"]) {
            Some(implemented) => format!("{of} as {implemented}"),
            None => of,
        };
        for_each_signature(api, item, &place, &mut look);
    }
    found
}

/// Calls the function with the signature of an item and with those of its members.
fn for_each_signature(api: &Api, item: &Value, place: &str, look: &mut impl FnMut(&Value, &str)) {
    let (_, inner) = api.kind(item);
    look(inner, place);
    let fields = &inner["kind"];
    let members = [
        &inner["items"],
        &inner["variants"],
        &fields["plain"]["fields"],
        &fields["tuple"],
        &fields["struct"]["fields"],
    ];
    for id in members
        .into_iter()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_u64)
    {
        if let Some(member) = api.item(id) {
            let name = member["name"].as_str().unwrap_or_default();
            for_each_signature(api, member, &format!("{place}::{name}"), look);
        }
    }
}
