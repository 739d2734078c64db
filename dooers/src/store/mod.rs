//! Where conversations are kept.
mod patch;
pub use patch::ThreadPatch;
