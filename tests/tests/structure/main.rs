//! The structure of the runtime crate: its layers, import cycles, `mod.rs` files and locked packages, and the paths in its docs.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod cycles;
mod dependencies;
mod doc_paths;
mod layers;
mod module_files;
mod sources;
