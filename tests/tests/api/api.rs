//! The public API of a crate, read from the JSON of rustdoc.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The flags with which rustdoc writes JSON.
pub(crate) const JSON_FLAGS: [&str; 3] = ["-Zunstable-options", "--output-format", "json"];

/// The version of the JSON that this module reads. It changes with the compiler.
const FORMAT: u64 = 57;

/// The number of the documented crate in its own JSON.
const OWN_CRATE: u64 = 0;

pub(crate) struct Api {
    json: Value,
    /// The directory of the file names in the JSON.
    sources: PathBuf,
    /// The paths of each public item of the crate, by its id.
    pub(crate) paths: BTreeMap<u64, Vec<String>>,
    /// The re-exported items of other crates: their ids and their paths here.
    pub(crate) foreign_exports: Vec<(u64, String)>,
}

impl Api {
    pub(crate) fn read(file: &Path, sources: &Path) -> Self {
        let text = std::fs::read(file).expect("rustdoc has written the JSON");
        let json: Value = serde_json::from_slice(&text).expect("rustdoc writes JSON");
        assert_eq!(
            json["format_version"], FORMAT,
            "rustdoc writes another version of its JSON: adapt `api.rs`, then `FORMAT`"
        );
        let mut api = Self {
            json,
            sources: sources.to_owned(),
            paths: BTreeMap::new(),
            foreign_exports: Vec::new(),
        };
        let root = api.json["root"].as_u64().expect("a crate has a root");
        let name = api.item(root).expect("it is documented")["name"].clone();
        api.enter(root, name.as_str().expect("a crate has a name"));
        api.paths.values_mut().for_each(|paths| paths.sort());
        api
    }

    /// The documented item of the crate with this id.
    pub(crate) fn item(&self, id: u64) -> Option<&Value> {
        self.json["index"].get(id.to_string())
    }

    /// The kind of an item and what belongs to that kind.
    pub(crate) fn kind<'a>(&self, item: &'a Value) -> (&'a str, &'a Value) {
        let inner = item["inner"].as_object().expect("an item has a kind");
        let (kind, inner) = inner.iter().next().expect("an item has a kind");
        (kind, inner)
    }

    /// All implementations that are written in the crate and concern public types only.
    pub(crate) fn implementations(&self) -> impl Iterator<Item = &Value> {
        let items = self.json["index"].as_object().expect("the index").values();
        items.filter(|item| {
            let (kind, inner) = self.kind(item);
            kind == "impl"
                && item["crate_id"] == OWN_CRATE
                && inner["is_synthetic"] == false
                && inner["blanket_impl"].is_null()
                && [&inner["for"], &inner["trait"]]
                    .into_iter()
                    .flat_map(|header| self.types_in(header))
                    .all(|(id, _)| !self.is_internal(id))
        })
    }

    /// The types and traits that this part of a signature names: their ids, and their paths as written.
    pub(crate) fn types_in(&self, signature: &Value) -> BTreeMap<u64, String> {
        let mut found = BTreeMap::new();
        collect(signature, &mut found);
        found
    }

    /// Returns true for items of the crate that are not part of its public API.
    pub(crate) fn is_internal(&self, id: u64) -> bool {
        !self.paths.contains_key(&id) && !self.is_foreign(id)
    }

    pub(crate) fn is_foreign(&self, id: u64) -> bool {
        // Only hidden items of the crate itself are not described.
        self.summary(id)
            .is_some_and(|summary| summary["crate_id"] != OWN_CRATE)
    }

    /// The path at which an item is defined, also if that path is private. `None` for hidden items.
    pub(crate) fn definition(&self, id: u64) -> Option<String> {
        let path = self.summary(id)?["path"].as_array()?;
        let names: Vec<_> = path.iter().filter_map(Value::as_str).collect();
        Some(names.join("::"))
    }

    /// The lines directly above an item: its documentation, comments and attributes.
    pub(crate) fn lines_above(&self, item: &Value) -> Vec<String> {
        let span = &item["span"];
        let file = self
            .sources
            .join(span["filename"].as_str().expect("a file"));
        let line = span["begin"][0].as_u64().expect("a line");
        let source = std::fs::read_to_string(file).expect("the source is there");
        let mut lines: Vec<_> = source
            .lines()
            .take(usize::try_from(line).expect("a file is short") - 1)
            .map(|line| line.trim().to_owned())
            .collect();
        let is_other = |line: &String| line.is_empty() || line.ends_with(['{', '}', ';']);
        let start = lines
            .iter()
            .rposition(is_other)
            .map_or(0, |other| other + 1);
        lines.split_off(start)
    }

    fn summary(&self, id: u64) -> Option<&Value> {
        self.json["paths"].get(id.to_string())
    }

    /// Records the public items of a module.
    fn enter(&mut self, module: u64, path: &str) {
        let module = self.item(module).expect("a public module is documented");
        let items = self.kind(module).1["items"].clone();
        for id in items.as_array().expect("a module has items") {
            let id = id.as_u64().expect("an id is a number");
            // Items with `#[doc(hidden)]` are listed without being described.
            let Some(item) = self.item(id) else { continue };
            let (kind, inner) = self.kind(item);
            let (id, name) = match kind {
                "impl" => continue,
                "use" => {
                    assert_eq!(inner["is_glob"], false, "{path} re-exports a glob");
                    (
                        inner["id"].as_u64().expect("not a primitive"),
                        &inner["name"],
                    )
                }
                _ => (id, &item["name"]),
            };
            let path = format!("{path}::{}", name.as_str().expect("an item has a name"));
            match self.item(id).map(|item| self.kind(item).0) {
                None => self.foreign_exports.push((id, path)),
                Some("module") => self.enter(id, &path),
                Some(_) => self.paths.entry(id).or_default().push(path),
            }
        }
    }
}

fn collect(signature: &Value, found: &mut BTreeMap<u64, String>) {
    match signature {
        Value::Object(members) => {
            // Only the use of a type or a trait has both.
            let id = members.get("id").and_then(Value::as_u64);
            let path = members.get("path").and_then(Value::as_str);
            found.extend(id.zip(path.map(str::to_owned)));
            for member in members.values() {
                collect(member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
