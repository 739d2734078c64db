//! The structure of the runtime crate: its layers, its import cycles, and the contents of `mod.rs` files.

mod cycles;
mod doc_paths;
mod layers;
mod module_files;
mod sources;
