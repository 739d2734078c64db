//! The modules of the runtime crate and their imports, read from the sources without tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

/// The names of a module and its ancestors, below the root of the crate.
pub(crate) type Module = Vec<String>;

/// A source file of the crate.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) is_mod_file: bool,
    /// The kinds of items that do not belong into a `mod.rs`.
    pub(crate) definitions: Vec<&'static str>,
    imports: Vec<Module>,
    reexports: BTreeMap<String, Module>,
}

/// All source files of the crate, by module.
#[derive(Debug)]
pub(crate) struct Sources(BTreeMap<Module, Source>);

impl Sources {
    /// Reads the runtime crate.
    pub(crate) fn of_runtime() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dooers/src");
        let mut sources = Self(BTreeMap::new());
        sources.read(&root.join("lib.rs"), &root, Module::new());
        sources
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Module, &Source)> {
        self.0.iter()
    }

    /// The modules that each module imports from. Re-exports are followed to the module that defines the item. What
    /// `lib.rs` and `mod.rs` files re-export is not an import.
    pub(crate) fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let mut imports = BTreeMap::new();
        for (module, source) in self.iter().filter(|(module, _)| !module.is_empty()) {
            let targets = source.imports.iter().map(|path| self.definition(path));
            let targets = targets.filter(|target| target != module && !target.is_empty());
            imports.insert(module.clone(), targets.collect());
        }
        imports
    }

    fn read(&mut self, file: &Path, children: &Path, module: Module) {
        let text = fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap();
        let mut reading = Reading {
            module: module.clone(),
            is_mod_file: file.ends_with("mod.rs") || file.ends_with("lib.rs"),
            ..Reading::default()
        };
        reading.visit_file(&parsed);
        for child in reading.children {
            let folder = children.join(&child);
            let (flat, nested) = (children.join(format!("{child}.rs")), folder.join("mod.rs"));
            let file: PathBuf = if flat.exists() { flat } else { nested };
            let mut path = module.clone();
            path.push(child);
            self.read(&file, &folder, path);
        }
        let source = Source {
            is_mod_file: reading.is_mod_file,
            definitions: reading.definitions,
            imports: reading.imports,
            reexports: reading.reexports,
        };
        self.0.insert(module, source);
    }

    /// The module that defines the item at this path.
    fn definition(&self, path: &[String]) -> Module {
        let known = (0..=path.len()).rev().map(|length| path.split_at(length));
        let mut known = known.filter(|(module, _)| self.0.contains_key(*module));
        let (module, item) = known.next().expect("the root is a module");
        let reexported = item
            .first()
            .and_then(|name| self.0[module].reexports.get(name));
        match reexported {
            Some(target) if target != path => self.definition(&[target, &item[1..]].concat()),
            _ => module.to_vec(),
        }
    }
}

#[derive(Default)]
struct Reading {
    module: Module,
    is_mod_file: bool,
    children: Vec<String>,
    definitions: Vec<&'static str>,
    imports: Vec<Module>,
    reexports: BTreeMap<String, Module>,
}

impl Reading {
    /// The path from the root of the crate. `None` if it begins in another crate.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let mut base = match path.first()?.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" | "super" => self.module.clone(),
            child if self.children.iter().any(|known| known == child) => {
                return Some([&self.module, path].concat());
            }
            _ => return None,
        };
        let mut rest = path;
        while let Some((first, tail)) = rest.split_first() {
            match first.as_str() {
                "super" => _ = base.pop(),
                "self" => {}
                _ => break,
            }
            rest = tail;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Adds the paths of a tree of imports, each with the name that it introduces.
    fn expand(tree: &UseTree, prefix: &[String], into: &mut Vec<(Module, String)>) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => Self::expand(&path.tree, &with(&path.ident), into),
            UseTree::Name(name) if name.ident == "self" => {
                into.push((prefix.to_vec(), prefix.last().cloned().unwrap_or_default()));
            }
            UseTree::Name(name) => into.push((with(&name.ident), name.ident.to_string())),
            UseTree::Rename(rename) => into.push((with(&rename.ident), rename.rename.to_string())),
            UseTree::Glob(_) => into.push((prefix.to_vec(), "*".to_owned())),
            UseTree::Group(group) => {
                for item in &group.items {
                    Self::expand(item, prefix, into);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reading {
    fn visit_file(&mut self, file: &'ast syn::File) {
        // Modules first: an import may begin with one that is declared later.
        for item in &file.items {
            if let Item::Mod(module) = item
                && module.content.is_none()
                && !is_test(&module.attrs)
            {
                self.children.push(module.ident.to_string());
            }
        }
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        let definition = match item {
            Item::Const(_) | Item::Static(_) => Some("a constant"),
            Item::Enum(_) | Item::Struct(_) | Item::Type(_) | Item::Union(_) => Some("a type"),
            Item::Fn(_) => Some("a function"),
            Item::Impl(_) => Some("an `impl`"),
            Item::Trait(_) => Some("a trait"),
            _ => None,
        };
        self.definitions.extend(definition);
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if is_test(&module.attrs) {
            return;
        }
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if is_test(&item.attrs) {
            return;
        }
        let mut paths = Vec::new();
        Self::expand(&item.tree, &[], &mut paths);
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        for (path, name) in paths {
            let Some(target) = self.absolute(&path) else {
                continue;
            };
            if is_reexport {
                self.reexports.insert(name, target.clone());
            }
            if !(is_reexport && self.is_mod_file) {
                self.imports.push(target);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if matches!(names[0].as_str(), "crate" | "super") {
            self.imports.extend(self.absolute(&names));
        }
        visit::visit_path(self, path);
    }
}

/// Returns true for `#[cfg(test)]` and `#[cfg(all(test, …))]`.
fn is_test(attributes: &[Attribute]) -> bool {
    let mut is_test = false;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
    {
        // A condition other than these does not parse, and is not one of tests.
        let _ = attribute.parse_nested_meta(|meta| {
            is_test |= meta.path.is_ident("test");
            if meta.path.is_ident("all") {
                meta.parse_nested_meta(|meta| {
                    is_test |= meta.path.is_ident("test");
                    Ok(())
                })?;
            }
            Ok(())
        });
    }
    is_test
}
